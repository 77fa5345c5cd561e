import type { ApiKey } from '../http/contract.ts';
import { nextSort, type Sort, type SortField } from './key-list-query.ts';
import { KeyRow } from './key-row.tsx';

interface KeysTableProps {
  keys: ApiKey[];
  sort: Sort;
  now: number;
  onSort: (sort: Sort) => void;
  onOrganization: (organization: string) => void;
}

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
  { name: '30 days', field: 'requests_30d', numeric: true },
  { name: 'Errors', field: 'error_rate_30d', numeric: true },
  { name: 'Total', field: 'total_requests', numeric: true, look: 'wide-only' },
  { name: 'Limit', look: 'wide-only' },
];

export function KeysTable({ keys, sort, now, onSort, onOrganization }: KeysTableProps) {
  return (
    <table class="data keys" data-testid="keys-table">
      <caption class="sr-only">API keys and their use</caption>
      <thead>
        <tr>
          {COLUMNS.map((column) => (
            <Heading key={column.name} column={column} sort={sort} onSort={onSort} />
          ))}
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <KeyRow key={key.key_id} apiKey={key} now={now} onOrganization={onOrganization} />
        ))}
      </tbody>
    </table>
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
