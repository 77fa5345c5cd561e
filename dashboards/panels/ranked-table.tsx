import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

export interface RankedColumn<Row> {
  name: string;
  numeric?: boolean;
  cell: (row: Row) => ComponentChildren;
}

interface RankedTableProps<Row> {
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
  const [limit, setLimit] = useState(props.short ?? SHORT);
  const { rows, title } = props;
  return (
    <section class="panel ranked" aria-label={title} data-testid={props.testId}>
      <div class="panel-head">
        <h2>{title}</h2>
        <p class="panel-note">{props.note}</p>
      </div>
      {rows.length === 0 ? (
        <p class="empty-line">{props.empty}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard
        <section class="scroll-table" tabIndex={0} aria-label={`${title}, scrolls`}>
          <table class="data">
            <thead>
              <tr>
                {props.columns.map((column) => (
                  <th key={column.name} scope="col" class={column.numeric ? 'num' : ''}>
                    {column.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, limit).map((row) => (
                <RankedRow key={props.rowKey(row)} row={row} table={props} />
              ))}
            </tbody>
          </table>
        </section>
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

function RankedRow<Row>({ row, table }: { row: Row; table: RankedTableProps<Row> }) {
  const { columns, chosen, weight } = table;
  const onChoose = (table.choosable?.(row) ?? true) ? table.onChoose : undefined;
  const on = chosen?.(row) ?? false;
  return (
    <tr class={on ? 'chosen' : ''}>
      {columns.map((column, index) =>
        index > 0 ? (
          <td key={column.name} class={column.numeric ? 'num' : ''}>
            {column.cell(row)}
          </td>
        ) : (
          <th key={column.name} scope="row">
            {weight && (
              <i class="weight" aria-hidden="true" style={{ width: `${Math.max(0.5, weight(row) * 100)}%` }} />
            )}
            {onChoose ? (
              <button type="button" class="row-filter" aria-pressed={on} onClick={() => onChoose(row)}>
                {column.cell(row)}
              </button>
            ) : (
              column.cell(row)
            )}
          </th>
        ),
      )}
    </tr>
  );
}
