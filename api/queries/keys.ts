import type { QueryParams, Store } from '../../workers/clickhouse/store.ts';
import { DIRECTORY_COLUMNS, keyDirectory } from '../../workers/keys/key-directory.ts';
import { changedKeys, type Generation } from '../../workers/keys/key-list.ts';
import { limitUse } from './limit-use.ts';

const DAY_MS = 86_400_000;

export const KEY_SORTS = [
  'key_id',
  'last_used',
  'total_requests',
  'requests_30d',
  'error_rate_30d',
  'expires_at',
  'limit_used',
] as const;
export type KeySort = (typeof KEY_SORTS)[number];

/** Which keys are listed. Empty string = any. */
export interface KeyListRequest {
  organizationId: string;
  customerId: string;
  keyId: string;
  environment: string;
  status: string;
  search: string;
  withDeleted: boolean;
  /** Only keys that were watched for this many days and not used in them; 0 = all. */
  unusedDays: number;
  /** Only active keys that expire within this many days; 0 = all. */
  expiresWithinDays: number;
  /** Only active keys of which this much of a limit is in use, in percent; 0 = all. */
  limitUsedPercent: number;
  sort: KeySort;
  descending: boolean;
  limit: number;
  after: KeyCursor | undefined;
}

/** Position behind the last row of a page: its sort value and its id. */
export interface KeyCursor {
  value: string | number;
  keyId: string;
}

export interface KeyRow {
  key_id: string;
  organization_id: string;
  customer_id: string;
  name: string;
  description: string;
  prefix: string;
  kind: string;
  environment: string;
  scopes: string[];
  permissions: string;
  plan: string;
  limit_per_minute: number | null;
  limit_per_day: number | null;
  limit_per_month: number | null;
  limit_burst: number | null;
  owner_name: string;
  owner_email: string;
  created_at: string;
  expires_at: string | null;
  rotated_at: string | null;
  successor_key_id: string;
  status: string;
  status_reason: string;
  status_changed_at: string | null;
  leaked_at: string | null;
  version: number;
  has_traffic: number;
  tracking_since: string;
  last_used: { at: string; country: string; method: string; route: string; status: number };
  total_requests: number;
  requests_30d: number;
  error_rate_30d: number;
  sort_value: string | number;
}

const SORT_SQL: Record<KeySort, string> = {
  key_id: 'key_id',
  last_used: 'toUnixTimestamp64Milli(last_used.at)',
  total_requests: 'total_requests',
  requests_30d: 'requests_30d',
  error_rate_30d: 'error_rate_30d',
  // Keys that never expire stand behind all that do.
  expires_at: 'ifNull(toUnixTimestamp64Milli(expires_at), toInt64(8000000000000000))',
  // Below all that have a limit.
  limit_used: "if(limited_id = '', -1, limit_used)",
};

/** Organization a key belongs to, by the registry, else by who reported it; undefined = no such key. */
export async function organizationOfKey(store: Store, keyId: string): Promise<string | undefined> {
  const [row] = await store.query<{ organization_id: string }>(
    `SELECT organization_id FROM (
       SELECT organization_id, 1 AS registered FROM keys FINAL WHERE key_id = {key_id:String}
       UNION ALL
       SELECT max(organization_id) AS organization_id, 0 AS registered FROM key_totals WHERE key_id = {key_id:String}
       GROUP BY key_id
     ) ORDER BY registered DESC LIMIT 1`,
    { key_id: keyId },
  );
  return row?.organization_id;
}

/** One page of keys with their four figures, joined for this page: exact to the second, and slower the more keys there are. */
export async function listKeys(store: Store, request: KeyListRequest, nowMs: number): Promise<KeyRow[]> {
  return select(
    store,
    `(${keyDirectory(request.keyId === '' ? '1' : 'key_id = {key_id:String}', nowMs)})`,
    request,
    nowMs,
  );
}

/**
 * The same page from a generation of `key_list`. The registry's fields, and keys that appeared since, are those of now; the
 * figures of the others those of the generation. Read apart and merged here: sorting a union would read every column of every key.
 */
export async function listKeysFrom(
  store: Store,
  generation: Generation,
  request: KeyListRequest,
  nowMs: number,
): Promise<KeyRow[]> {
  const changed = `key_id IN (${changedKeys(generation)})`;
  const present = await store.query(`${changedKeys(generation)} LIMIT 1`);
  const names = DIRECTORY_COLUMNS.join(', ');
  const listed = `(SELECT ${names} FROM key_list WHERE generation = ${generation.generation}`;
  if (present.length === 0) return select(store, `${listed})`, request, nowMs);
  const [unchanged, fresh] = await Promise.all([
    select(store, `${listed} AND NOT (${changed}))`, request, nowMs),
    select(store, `(${keyDirectory(changed, nowMs)})`, request, nowMs),
  ]);
  const sign = request.descending ? -1 : 1;
  return [...unchanged, ...fresh].sort((a, b) => sign * comparePositions(a, b)).slice(0, request.limit);
}

