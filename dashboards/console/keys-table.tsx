import { useEffect, useRef } from 'preact/hooks';
import type { ApiKey } from '../http/contract/keys.ts';
import { useWindowRows } from '../panels/use-window-rows.ts';
import { nextSort, type Sort, type SortField } from './key-list-query.ts';
import { KeyRow } from './key-row.tsx';

interface KeysTableProps {
  keys: ApiKey[];
  sort: Sort;
  now: number;
  onSort: (sort: Sort) => void;
  onOrganization: (organization: string) => void;
  /** The end of what is loaded comes near. */
  onNearEnd: () => void;
}

/** As the style sheet has it: equal rows are what lets the others stay away. */
const ROW_HEIGHT = 48;
/** Rows left below the screen when the next page is fetched. */
const NEAR_END = 60;

interface Column {
  name: string;
  field?: SortField;
  numeric?: boolean;
  look?: string;
}

const COLUMNS: Column[] = [
  { name: 'Key', field: 'key_id' },
  { name: 'Status' },
  { name: 'Organization', look: 'wide-only' },
  { name: 'Last used', field: 'last_used' },
  { name: 'Trend', look: 'spark wide-only' },
  { name: '30 days', field: 'requests_30d', numeric: true },
  { name: 'Errors', field: 'error_rate_30d', numeric: true },
  { name: 'Total', field: 'total_requests', numeric: true, look: 'wide-only' },
  { name: 'Limit', field: 'limit_used', look: 'limit wide-only' },
];

export function KeysTable({ keys, sort, now, onSort, onOrganization, onNearEnd }: KeysTableProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const { first, end } = useWindowRows(body, keys.length, ROW_HEIGHT);
  const near = end > keys.length - NEAR_END;
  useEffect(() => {
    if (near) onNearEnd();
  }, [near, keys.length, onNearEnd]);
  return (
    <table class="data keys" data-testid="keys-table" aria-rowcount={keys.length + 1}>
      <caption class="sr-only">API keys and their use</caption>
      <thead>
        <tr>
          {COLUMNS.map((column) => (
            <Heading key={column.name} column={column} sort={sort} onSort={onSort} />
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        <Filler rows={first} />
        {keys.slice(first, end).map((key, index) => (
          <KeyRow key={key.key_id} apiKey={key} now={now} place={first + index + 2} onOrganization={onOrganization} />
        ))}
        <Filler rows={keys.length - end} />
      </tbody>
    </table>
  );
}

/** As high as the rows that are not there. */
function Filler({ rows }: { rows: number }) {
  if (rows <= 0) return null;
  return (
    <tr class="filler" style={{ '--filler': `${rows * ROW_HEIGHT}px` }}>
      <td colSpan={COLUMNS.length} />
    </tr>
  );
}

function Heading({ column, sort, onSort }: { column: Column; sort: Sort; onSort: (sort: Sort) => void }) {
  const look = `${column.numeric ? 'num' : ''} ${column.look ?? ''}`.trim();
  const { field } = column;
  if (!field) {
    return (
      <th scope="col" class={look}>
        {column.name}
      </th>
    );
  }
  const active = sort.field === field;
  const order = active ? (sort.descending ? 'descending' : 'ascending') : undefined;
  return (
    <th scope="col" class={look} aria-sort={order}>
      <button type="button" class="sort" onClick={() => onSort(nextSort(sort, field))}>
        {column.name}
        <span aria-hidden="true">{active ? (sort.descending ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </th>
  );
}

export function KeysSkeleton() {
  return (
    <div class="skeleton-list" aria-hidden="true">
      {Array.from({ length: 12 }, (_, index) => (
        <i key={index} class="skeleton" />
      ))}
    </div>
  );
}
