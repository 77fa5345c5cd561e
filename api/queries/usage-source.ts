import { sketchValue } from '../../workers/clickhouse/sketch-value.ts';
import type { Settings, Store } from '../../workers/clickhouse/store.ts';

/** Rows of a breakdown at most; the tail beyond it is in the totals. */
export const MAX_BREAKDOWN_ROWS = 300;

/**
 * Settings of statements about one key. The embedded engine shares its processors with all the rest, and several statements of an answer
 * run at once: splitting the few thousand rows of each among threads took 5 to 15 % more CPU and no less time.
 */
export function oneKeySettings(store: Store): Settings {
  return store.embedded ? { max_threads: 1 } : {};
}

/** Counts and latency states of a rollup row, as they are read from every tier of `usage_*`. */
export const USAGE_COLUMNS =
  'requests, redirects, client_errors, server_errors, rate_limited, request_bytes, response_bytes, latency';

export interface Latency {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** Counts of one bucket. */
export interface Counts {
  requests: number;
  redirects: number;
  client_errors: number;
  server_errors: number;
  rate_limited: number;
  latency_ms: Latency;
}

/** Counts of a whole range. */
export interface Totals extends Counts {
  error_rate: number;
  request_bytes: number;
  response_bytes: number;
}

/** Sums as the engine answers them; the quantiles are those of {@link latencyOf}. */
export interface SumRow extends Omit<Totals, 'latency_ms' | 'error_rate'> {
  latency: (number | null)[];
}

/** Quantiles as an answer: microsecond precision, null when no request reported a latency. */
export function latencyOf(quantiles: (number | null)[] | undefined): Latency {
  const [p50, p95, p99] = (quantiles ?? []).map((value) =>
    value === null ? null : Math.round(sketchValue(value) * 1000) / 1000,
  );
  return { p50: p50 ?? null, p95: p95 ?? null, p99: p99 ?? null };
}

function countsOf(row: SumRow | undefined): Counts {
  return {
    requests: row?.requests ?? 0,
    redirects: row?.redirects ?? 0,
    client_errors: row?.client_errors ?? 0,
    server_errors: row?.server_errors ?? 0,
    rate_limited: row?.rate_limited ?? 0,
    latency_ms: latencyOf(row?.latency),
  };
}

export function totalsOf(row: SumRow | undefined): Totals {
  const counts = countsOf(row);
  return {
    ...counts,
    error_rate: errorRate(counts.requests, counts.client_errors + counts.server_errors),
    request_bytes: row?.request_bytes ?? 0,
    response_bytes: row?.response_bytes ?? 0,
  };
}

export function errorRate(requests: number, errors: number): number {
  return requests === 0 ? 0 : errors / requests;
}

/** Every bucket of the range, those without a request as zeros. */
export function seriesOf(
  starts: readonly number[],
  rows: Iterable<SumRow & { bucket: number }>,
): (Counts & { start: string })[] {
  const byBucket = new Map(Array.from(rows, (row) => [row.bucket, row]));
  return starts.map((start) => ({ start: new Date(start * 1000).toISOString(), ...countsOf(byBucket.get(start)) }));
}