async function select(store: Store, from: string, request: KeyListRequest, nowMs: number): Promise<KeyRow[]> {
  if (request.sort !== 'limit_used') return store.query<KeyRow>(...pageOf('*', from, request, nowMs));
  // The use of limits is joined: beside all columns of every key that would be much to read. So the ids first.
  const joined = `${from} AS d LEFT JOIN (${limitUse(limitCondition(request), nowMs)}) AS u ON u.limited_id = d.key_id`;
  const page = await store.query<Position>(...pageOf('key_id', joined, request, nowMs));
  const rows = await store.query<KeyRow>(`SELECT * FROM ${from} WHERE key_id IN {page:Array(String)}`, {
    key_id: request.keyId,
    page: page.map((row) => row.key_id),
  });
  const found = new Map(rows.map((row) => [row.key_id, row]));
  return page.flatMap((row) => (found.has(row.key_id) ? [{ ...found.get(row.key_id)!, ...row }] : []));
}

function pageOf(columns: string, from: string, request: KeyListRequest, nowMs: number): [sql: string, QueryParams] {
  const { conditions, params } = conditionsOf(request, nowMs);
  const direction = request.descending ? 'DESC' : 'ASC';
  return [
    `SELECT ${columns}, ${SORT_SQL[request.sort]} AS sort_value FROM ${from}
     WHERE ${conditions.join(' AND ')}
     ORDER BY sort_value ${direction}, key_id ${direction} LIMIT {limit:UInt32}`,
    { ...params, limit: request.limit },
  ];
}

/** Which keys' limits are looked at; its parameters are those of {@link conditionsOf}. */
function limitCondition({ keyId, organizationId }: KeyListRequest): string {
  if (keyId !== '') return 'key_id = {key_id:String}';
  return organizationId === '' ? '1' : 'organization_id = {organization_id_is:String}';
}

type Position = Pick<KeyRow, 'sort_value' | 'key_id'>;

/** As the engine orders rows: numbers by size, text by its bytes in UTF-8. */
export function comparePositions(a: Position, b: Position): number {
  if (typeof a.sort_value === 'number' && a.sort_value !== b.sort_value)
    return a.sort_value < Number(b.sort_value) ? -1 : 1;
  return Buffer.compare(Buffer.from(a.key_id), Buffer.from(b.key_id));
}

function conditionsOf(request: KeyListRequest, nowMs: number): { conditions: string[]; params: QueryParams } {
  const conditions = ["key_id != ''"];
  const params: Record<string, unknown> = { key_id: request.keyId };
  const equal = (column: string, value: string) => {
    if (value === '') return;
    conditions.push(`${column} = {${column}_is:String}`);
    params[`${column}_is`] = value;
  };
  equal('organization_id', request.organizationId);
  equal('customer_id', request.customerId);
  equal('environment', request.environment);
  equal('status', request.status);
  if (!request.withDeleted) conditions.push("status != 'deleted'");
  if (request.search !== '') {
    const columns = ['key_id', 'name', 'prefix', 'customer_id', 'organization_id', 'owner_email'];
    conditions.push(
      `(${columns.map((name) => `positionCaseInsensitiveUTF8(${name}, {search:String}) > 0`).join(' OR ')})`,
    );
    params.search = request.search;
  }
  if (request.unusedDays > 0) {
    // Silence proves something only while somebody listened: a key known since yesterday was not "unused for a year".
    conditions.push(
      'greatest(toUnixTimestamp64Milli(last_used.at), toUnixTimestamp64Milli(tracking_since)) < {unused_before:Int64}',
    );
    params.unused_before = nowMs - request.unusedDays * DAY_MS;
  }
  if (request.expiresWithinDays > 0) {
    conditions.push(
      `status = 'active' AND toUnixTimestamp64Milli(expires_at) BETWEEN {now:Int64} AND {expires_before:Int64}`,
    );
    params.now = nowMs;
    params.expires_before = nowMs + request.expiresWithinDays * DAY_MS;
  }
  if (request.limitUsedPercent > 0) {
    const use = limitUse(limitCondition(request), nowMs);
    conditions.push(
      `status = 'active' AND key_id IN (SELECT limited_id FROM (${use}) WHERE limit_used >= {limit_used:Float64})`,
    );
    params.limit_used = request.limitUsedPercent / 100;
  }
  if (request.after) {
    const sign = request.descending ? '<' : '>';
    const type = request.sort === 'key_id' ? 'String' : 'Float64';
    conditions.push(`(sort_value, key_id) ${sign} ({after_value:${type}}, {after_id:String})`);
    params.after_value = request.after.value;
    params.after_id = request.after.keyId;
  }
  return { conditions, params };
}
