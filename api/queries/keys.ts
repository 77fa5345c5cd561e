import type { QueryParams, Store } from '../../workers/clickhouse/store.ts';
import { DIRECTORY_COLUMNS, type KeyCondition, keyDirectory } from '../../workers/keys/key-directory.ts';
import { CHOOSING_COLUMNS, ORDER_VALUES } from '../../workers/keys/key-order.ts';
import { USED_BY } from '../../workers/keys/used-by.ts';
import { asksForLimits, type KeyListRequest, type Position, pageOf, withLimitUse } from './key-page.ts';

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

/** Organization a key belongs to, by the registry, else by who reported it; undefined = no such key. */
export async function organizationOfKey(store: Store, keyId: string): Promise<string | undefined> {
  const [row] = await store.query<{ organization_id: string }>(
    `SELECT organization_id FROM (
       SELECT organization_id, 1 AS registered FROM keys FINAL WHERE key_id = {key_id:String}
       UNION ALL
       SELECT ${USED_BY} AS organization_id, 0 AS registered FROM key_totals WHERE key_id = {key_id:String}
       GROUP BY key_id
     ) ORDER BY registered DESC LIMIT 1`,
    { key_id: keyId },
  );
  return row?.organization_id;
}

/** One page of keys with their four figures, joined for this page: exact to the second, and slower the more keys there are. */
export async function listKeys(store: Store, request: KeyListRequest, nowMs: number): Promise<KeyRow[]> {
  return listKeysOf(store, request.keyId === '' ? '1' : 'key_id = {key_id:String}', request, nowMs);
}

/**
 * The same of the keys that a condition names.
 * @param bound parameters of the condition
 */
export async function listKeysOf(
  store: Store,
  condition: KeyCondition,
  request: KeyListRequest,
  nowMs: number,
  bound: QueryParams = {},
): Promise<KeyRow[]> {
  const names = DIRECTORY_COLUMNS.join(', ');
  const directory = `SELECT *, ${CHOOSING_COLUMNS} FROM (${keyDirectory(condition, nowMs)})`;
  if (!asksForLimits(request)) {
    const from = `(SELECT *, toInt64(${ORDER_VALUES[request.sort]}) AS order_value FROM (${directory}))`;
    const [sql, params] = pageOf(names, from, request, nowMs);
    return store.query<KeyRow>(sql, { ...params, ...bound });
  }
  // Beside all columns of every key the joined use of limits would be much to read. So the ids first.
  const [sql, params] = pageOf('key_id', withLimitUse(`(${directory})`, condition, request, nowMs), request, nowMs);
  const page = await store.query<Position>(sql, { ...params, ...bound });
  const rows = await store.query<Omit<KeyRow, 'sort_value'>>(
    `SELECT ${names} FROM (${keyDirectory('key_id IN {page:Array(String)}', nowMs)})`,
    { page: page.map((row) => row.key_id) },
  );
  return inOrderOf(page, rows);
}

/** The rows at their places; a key that went away in between is left out. */
export function inOrderOf(page: readonly Position[], rows: readonly Omit<KeyRow, 'sort_value'>[]): KeyRow[] {
  const found = new Map(rows.map((row) => [row.key_id, row]));
  return page.flatMap((place) => {
    const row = found.get(place.key_id);
    return row ? [{ ...row, sort_value: place.sort_value }] : [];
  });
}
