/** In which of the last buckets the reports of everybody were missing: they say nothing about single keys. */
import type { Store } from '../../clickhouse/store.ts';
import { EVALUATION_SETTINGS } from './baselines.ts';
import { HISTORY_BUCKETS, hoursOf } from './key-history.ts';
import { isMissing, NEEDED_BUCKETS } from './platform-silence.ts';

const BUCKET_SECONDS = 300;
const HOUR_SECONDS = 3_600;

/** Starts of buckets, epoch seconds. */
export type MissingBuckets = ReadonlySet<number>;
export const NONE_MISSING: MissingBuckets = new Set();

/**
 * Runs of buckets without any request in which the alert of the platform says that reports are missing, and the bucket on either
 * side, which holds a part of its reports. Pure.
 * @param reported starts of buckets with requests, of [from, to)
 * @param expectedAt requests of everybody that one bucket of the hour of this time should have
 */
export function missingBuckets(
  reported: ReadonlySet<number>,
  { from, to }: { from: number; to: number },
  expectedAt: (seconds: number) => number,
): MissingBuckets {
  const missing = new Set<number>();
  let run: number[] = [];
  for (let start = from; start <= to; start += BUCKET_SECONDS) {
    if (start < to && !reported.has(start)) {
      run.push(start);
      continue;
    }
    const expected = run.reduce((sum, at) => sum + expectedAt(at), 0);
    if (isMissing(run.length, expected)) {
      for (const at of [run[0]! - BUCKET_SECONDS, ...run, start]) if (at >= from && at < to) missing.add(at);
    }
    run = [];
  }
  return missing;
}

/** Of the three hours before `atMs`. */
export async function readMissingBuckets(store: Store, atMs: number): Promise<MissingBuckets> {
  const to = atMs / 1000;
  const from = to - HISTORY_BUCKETS * BUCKET_SECONDS;
  const rows = await store.query<{ at: number }>(
    `SELECT DISTINCT toUnixTimestamp(start) AS at FROM traffic_buckets
     WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')`,
    { from, to },
    EVALUATION_SETTINGS,
  );
  if (rows.length > HISTORY_BUCKETS - NEEDED_BUCKETS) return NONE_MISSING;
  const expected = await readExpected(store, hoursOf(from, to));
  return missingBuckets(
    new Set(rows.map((row) => row.at)),
    { from, to },
    (at) => expected.get(at - (at % HOUR_SECONDS)) ?? 0,
  );
}

async function readExpected(store: Store, hours: readonly number[]): Promise<Map<number, number>> {
  const rows = await store.query<{ at: number; expected: number }>(
    `SELECT toUnixTimestamp(hour) AS at, sum(mean * growth) AS expected FROM alert_baselines FINAL
     WHERE hour IN (${hours.map((hour) => `toDateTime(${hour}, 'UTC')`).join(', ')}) AND rung != 'caps only' GROUP BY hour`,
    {},
    EVALUATION_SETTINGS,
  );
  return new Map(rows.map((row) => [row.at, row.expected]));
}
