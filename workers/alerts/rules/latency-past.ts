/** How fast the answers of keys were in the past, beside the same hours of earlier weeks. */
import { sketchValue, sketchValueSql } from '../../clickhouse/sketch-value.ts';
import type { Store } from '../../clickhouse/store.ts';
import type { LatencyBucket } from '../detectors/latency.ts';
import { requestBaseline } from '../detectors/request-baseline.ts';
import { EVALUATION_SETTINGS, HOUR_SECONDS, sameHourOfWeeks } from '../evaluation/baselines.ts';
import { type KeyHistory, LATENCY_BUCKETS, NO_COUNTS } from '../evaluation/key-history.ts';
import { MIN_TIMED } from '../evaluation/latency-hours.ts';
import { BUCKET_SECONDS, endsEvery, type KeyPast, type ScopedKey, type Span } from './replay.ts';

const WEEKS_SECONDS = 42 * 86_400;
const NO_REQUESTS: LatencyBucket = { requests: 0, p95Ms: 0 };
const UNKNOWN = requestBaseline('caps only', []);

/**
 * The evaluation keeps the sketches of five minutes for three days only; here they come from `usage_minute`, and every request
 * counts as timed, because those rollups do not say how many were.
 */
export async function readLatencyPasts(store: Store, keys: readonly ScopedKey[], span: Span): Promise<KeyPast[]> {
  const [buckets, hours] = await Promise.all([readBuckets(store, keys, span), readHours(store, keys, span)]);
  const ends = endsEvery(BUCKET_SECONDS, span);
  return keys.map(({ key_id: keyId }) => {
    const its = { buckets: buckets.get(keyId) ?? new Map(), hours: hours.get(keyId) ?? new Map() };
    return { keyId, ends, historyAt: (end) => historyAt(end, its) };
  });
}

interface OfKey {
  buckets: ReadonlyMap<number, LatencyBucket>;
  hours: ReadonlyMap<number, number>;
}

function historyAt(end: number, { buckets, hours }: OfKey): KeyHistory {
  const newest = end - BUCKET_SECONDS;
  const p95sMs = sameHourOfWeeks(newest - (newest % HOUR_SECONDS)).flatMap((hour) => hours.get(hour) ?? []);
  return {
    buckets: [],
    baselines: [{ baseline: UNKNOWN, growth: 1, ageDays: 0, p95sMs, usual: NO_COUNTS }],
    latencies: Array.from(
      { length: LATENCY_BUCKETS },
      (_, n) => buckets.get(end - (LATENCY_BUCKETS - n) * BUCKET_SECONDS) ?? NO_REQUESTS,
    ),
  };
}

/** Values by time, by key. */
function byKey<Row extends { key_id: string; at: number }, Value>(rows: readonly Row[], read: (row: Row) => Value) {
  const all = new Map<string, Map<number, Value>>();
  for (const row of rows) {
    let its = all.get(row.key_id);
    if (!its) all.set(row.key_id, (its = new Map()));
    its.set(row.at, read(row));
  }
  return all;
}

const P95 = 'quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(latency)[2]';

async function readBuckets(store: Store, keys: readonly ScopedKey[], { judgeFrom, to }: Span) {
  const rows = await store.query<{ key_id: string; at: number; n: number; p95: number | null }>(
    `SELECT key_id, toUnixTimestamp(toStartOfFiveMinutes(start)) AS at, sum(m.requests) AS n, ${P95} AS p95
     FROM usage_minute AS m
     WHERE key_id IN {key_ids:Array(String)} AND start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')
     GROUP BY key_id, at`,
    { key_ids: keys.map((key) => key.key_id), from: judgeFrom - LATENCY_BUCKETS * BUCKET_SECONDS, to },
    EVALUATION_SETTINGS,
  );
  return byKey(rows, ({ n, p95 }): LatencyBucket => ({ requests: n, p95Ms: sketchValue(p95 ?? 0) }));
}

/** p95 of whole hours with enough requests. */
async function readHours(store: Store, keys: readonly ScopedKey[], { judgeFrom, to }: Span) {
  const rows = await store.query<{ key_id: string; at: number; p95: number }>(
    `SELECT key_id, toUnixTimestamp(toStartOfHour(start)) AS at, toFloat32(${sketchValueSql(`ifNull(${P95}, 0)`)}) AS p95
     FROM usage_quarter_hour AS q
     WHERE key_id IN {key_ids:Array(String)} AND start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')
     GROUP BY key_id, at HAVING sum(q.requests) >= ${MIN_TIMED} AND p95 > 0`,
    { key_ids: keys.map((key) => key.key_id), from: judgeFrom - (judgeFrom % HOUR_SECONDS) - WEEKS_SECONDS, to },
    EVALUATION_SETTINGS,
  );
  return byKey(rows, ({ p95 }) => p95);
}
