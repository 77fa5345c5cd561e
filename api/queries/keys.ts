import type { QueryParams, Store } from '../../workers/clickhouse/store.ts';
import { MINUTE_SECONDS, QUARTER_HOUR_SECONDS } from './calendar.ts';
import { segmentsOf } from './segments.ts';
import { ALL_KEYS, type KeyFilter, usageRows } from './union.ts';

const MONTH_SECONDS = 30 * 86_400;
const DAY_MS = 86_400_000;

export const KEY_SORTS = [
  'key_id',
  'last_used',
  'total_requests',
  'requests_30d',
  'error_rate_30d',
  'expires_at',
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

/**
 * Every key: registered ones with or without traffic, and discovered ones, which send traffic although nobody
 * registered them. The registry's organization wins over that of the reporting token. What is known of a key's use
 * begins when it was registered or first seen here, not when the platform made it.
 */
function directory(recent: string, keys: KeyFilter): string {
  const traffic = `SELECT key_id, max(organization_id) AS seen_by, sum(requests) AS total, min(tracking_since) AS since,
      max(last_used) AS last FROM key_totals WHERE ${keys.sql} GROUP BY key_id`;
  const lately = `SELECT key_id, sum(requests) AS requests, sum(client_errors) + sum(server_errors) AS errors
    FROM (${recent}) GROUP BY key_id`;
  return `SELECT if(k.key_id != '', k.key_id, t.key_id) AS key_id,
      k.version > 0 AS registered,
      if(registered, k.organization_id, t.seen_by) AS organization_id,
      k.customer_id AS customer_id, k.name AS name, k.description AS description, k.prefix AS prefix, k.kind AS kind,
      k.environment AS environment, k.scopes AS scopes, k.permissions AS permissions, k.plan AS plan, k.limit_per_minute AS limit_per_minute,
      k.limit_per_day AS limit_per_day, k.limit_per_month AS limit_per_month, k.limit_burst AS limit_burst,
      k.owner_name AS owner_name, k.owner_email AS owner_email, k.created_at AS created_at, k.expires_at AS expires_at,
      k.rotated_at AS rotated_at, k.successor_key_id AS successor_key_id, k.status_reason AS status_reason,
      k.status_changed_at AS status_changed_at, k.leaked_at AS leaked_at, k.version AS version,
      multiIf(NOT registered, 'discovered', k.deleted, 'deleted', k.status) AS status,
      t.total > 0 AS has_traffic,
      multiIf(NOT registered, t.since, has_traffic, least(t.since, k.registered_at), k.registered_at) AS tracking_since,
      t.last AS last_used,
      t.total AS total_requests,
      r.requests AS requests_30d,
      if(r.requests = 0, 0, r.errors / r.requests) AS error_rate_30d
    FROM (SELECT * FROM keys FINAL WHERE ${keys.sql}) AS k
    FULL OUTER JOIN (${traffic}) AS t ON k.key_id = t.key_id
    LEFT JOIN (${lately}) AS r ON r.key_id = if(k.key_id != '', k.key_id, t.key_id)`;
}

const SORT_SQL: Record<KeySort, string> = {
  key_id: 'key_id',
  last_used: 'toUnixTimestamp64Milli(last_used.at)',
  total_requests: 'total_requests',
  requests_30d: 'requests_30d',
  error_rate_30d: 'error_rate_30d',
  // Keys that never expire stand behind all that do.
  expires_at: 'ifNull(toUnixTimestamp64Milli(expires_at), toInt64(8000000000000000))',
};

/** One page of keys with their four figures, in one query. */
export async function listKeys(store: Store, request: KeyListRequest, nowMs: number): Promise<KeyRow[]> {
  const keys = request.keyId === '' ? ALL_KEYS : { sql: 'key_id = {key_id:String}', params: {} };
  const [recent, to] = lastMonth(nowMs);
  const rows = usageRows(segmentsOf(recent, to, 'day'), keys, 'key_id, requests, client_errors, server_errors');
  const { conditions, params } = conditionsOf(request, nowMs);
  const direction = request.descending ? 'DESC' : 'ASC';
  return store.query<KeyRow>(
    `SELECT *, ${SORT_SQL[request.sort]} AS sort_value FROM (${directory(rows, keys)})
     WHERE ${conditions.join(' AND ')}
     ORDER BY sort_value ${direction}, key_id ${direction} LIMIT {limit:UInt32}`,
    { ...params, limit: request.limit },
  );
}

/** The last 30 days up to now, to the quarter hour, so that the figure does not jump at midnight. */
function lastMonth(nowMs: number): [from: number, to: number] {
  const to = Math.ceil(nowMs / 1000 / MINUTE_SECONDS) * MINUTE_SECONDS;
  const from = Math.floor((to - MONTH_SECONDS) / QUARTER_HOUR_SECONDS) * QUARTER_HOUR_SECONDS;
  return [from, to];
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
  if (request.after) {
    const sign = request.descending ? '<' : '>';
    const type = request.sort === 'key_id' ? 'String' : 'Float64';
    conditions.push(`(sort_value, key_id) ${sign} ({after_value:${type}}, {after_id:String})`);
    params.after_value = request.after.value;
    params.after_id = request.after.keyId;
  }
  return { conditions, params };
}
