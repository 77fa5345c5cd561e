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

/** Quantiles of single requests, their states, and quantiles of the states that every rollup keeps. */
export const LATENCY = 'quantilesDD(0.01, 0.5, 0.95, 0.99)(latency_ms)';
const LATENCY_STATE = 'quantilesDDState(0.01, 0.5, 0.95, 0.99)(latency_ms)';
export const LATENCY_MERGE = 'quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(latency)';

/** Sums of `requests` named as in the rollups. */
export const RAW_COUNTS = `count() AS requests, countIf(status >= 400 AND status < 500) AS client_errors,
  countIf(status >= 500) AS server_errors`;

/** Counts of usage_* over the segments, as one subquery. */
export function usageRows(segments: readonly Segment[], keys: KeyFilter, columns: string): string {
  return union(segments, ({ tier }, span) => [
    `SELECT ${columns} FROM usage_${tier} WHERE ${keys.sql} AND ${span('start')}`,
  ]);
}

/** Counts of a dimension (endpoints, countries, statuses) over the segments, as one subquery. */
export function dimensionRows(
  table: 'endpoints' | 'countries' | 'statuses',
  segments: readonly Segment[],
  keys: KeyFilter,
  by: string,
): string {
  const latency = table === 'endpoints';
  return union(segments, ({ tier }, span) => [
    tier === 'minute'
      ? `SELECT ${by}, ${RAW_COUNTS}${latency ? `, ${LATENCY_STATE} AS latency` : ''} FROM requests
         WHERE ${keys.sql} AND ${span('timestamp')} GROUP BY ${by}`
      : `SELECT ${by}, requests, client_errors, server_errors${latency ? ', latency' : ''} FROM ${table}_${tier}
         WHERE ${keys.sql} AND ${span('start')}`,
  ]);
}

/** Counts of countries and of statuses over the segments, as one subquery: `part` tells which, the other's column is empty. */
export function countryAndStatusRows(segments: readonly Segment[], keys: KeyFilter): string {
  return union(segments, ({ tier }, span) =>
    tier === 'minute'
      ? [
          `SELECT if(grouping(country) = 0, 'country', 'status') AS part, country, status, count() AS requests, countIf(status >= 400) AS errors
           FROM requests WHERE ${keys.sql} AND ${span('timestamp')} GROUP BY GROUPING SETS ((country), (status))`,
        ]
      : [
          `SELECT 'country' AS part, country, 0 AS status, requests, client_errors + server_errors AS errors
           FROM countries_${tier} WHERE ${keys.sql} AND ${span('start')}`,
          `SELECT 'status' AS part, '' AS country, status, requests, client_errors + server_errors AS errors
           FROM statuses_${tier} WHERE ${keys.sql} AND ${span('start')}`,
        ],
  );
}

/**
 * One branch per table: two edges of the same tier are one condition, because every branch of a union costs the engine
 * 3 ms, most of it before it reads a row.
 */
function union(
  segments: readonly Segment[],
  select: (segment: Pick<Segment, 'tier'>, span: (column: 'start' | 'timestamp') => string) => string[],
): string {
  return [...new Set(segments.map(({ tier }) => tier))]
    .flatMap((tier) => {
      const spans = segments.filter((segment) => segment.tier === tier);
      return select({ tier }, (column) => `(${spans.map((span) => between(column, span)).join(' OR ')})`);
    })
    .join('\nUNION ALL\n');
}

/**
 * Bounds are whole numbers computed here, not input: they may stand in the text. Beside `start`, whole seconds, as they are: a function
 * per bound is resolved before a row is read. Beside `timestamp`, milliseconds, bounds are of its own type: before a whole second the engine
 * (26.7) takes a part whose times all lie in the last second for one beyond the bound, and leaves it out.
 */
export function between(column: 'start' | 'timestamp', { from, to }: { from: number; to: number }): string {
  if (column === 'start') return `start >= ${from} AND start < ${to}`;
  return `${column} >= toDateTime64(${from}, 3, 'UTC') AND ${column} < toDateTime64(${to}, 3, 'UTC')`;
}
