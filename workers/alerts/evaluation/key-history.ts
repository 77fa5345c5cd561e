import { sketchValue } from '../../clickhouse/sketch-value.ts';
import type { Store } from '../../clickhouse/store.ts';
import type { LatencyBucket } from '../detectors/latency.ts';
import { type HourSample, type RequestBaseline, type Rung, requestBaseline } from '../detectors/request-baseline.ts';
import type { RateBucket } from '../detectors/request-rate.ts';
import type { ErrorScope } from '../rules/settings.ts';
import { EVALUATION_SETTINGS, HOUR_SECONDS } from './baselines.ts';
import type { Mixes } from './country-mix.ts';
import type { SeenCountries } from './new-country.ts';
import { BUCKET_MS } from './settled.ts';

/** Three hours: the longest window of the request rate. */
export const HISTORY_BUCKETS = 36;
const BUCKET_SECONDS = BUCKET_MS / 1000;
const CHUNK = 2_000;

/** Counts of one bucket by what is judged of it. */
export type BucketCounts = Record<ErrorScope | 'requests', number>;

export interface KeyHistory {
  /** Oldest first, without holes. */
  buckets: BucketCounts[];
  /** Baseline of each of these buckets' hours; undefined while nothing is known of the key. */
  baselines: (HourBaseline | undefined)[];
  /** Places of buckets in which the reports of everybody were missing. */
  missing?: ReadonlySet<number>;
  /** p95 of the last buckets, oldest first; read for the latency alone. */
  latencies?: LatencyBucket[];
  /** Countries, read for the new ones alone. */
  seen?: SeenCountries;
  /** Countries of the last hour and usual ones, read for their mix alone. */
  mixes?: Mixes;
}

export interface HourBaseline {
  baseline: RequestBaseline;
  growth: number;
  ageDays: number;
  p95sMs: number[];
  usual: BucketCounts;
}

const COUNTS = ['requests', 'server_errors', 'client_errors', 'refused', 'rate_limited'] as const;
export const NO_COUNTS: BucketCounts = { requests: 0, server_errors: 0, client_errors: 0, refused: 0, rate_limited: 0 };

/** Of a key of which no counts were read. */
export const noHistory = (): KeyHistory => ({ buckets: [], baselines: [] });

interface BucketRow {
  key_id: string;
  rows: [number, number, number, number, number, number][];
}

interface BaselineRow extends Record<`${(typeof COUNTS)[number]}_28d`, number> {
  key_id: string;
  at: number;
  rung: Rung;
  age_days: number;
  means: number[];
  variances: number[];
  usual_spread: number;
  growth: number;
  p95s: number[];
}

/** Hashes of the asked keys: `traffic_buckets` finds its rows by them without unpacking the texts. */
const HASHES = 'SELECT arrayJoin({key_ids:Array(String)}) AS key_id, sipHash64(key_id) AS key_hash';

/** Keys with these hashes (UInt64 as text) that sent something in the time from `from` to `to`, epoch seconds. */
export async function keyIdsOf(store: Store, hashes: readonly string[], from: number, to: number): Promise<string[]> {
  if (hashes.length === 0) return [];
  const rows = await store.query<{ key_id: string }>(
    `SELECT DISTINCT key_id FROM traffic_buckets
     WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')
       AND key_hash IN (SELECT toUInt64(arrayJoin({hashes:Array(String)})))`,
    { from, to, hashes },
    EVALUATION_SETTINGS,
  );
  return rows.map((row) => row.key_id);
}

/** The last three hours of these keys up to `atMs`, with what was expected of each bucket. */
export async function readHistories(
  store: Store,
  keyIds: readonly string[],
  atMs: number,
  missingBuckets: ReadonlySet<number> = new Set(),
): Promise<Map<string, KeyHistory>> {
  const to = atMs / 1000;
  const from = to - HISTORY_BUCKETS * BUCKET_SECONDS;
  const missing = new Set([...missingBuckets].map((start) => (start - from) / BUCKET_SECONDS));
  const histories = new Map<string, KeyHistory>();
  for (let at = 0; at < keyIds.length; at += CHUNK) {
    const key_ids = keyIds.slice(at, at + CHUNK);
    const hours = hoursOf(from, to);
    const baselines = await readBaselines(store, key_ids, hours);
    for (const keyId of key_ids) {
      const its = hours.map((hour) => baselines.get(`${hour} ${keyId}`));
      histories.set(keyId, {
        buckets: Array.from({ length: HISTORY_BUCKETS }, () => NO_COUNTS),
        baselines: Array.from(
          { length: HISTORY_BUCKETS },
          (_, n) => its[hours.indexOf(hourOf(from + n * BUCKET_SECONDS))],
        ),
        missing,
      });
    }
    const rows = await store.query<BucketRow>(
      `SELECT k.key_id AS key_id, groupArray((n, requests, server_errors, client_errors, refused, rate_limited)) AS rows
       FROM (SELECT key_hash, intDiv(toUnixTimestamp(start) - {from:UInt32}, ${BUCKET_SECONDS}) AS n, ${COUNTS.map((name) => `sum(b.${name}) AS ${name}`).join(', ')}
             FROM traffic_buckets AS b
             PREWHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC') AND key_hash IN (SELECT key_hash FROM (${HASHES}))
             GROUP BY key_hash, start) AS b
       INNER JOIN (${HASHES}) AS k ON k.key_hash = b.key_hash GROUP BY key_id`,
      { from, to, key_ids },
      EVALUATION_SETTINGS,
    );
    for (const row of rows) fill(histories.get(row.key_id)!, row);
  }
  return histories;
}

