import type { ComponentChildren } from 'preact';

export interface DataColumn<Row> {
  name: string;
  /** The heading is for screen readers only, e.g. over buttons. */
  silent?: boolean;
  numeric?: boolean;
  /** Extra classes of heading and cells, e.g. `wide-only`. */
  look?: string;
  cell: (row: Row) => ComponentChildren;
}

export interface TableProps<Row> {
  /** Names the table, also for those who cannot see where it stands. */
  caption: string;
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** The first one names the row. */
  columns: readonly DataColumn<Row>[];
  rowClass?: (row: Row) => string;
  /** Drawn behind the row's name. */
  backdrop?: (row: Row) => ComponentChildren;
  /** Extra classes of the table. */
  look?: string;
}

const lookOf = <Row,>({ numeric, look = '' }: DataColumn<Row>) => `${numeric ? 'num' : ''} ${look}`.trim();

/** Every list of the console is this table: one heading per column, the first cell names its row. */
export function Table<Row>({ caption, rows, rowKey, columns, rowClass, backdrop, look = '' }: TableProps<Row>) {
  return (
    <table class={`data ${look}`.trim()}>
      <caption class="sr-only">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.name} scope="col" class={lookOf(column)}>
              {column.silent ? <span class="sr-only">{column.name}</span> : column.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)} class={rowClass?.(row)}>
            {columns.map((column, index) =>
              index > 0 ? (
                <td key={column.name} class={lookOf(column)}>
                  {column.cell(row)}
                </td>
              ) : (
                <th key={column.name} scope="row" class={lookOf(column)}>
                  {backdrop?.(row)}
                  {column.cell(row)}
                </th>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface TablePanelProps<Row> extends TableProps<Row> {
  title?: string;
  note?: ComponentChildren;
  actions?: ComponentChildren;
  testId?: string;
  /** What stands there instead of an empty table: what would appear, and how. */
  empty: ComponentChildren;
  footer?: ComponentChildren;
}

/** A table in a panel of its own, with a name, and words where it is empty. */
export function TablePanel<Row>({ title, note, actions, testId, empty, footer, ...table }: TablePanelProps<Row>) {
  return (
    <section class="panel list" aria-label={title ?? table.caption} data-testid={testId}>
      {title && (
        <div class="panel-head">
          <h2>{title}</h2>
          <p class="panel-note">{note}</p>
          {actions}
        </div>
      )}
      {table.rows.length === 0 ? (
        <div class="empty-line">{empty}</div>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard
        <section class="table-panel" tabIndex={0} aria-label={`${table.caption}, scrolls`}>
          <Table {...table} />
        </section>
      )}
      {footer}
    </section>
  );
}
