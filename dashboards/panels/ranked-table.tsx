import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
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
const OPENED = 1.5;

/** A top list: the first column names the row and filters by it on a click. */
export function RankedTable<Row>(props: RankedTableProps<Row>) {
  const short = props.short ?? SHORT;
  // The short list stands whole. Opened, it grows by half, so that one sees it open, and scrolls.
  const region = useRef<HTMLDivElement>(null);
  const [heightPx, setHeightPx] = useState<number>();
  const isOpen = heightPx !== undefined;
  useLayoutEffect(() => {
    // The button that opened it is gone.
    if (isOpen) region.current?.focus({ preventScroll: true });
  }, [isOpen]);
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
        <div ref={region} class={isOpen ? 'scroll-table' : 'whole-table'} {...(isOpen && scrolled(title, heightPx))}>
          <Table
            caption={title}
            rows={rows.slice(0, isOpen ? LONG : short)}
            rowKey={props.rowKey}
            rowClass={(row) => (props.chosen?.(row) ? 'chosen' : '')}
            backdrop={weight && ((row) => <Weight share={weight(row)} />)}
            columns={columns}
          />
        </div>
      )}
      {!isOpen && rows.length > short && (
        <button type="button" class="quiet more" onClick={() => setHeightPx(region.current!.offsetHeight * OPENED)}>
          Show {Math.min(rows.length, LONG) - short} more
        </button>
      )}
      {props.footer}
    </section>
  );
}

function scrolled(title: string, heightPx: number) {
  return {
    role: 'region',
    tabIndex: 0,
    'aria-label': `${title}, scrolls`,
    style: { maxHeight: `${heightPx}px` },
  } as const;
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