function fill(history: KeyHistory, { rows }: BucketRow): void {
  for (const [n, requests, server_errors, client_errors, refused, rate_limited] of rows) {
    history.buckets[n] = { requests, server_errors, client_errors, refused, rate_limited };
  }
}

const hourOf = (seconds: number): number => seconds - (seconds % HOUR_SECONDS);

/** Whole hours that [from, to) touches, ascending. */
export function hoursOf(from: number, to: number): number[] {
  const hours: number[] = [];
  for (let hour = hourOf(from); hour < to; hour += HOUR_SECONDS) hours.push(hour);
  return hours;
}

async function readBaselines(
  store: Store,
  key_ids: readonly string[],
  hours: readonly number[],
): Promise<Map<string, HourBaseline>> {
  const rows = await store.query<BaselineRow>(
    `SELECT key_id, toUnixTimestamp(hour) AS at, rung, age_days, means, variances, usual_spread, growth, p95s,
            ${COUNTS.map((name) => `${name}_28d`).join(', ')}
     FROM alert_baselines FINAL
     WHERE hour IN (${hours.map((hour) => `toDateTime(${hour}, 'UTC')`).join(', ')}) AND key_id IN {key_ids:Array(String)}`,
    { key_ids },
    EVALUATION_SETTINGS,
  );
  return new Map(rows.map((row) => [`${row.at} ${row.key_id}`, hourBaseline(row)]));
}

function hourBaseline(row: BaselineRow): HourBaseline {
  const samples: HourSample[] = row.means.map((mean, n) => ({ mean, variance: row.variances[n]! }));
  return {
    baseline: requestBaseline(row.rung, samples, row.usual_spread),
    growth: row.growth,
    ageDays: row.age_days,
    p95sMs: row.p95s,
    usual: {
      requests: row.requests_28d,
      server_errors: row.server_errors_28d,
      client_errors: row.client_errors_28d,
      refused: row.refused_28d,
      rate_limited: row.rate_limited_28d,
    },
  };
}

const UNKNOWN: RequestBaseline = requestBaseline('caps only', []);

/** Buckets as the request rate and the silence detectors take them. */
export function rateBuckets({ buckets, baselines }: KeyHistory): RateBucket[] {
  return buckets.map(({ requests }, n) => {
    const known = baselines[n];
    return { requests, baseline: known?.baseline ?? UNKNOWN, growth: known?.growth ?? 1 };
  });
}

/** Those of them that say something about the key: what nobody reported is no verdict. */
export function reportedBuckets(history: KeyHistory): RateBucket[] {
  return rateBuckets(history).filter((_, n) => !history.missing?.has(n));
}

/** Buckets whose latency is judged together, and a few before them for the picture. */
export const LATENCY_BUCKETS = 12;

/** Adds the p95 of the last hour's buckets to the histories. */
export async function addLatencies(
  store: Store,
  histories: ReadonlyMap<string, KeyHistory>,
  atMs: number,
): Promise<void> {
  const to = atMs / 1000;
  const from = to - LATENCY_BUCKETS * BUCKET_SECONDS;
  const keyIds = [...histories.keys()];
  for (let at = 0; at < keyIds.length; at += CHUNK) {
    const rows = await store.query<{ key_id: string; n: number; timed: number; p95: number | null }>(
      `SELECT k.key_id AS key_id, n, timed, p95
       FROM (SELECT key_hash, intDiv(toUnixTimestamp(start) - {from:UInt32}, ${BUCKET_SECONDS}) AS n, sum(b.timed) AS timed,
                    quantileDDMerge(0.01, 0.95)(latency) AS p95
             FROM traffic_buckets AS b
             PREWHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC') AND key_hash IN (SELECT key_hash FROM (${HASHES}))
             GROUP BY key_hash, start) AS b
       INNER JOIN (${HASHES}) AS k ON k.key_hash = b.key_hash`,
      { from, to, key_ids: keyIds.slice(at, at + CHUNK) },
      EVALUATION_SETTINGS,
    );
    for (const { key_id, n, timed, p95 } of rows) {
      const history = histories.get(key_id)!;
      history.latencies ??= Array.from({ length: LATENCY_BUCKETS }, () => ({ requests: 0, p95Ms: 0 }));
      history.latencies[n] = { requests: timed, p95Ms: sketchValue(p95 ?? 0) };
    }
  }
}
