import { USED_BY } from './used-by.ts';

/**
 * Every key with its figures, as SQL: the registry's fields, the lifetime totals and the last 30 days, joined. The key list reads
 * it live for few keys; for many it is kept in `key_list` (see key-list.ts).
 */

const DAY_SECONDS = 86_400;
const QUARTER_HOUR_SECONDS = 900;
const MONTH_SECONDS = 30 * DAY_SECONDS;

/** A condition on `key_id`; its parameters are bound by whoever runs the statement. */
export type KeyCondition = string;

/** Columns of {@link keyDirectory} in their order; `key_list` has the same behind its generation. */
export const DIRECTORY_COLUMNS = [
  'key_id',
  'organization_id',
  'customer_id',
  'name',
  'description',
  'prefix',
  'kind',
  'environment',
  'scopes',
  'permissions',
  'plan',
  'limit_per_minute',
  'limit_per_day',
  'limit_per_month',
  'limit_burst',
  'owner_name',
  'owner_email',
  'created_at',
  'expires_at',
  'rotated_at',
  'successor_key_id',
  'status',
  'status_reason',
  'status_changed_at',
  'leaked_at',
  'version',
  'has_traffic',
  'tracking_since',
  'last_used',
  'total_requests',
  'requests_30d',
  'error_rate_30d',
] as const;

/** Columns that come from the registry as they are. */
const REGISTRY_COLUMNS = DIRECTORY_COLUMNS.slice(
  DIRECTORY_COLUMNS.indexOf('customer_id'),
  DIRECTORY_COLUMNS.indexOf('status'),
);

/**
 * Registered keys with or without traffic, and discovered ones, which send traffic although nobody registered them. The
 * registry's organization wins over that of the reporting token. What is known of a key's use begins when it was registered or
 * first seen here, not when the platform made it.
 */
export function keyDirectory(condition: KeyCondition, nowMs: number): string {
  const figures: Record<string, string> = {
    key_id: "if(k.key_id != '', k.key_id, t.key_id)",
    organization_id: 'if(k.version > 0, k.organization_id, t.seen_by)',
    status: "multiIf(k.version = 0, 'discovered', k.deleted, 'deleted', k.status)",
    has_traffic: 't.total > 0',
    tracking_since: `multiIf(k.version = 0, t.since, t.total > 0, least(t.since, k.registered_at), k.registered_at)`,
    last_used: 't.last',
    total_requests: 't.total',
    requests_30d: 'r.requests',
    error_rate_30d: 'if(r.requests = 0, 0, r.errors / r.requests)',
  };
  const columns = DIRECTORY_COLUMNS.map((name) => `${figures[name] ?? `k.${name}`} AS ${name}`);
  return `SELECT ${columns.join(', ')}
    FROM (${registryRows(condition)}) AS k
    FULL OUTER JOIN (${trafficTotals(condition)}) AS t ON k.key_id = t.key_id
    LEFT JOIN (${latelyTotals(condition, nowMs)}) AS r ON r.key_id = if(k.key_id != '', k.key_id, t.key_id)`;
}

/** What the registry holds of keys. */
export function registryRows(condition: KeyCondition): string {
  return `SELECT key_id, organization_id, ${REGISTRY_COLUMNS.join(', ')}, keys.status AS status, status_reason,
      status_changed_at, leaked_at, version, deleted, registered_at
    FROM keys FINAL WHERE ${condition}`;
}

/** Lifetime totals of keys, and who reported them. */
export function trafficTotals(condition: KeyCondition): string {
  return `SELECT key_id, ${USED_BY} AS seen_by, sum(requests) AS total, min(tracking_since) AS since,
      max(last_used) AS last FROM key_totals WHERE ${condition} GROUP BY key_id`;
}

/** Requests and errors of keys in the last 30 days. */
export function latelyTotals(condition: KeyCondition, nowMs: number): string {
  return `SELECT key_id, sum(requests) AS requests, sum(client_errors) + sum(server_errors) AS errors
    FROM (${lastMonth(condition, nowMs)}) GROUP BY key_id`;
}

/** Rollup rows of the last 30 days, to the quarter hour, so that the figure does not jump at midnight. */
function lastMonth(condition: KeyCondition, nowMs: number): string {
  const now = Math.floor(nowMs / 1000);
  const from = Math.floor((now - MONTH_SECONDS) / QUARTER_HOUR_SECONDS) * QUARTER_HOUR_SECONDS;
  const firstDay = Math.ceil(from / DAY_SECONDS) * DAY_SECONDS;
  const today = Math.floor(now / DAY_SECONDS) * DAY_SECONDS;
  const within = (first: number, end: number) =>
    `start >= toDateTime(${first}, 'UTC') AND start < toDateTime(${end}, 'UTC')`;
  const rows = (tier: 'quarter_hour' | 'day', span: string) =>
    `SELECT key_id, requests, client_errors, server_errors FROM usage_${tier} WHERE ${condition} AND (${span})`;
  // Both edges in one branch: each costs the engine about 3 ms. What a gateway dates a little ahead belongs to now.
  const edges = `${within(from, firstDay)} OR ${within(today, now + DAY_SECONDS)}`;
  return [rows('quarter_hour', edges), rows('day', within(firstDay, today))].join('\nUNION ALL\n');
}
