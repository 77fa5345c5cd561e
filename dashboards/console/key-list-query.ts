/** What the key list is asked for; kept in the address like every other state. */
const SORT_FIELDS = [
  'key_id',
  'last_used',
  'total_requests',
  'requests_30d',
  'error_rate_30d',
  'expires_at',
  'limit_used',
] as const;
export type SortField = (typeof SORT_FIELDS)[number];

export interface Sort {
  field: SortField;
  descending: boolean;
}

export interface KeyListQuery {
  search: string;
  status: string;
  environment: string;
  organization: string;
  unusedDays: string;
  expiresWithinDays: string;
  limitUsedPercent: string;
  sort: Sort;
}

const DEFAULT_SORT: Sort = { field: 'requests_30d', descending: true };

function readSort(value: string | null): Sort {
  const descending = value?.startsWith('-') ?? false;
  const field = (descending ? value?.slice(1) : value) as SortField;
  return SORT_FIELDS.includes(field) ? { field, descending } : DEFAULT_SORT;
}

export function sortText(sort: Sort): string {
  return `${sort.descending ? '-' : ''}${sort.field}`;
}

/** Numbers are wanted largest first, names from A; a second click turns the order around. */
export function nextSort(current: Sort, field: SortField): Sort {
  if (current.field === field) return { field, descending: !current.descending };
  return { field, descending: field !== 'key_id' };
}

function wholeNumber(text: string): string {
  return /^\d{1,4}$/.test(text) ? text : '';
}

export function readKeyListQuery(search: URLSearchParams): KeyListQuery {
  const read = (name: string) => search.get(name) ?? '';
  return {
    search: read('search'),
    status: read('status'),
    environment: read('environment'),
    organization: read('organization_id'),
    unusedDays: wholeNumber(read('unused_days')),
    expiresWithinDays: wholeNumber(read('expires_within_days')),
    limitUsedPercent: wholeNumber(read('limit_used_percent')),
    sort: readSort(search.get('sort')),
  };
}

/** The same names in the address and in the api's query, so one function serves both. */
export function keyListFields(query: KeyListQuery): Record<string, string> {
  return {
    search: query.search,
    status: query.status,
    environment: query.environment,
    organization_id: query.organization,
    unused_days: query.unusedDays,
    expires_within_days: query.expiresWithinDays,
    limit_used_percent: query.limitUsedPercent,
    sort: sortText(query.sort),
  };
}

export function writeKeyListQuery(query: KeyListQuery): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(keyListFields(query))) {
    if (value && !(name === 'sort' && value === sortText(DEFAULT_SORT))) search.set(name, value);
  }
  return search.toString();
}

export function isNarrowed(query: KeyListQuery): boolean {
  return Boolean(
    query.search ||
      query.status ||
      query.environment ||
      query.organization ||
      query.unusedDays ||
      query.expiresWithinDays ||
      query.limitUsedPercent,
  );
}
