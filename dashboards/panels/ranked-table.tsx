import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { type DataColumn, Table } from './data-table.tsx';

export type RankedColumn<Row> = Pick<DataColumn<Row>, 'name' | 'numeric' | 'cell'>;

export interface RankedTableProps<Row> {
  title: string;
  note?: ComponentChildren;
  testId: string;
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Share of the largest row, drawn as a bar behind the first column; none for rows without an order of size. */
  weight?: (row: Row) => number;
  /** Rows shown at first. */
  short?: number;
  columns: RankedColumn<Row>[];
  chosen?: (row: Row) => boolean;
  onChoose?: (row: Row) => void;
  /** Rows that stand for "not known" cannot be asked for. */
  choosable?: (row: Row) => boolean;
  empty: string;
  footer?: ComponentChildren;
}

const SHORT = 10;
const LONG = 200;

/** A top list: the first column names the row and filters by it on a click. */
export function RankedTable<Row>(props: RankedTableProps<Row>) {
  const short = props.short ?? SHORT;
  const [limit, setLimit] = useState(short);
  // The short list stands whole; only the long one scrolls inside its panel.
  const isLong = limit === LONG;
  const { rows, title, weight } = props;
  const columns = props.columns.map((column, index) => (index === 0 ? chooser(column, props) : column));
  return (
    <section class="panel ranked" aria-label={title} data-testid={props.testId}>
      <div class="panel-head">
        <h2>{title}</h2>
        <p class="panel-note">{props.note}</p>
      </div>
      {rows.length === 0 ? (
        <p class="empty-line">{props.empty}</p>
      ) : (
        <div
          class={isLong ? `scroll-table ${short > SHORT ? 'scroll-tall' : ''}` : 'whole-table'}
          {...(isLong && { role: 'region', tabIndex: 0, 'aria-label': `${title}, scrolls` })}
        >
          <Table
            caption={title}
            rows={rows.slice(0, limit)}
            rowKey={props.rowKey}
            rowClass={(row) => (props.chosen?.(row) ? 'chosen' : '')}
            backdrop={weight && ((row) => <Weight share={weight(row)} />)}
            columns={columns}
          />
        </div>
      )}
      {rows.length > limit && (
        <button type="button" class="quiet more" onClick={() => setLimit(LONG)}>
          Show {Math.min(rows.length, LONG) - limit} more
        </button>
      )}
      {props.footer}
    </section>
  );
}

function Weight({ share }: { share: number }) {
  return <i class="weight" aria-hidden="true" style={{ width: `${Math.max(0.5, share * 100)}%` }} />;
}

/** The first column as a button, where a row can be chosen. */
function chooser<Row>(column: RankedColumn<Row>, { chosen, onChoose, choosable }: RankedTableProps<Row>) {
  if (!onChoose) return column;
  return {
    ...column,
    cell: (row: Row) =>
      (choosable?.(row) ?? true) ? (
        <button type="button" class="row-filter" aria-pressed={chosen?.(row) ?? false} onClick={() => onChoose(row)}>
          {column.cell(row)}
        </button>
      ) : (
        column.cell(row)
      ),
  };
}
