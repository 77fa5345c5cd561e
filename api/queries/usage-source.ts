import type { Range } from './calendar.ts';
import { segmentsOf, type Tier } from './segments.ts';
import {
  both,
  dimensionRows,
  type KeyFilter,
  type RequestConditions,
  rawUsageRows,
  requestCondition,
  usageRows,
} from './union.ts';

/** Rows of a breakdown at most; the tail beyond it is in the totals. */
export const MAX_BREAKDOWN_ROWS = 300;

const COLUMNS =
  'requests, redirects, client_errors, server_errors, rate_limited, request_bytes, response_bytes, latency';
export const ERROR_RATE = 'if(requests = 0, 0, (sum(client_errors) + sum(server_errors)) / requests) AS error_rate';

/** Where the rows of an answer come from: rollups, or raw rows when conditions join several dimensions. */
export interface Source {
  /** Subquery of counts with `start`, over [from, to). */
  counts(from: number, to: number, coarsest: Tier): string;
  /** Subquery of counts per dimension. */
  dimension(table: 'endpoints' | 'countries' | 'statuses', range: Range, by: string): string;
  params: KeyFilter['params'];
}

export function rollups(keys: KeyFilter): Source {
  return {
    counts: (from, to, coarsest) => usageRows(segmentsOf(from, to, coarsest), keys, `start, ${COLUMNS}`),
    dimension: (table, { from, rowsTo }, by) => dimensionRows(table, segmentsOf(from, rowsTo, 'day'), keys, by),
    params: keys.params,
  };
}

export function rawRows(keys: KeyFilter, conditions: Partial<RequestConditions>): Source {
  const matching = both(keys, requestCondition(conditions));
  return {
    counts: (from, to) => rawUsageRows(from, to, matching),
    dimension: (table, { from, to }, by) => dimensionRows(table, [{ tier: 'minute', from, to }], matching, by),
    params: matching.params,
  };
}

export interface Latency {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** Quantiles as an answer: microsecond precision, null when no request reported a latency. */
export function latencyOf(quantiles: (number | null)[] | undefined): Latency {
  const [p50, p95, p99] = (quantiles ?? []).map((value) => (value === null ? null : Math.round(value * 1000) / 1000));
  return { p50: p50 ?? null, p95: p95 ?? null, p99: p99 ?? null };
}
