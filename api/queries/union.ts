import type { QueryParams } from '../../workers/clickhouse/store.ts';
import type { Segment } from './segments.ts';

/** Which keys a question is about: a condition on `key_id` with its bound parameters. */
export interface KeyFilter {
  sql: string;
  params: QueryParams;
}

export const ONE_KEY = (keyId: string): KeyFilter => ({ sql: 'key_id = {key_id:String}', params: { key_id: keyId } });
export const ALL_KEYS: KeyFilter = { sql: '1', params: {} };

/** Conditions on single requests, which only raw rows can answer together; '' = any. */
export interface RequestConditions {
  method: string;
  route: string;
  /** `404`, or a class as `4xx`. */
  status: string;
  country: string;
}

/** A condition on columns of `requests`, with its bound parameters. */
export function requestCondition(conditions: Partial<RequestConditions>): KeyFilter {
  const parts: string[] = [];
  const params: Record<string, unknown> = {};
  for (const column of ['method', 'route', 'country'] as const) {
    if (!conditions[column]) continue;
    parts.push(`${column} = {${column}_is:String}`);
    params[`${column}_is`] = conditions[column];
  }
  const { status = '' } = conditions;
  if (/^[1-5]xx$/.test(status)) {
    parts.push('intDiv(status, 100) = {status_class:UInt16}');
    params.status_class = Number(status[0]);
  } else if (status !== '') {
    parts.push('status = {status_is:UInt16}');
    params.status_is = Number(status);
  }
  return { sql: parts.join(' AND ') || '1', params };
}

export function both(a: KeyFilter, b: KeyFilter): KeyFilter {
  return { sql: `${a.sql} AND ${b.sql}`, params: { ...a.params, ...b.params } };
}

/** States of a latency column, as every rollup keeps them. */
export const LATENCY_STATE = 'quantilesDDState(0.01, 0.5, 0.95, 0.99)(latency_ms)';
export const LATENCY_MERGE = 'quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(latency)';

/** Sums of `requests` named as in the rollups, for the edges that no rollup covers. */
const RAW_COUNTS = `count() AS requests, countIf(status >= 400 AND status < 500) AS client_errors,
  countIf(status >= 500) AS server_errors`;

/** Counts of usage_* over the segments, as one subquery. */
export function usageRows(segments: readonly Segment[], keys: KeyFilter, columns: string): string {
  return union(
    segments,
    ({ tier }, span) => `SELECT ${columns} FROM usage_${tier} WHERE ${keys.sql} AND ${span('start')}`,
  );
}

/** The same columns made of raw rows, minute by minute, where conditions rule out every rollup. */
export function rawUsageRows(from: number, to: number, keys: KeyFilter): string {
  return `SELECT toStartOfMinute(timestamp) AS start, ${RAW_COUNTS},
      countIf(status >= 300 AND status < 400) AS redirects, countIf(requests.rate_limited) AS rate_limited,
      sum(requests.request_bytes) AS request_bytes, sum(requests.response_bytes) AS response_bytes, ${LATENCY_STATE} AS latency
    FROM requests WHERE ${keys.sql} AND timestamp >= toDateTime(${from}, 'UTC') AND timestamp < toDateTime(${to}, 'UTC')
    GROUP BY start`;
}

/** Counts of a dimension (endpoints, countries, statuses) over the segments, as one subquery. */
export function dimensionRows(
  table: 'endpoints' | 'countries' | 'statuses',
  segments: readonly Segment[],
  keys: KeyFilter,
  by: string,
): string {
  const latency = table === 'endpoints';
  return union(segments, ({ tier }, span) =>
    tier === 'minute'
      ? `SELECT ${by}, ${RAW_COUNTS}${latency ? `, ${LATENCY_STATE} AS latency` : ''} FROM requests
         WHERE ${keys.sql} AND ${span('timestamp')} GROUP BY ${by}`
      : `SELECT ${by}, requests, client_errors, server_errors${latency ? ', latency' : ''} FROM ${table}_${tier}
         WHERE ${keys.sql} AND ${span('start')}`,
  );
}

/**
 * One branch per tier: two edges of the same tier are one condition, because every branch of a union costs the engine more than
 * a millisecond before it reads a row. Bounds are whole numbers computed here, not input: they may stand in the text.
 */
function union(
  segments: readonly Segment[],
  select: (segment: Pick<Segment, 'tier'>, span: (column: string) => string) => string,
): string {
  return [...new Set(segments.map(({ tier }) => tier))]
    .map((tier) => {
      const spans = segments.filter((segment) => segment.tier === tier);
      return select({ tier }, (column) => `(${spans.map((span) => within(column, span)).join(' OR ')})`);
    })
    .join('\nUNION ALL\n');
}

function within(column: string, { from, to }: Segment): string {
  return `${column} >= toDateTime(${from}, 'UTC') AND ${column} < toDateTime(${to}, 'UTC')`;
}
