import type { Store } from '../../workers/clickhouse/store.ts';
import type { Range } from './calendar.ts';
import { segmentsOf } from './segments.ts';
import { type KeyFilter, usageRows } from './union.ts';
import { coarsestTier } from './usage-series.ts';

const COLUMNS = 'requests, redirects, client_errors, server_errors, rate_limited';
const SUMS = COLUMNS.split(', ')
  .map((name) => `sum(${name}) AS ${name}`)
  .join(', ');

/** Counts of one bucket of all keys together. */
export interface FleetCounts {
  requests: number;
  redirects: number;
  client_errors: number;
  server_errors: number;
  rate_limited: number;
}

const NOTHING: FleetCounts = { requests: 0, redirects: 0, client_errors: 0, server_errors: 0, rate_limited: 0 };

/**
 * Counts of many keys over time, zeros included. Without latency: merging the sketches of 100,000 keys costs a
 * hundred times the sums, and a percentile over unlike keys says little.
 */
export async function readFleetSeries(
  store: Store,
  range: Range,
  keys: KeyFilter,
): Promise<(FleetCounts & { start: string })[]> {
  const rows = usageRows(segmentsOf(range.from, range.rowsTo, coarsestTier(range)), keys, `start, ${COLUMNS}`);
  const found = await store.query<FleetCounts & { bucket: number }>(
    `SELECT roundDown(toUnixTimestamp(start), {starts:Array(UInt32)}) AS bucket, ${SUMS} FROM (${rows}) GROUP BY bucket`,
    { ...keys.params, starts: range.starts },
  );
  const byBucket = new Map(found.map(({ bucket, ...counts }) => [bucket, counts]));
  return range.starts.map((start) => ({
    start: new Date(start * 1000).toISOString(),
    ...(byBucket.get(start) ?? NOTHING),
  }));
}

export interface Sparkline {
  requests: number[];
  errors: number[];
}

/** Requests and failed requests of each key per bucket, for all keys of a page in one query. */
export async function readSparklines(
  store: Store,
  range: Range,
  keyIds: readonly string[],
): Promise<Map<string, Sparkline>> {
  const keys: KeyFilter = { sql: 'key_id IN {key_ids:Array(String)}', params: { key_ids: keyIds } };
  const segments = segmentsOf(range.from, range.rowsTo, coarsestTier(range));
  const rows = usageRows(segments, keys, 'key_id, start, requests, client_errors, server_errors');
  const found = await store.query<{ key_id: string; bucket: number; requests: number; errors: number }>(
    `SELECT key_id, roundDown(toUnixTimestamp(start), {starts:Array(UInt32)}) AS bucket,
            sum(requests) AS requests, sum(client_errors) + sum(server_errors) AS errors
     FROM (${rows}) GROUP BY key_id, bucket`,
    { ...keys.params, starts: range.starts },
  );
  const place = new Map(range.starts.map((start, index) => [start, index]));
  const empty = () => range.starts.map(() => 0);
  const lines = new Map(keyIds.map((keyId): [string, Sparkline] => [keyId, { requests: empty(), errors: empty() }]));
  for (const row of found) {
    const line = lines.get(row.key_id);
    const at = place.get(row.bucket);
    if (!line || at === undefined) continue;
    line.requests[at] = row.requests;
    line.errors[at] = row.errors;
  }
  return lines;
}
