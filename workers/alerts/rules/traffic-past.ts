/** Requests and errors of keys in the past, with the baselines that the evaluation would have had then. */
import type { Store } from '../../clickhouse/store.ts';
import {
  growth,
  type HourSample,
  median,
  type RequestBaseline,
  requestBaseline,
  rungFor,
  variance,
} from '../detectors/request-baseline.ts';
import { EVALUATION_SETTINGS, HOUR_SECONDS, sameHourOfWeeks, sampleHours } from '../evaluation/baselines.ts';
import { dayOf } from '../evaluation/days.ts';
import {
  type BucketCounts,
  HISTORY_BUCKETS,
  type HourBaseline,
  type KeyHistory,
  NO_COUNTS,
} from '../evaluation/key-history.ts';
import { BUCKET_SECONDS, endsEvery, type KeyPast, type ScopedKey, type Span } from './replay.ts';

const BUCKETS_PER_HOUR = 12;
const DAY_SECONDS = 86_400;
const HISTORY_DAYS = 28;
/** Six weeks of samples, and the buckets before the first judged one. */
const READ_DAYS = 42;

/** Counts of one key, bucket by bucket from `from` (epoch seconds, a full hour). */
export interface Counts {
  keyId: string;
  from: number;
  buckets: BucketCounts[];
  /** Epoch seconds of the first receipt. */
  trackedSince: number;
}

/** What is known of a key's traffic at any time of the span. */
export interface TrafficPast extends KeyPast {
  /** Whether anything was reported in the hour before. */
  isActiveAt(end: number): boolean;
  requestsAt(end: number): number;
  /** Requests that the bucket ending then was expected to hold; 0 while nothing is known of the key. */
  expectedAt(end: number): number;
}

export async function readTrafficPasts(store: Store, keys: readonly ScopedKey[], span: Span): Promise<TrafficPast[]> {
  return (await readCounts(store, keys, span)).map((counts) => trafficPastOf(counts, span));
}

export function trafficPastOf(counts: Counts, span: Span): TrafficPast {
  const baselines = new PastBaselines(counts);
  const bucketOf = (end: number) => (end - counts.from) / BUCKET_SECONDS - 1;
  const requestsAt = (end: number) => counts.buckets[bucketOf(end)]?.requests ?? 0;
  return {
    keyId: counts.keyId,
    ends: endsEvery(BUCKET_SECONDS, span),
    historyAt: (end) => baselines.historyAt(bucketOf(end)),
    requestsAt,
    isActiveAt: (end) =>
      Array.from({ length: BUCKETS_PER_HOUR }, (_, n) => requestsAt(end - n * BUCKET_SECONDS)).some((one) => one > 0),
    expectedAt: (end) => baselines.expectedAt(bucketOf(end)),
  };
}

async function readCounts(store: Store, keys: readonly ScopedKey[], { judgeFrom, to }: Span): Promise<Counts[]> {
  const from = judgeFrom - (judgeFrom % HOUR_SECONDS) - READ_DAYS * DAY_SECONDS;
  const pasts = new Map<string, Counts>(
    keys.map(({ key_id, since }) => {
      const buckets = Array.from({ length: (to - from) / BUCKET_SECONDS }, () => NO_COUNTS);
      return [key_id, { keyId: key_id, from, trackedSince: since, buckets }];
    }),
  );
  const rows = await store.query<{ key_id: string; n: number } & BucketCounts>(
    `SELECT key_id, intDiv(toUnixTimestamp(start) - {from:UInt32}, ${BUCKET_SECONDS}) AS n, sum(b.requests) AS requests, sum(b.server_errors) AS server_errors,
            sum(b.client_errors) AS client_errors, sum(b.refused) AS refused, sum(b.rate_limited) AS rate_limited
     FROM traffic_buckets AS b
     WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC') AND key_id IN {key_ids:Array(String)}
     GROUP BY key_id, start`,
    { from, to, key_ids: keys.map((key) => key.key_id) },
    EVALUATION_SETTINGS,
  );
  for (const { key_id, n, ...counts } of rows) pasts.get(key_id)!.buckets[n] = counts;
  return [...pasts.values()];
}

/** The baselines that the evaluation would have had, hour by hour. */
class PastBaselines {
  readonly #past: Counts;
  readonly #samples = new Map<number, HourSample>();
  readonly #baselines = new Map<number, RequestBaseline>();
  readonly #hours = new Map<number, HourBaseline>();
  readonly #spreads = new Map<number, number | undefined>();
  readonly #days = new Map<number, BucketCounts>();
  readonly #months = new Map<number, BucketCounts>();

  constructor(past: Counts) {
    this.#past = past;
  }

  historyAt(bucket: number): KeyHistory {
    const from = bucket - HISTORY_BUCKETS + 1;
    const buckets = this.#past.buckets.slice(from, bucket + 1);
    return { buckets, baselines: buckets.map((_, n) => this.#hour(from + n)) };
  }

  expectedAt(bucket: number): number {
    const { baseline, growth: factor } = this.#hour(bucket);
    return baseline.rung === 'caps only' ? 0 : baseline.mean * factor;
  }

  #hour(bucket: number): HourBaseline {
    const hour = this.#past.from + Math.floor(bucket / BUCKETS_PER_HOUR) * HOUR_SECONDS;
    let known = this.#hours.get(hour);
    if (!known) this.#hours.set(hour, (known = this.#make(hour)));
    return known;
  }

  #make(hour: number): HourBaseline {
    const lastDay = Array.from({ length: 24 }, (_, n) => hour - (n + 1) * HOUR_SECONDS).filter(
      (one) => one >= this.#past.from,
    );
    const pairs = lastDay
      .filter((one) => this.#baseline(one).rung !== 'caps only')
      .map((one) => ({
        requests: this.#sample(one).mean * BUCKETS_PER_HOUR,
        expected: this.#baseline(one).mean * BUCKETS_PER_HOUR,
      }));
    return {
      baseline: this.#baseline(hour),
      growth: pairs.length >= 6 ? growth(pairs) : 1,
      ageDays: (hour - this.#past.trackedSince) / DAY_SECONDS,
      p95sMs: [],
      usual: this.#usual(hour),
    };
  }

  #baseline(hour: number): RequestBaseline {
    let known = this.#baselines.get(hour);
    if (!known) {
      const rung = rungFor((hour - this.#past.trackedSince) / DAY_SECONDS);
      const { weeks, days, lastDay } = sampleHours(hour);
      const wanted = { 'caps only': [], 'last day': lastDay, 'hour of day': days, 'hour of week': weeks }[rung];
      const hours = wanted.filter((one) => one >= Math.max(this.#past.from, this.#past.trackedSince));
      known = requestBaseline(
        rung,
        hours.map((one) => this.#sample(one)),
        rung === 'hour of week' ? this.#usualSpread(hour) : 0,
      );
      this.#baselines.set(hour, known);
    }
    return known;
  }

  /** As the evaluation takes it: the median over the hours of the day before. */
  #usualSpread(hour: number): number {
    const hours = Array.from({ length: 24 }, (_, n) => hour - (n + 1) * HOUR_SECONDS);
    return median(hours.map((one) => this.#spread(one)).filter((one) => one !== undefined));
  }

  /** Variance between the weeks over the mean squared; undefined without any request. */
  #spread(hour: number): number | undefined {
    if (this.#spreads.has(hour)) return this.#spreads.get(hour);
    const weeks = sameHourOfWeeks(hour).filter((one) => one >= this.#past.from);
    const means = weeks.map((one) => this.#sample(one).mean);
    const mean = median(means);
    const spread = mean > 0 ? Math.max(0, variance(means) - mean / BUCKETS_PER_HOUR) / (mean * mean) : undefined;
    this.#spreads.set(hour, spread);
    return spread;
  }

  #sample(hour: number): HourSample {
    let known = this.#samples.get(hour);
    if (!known) {
      const first = (hour - this.#past.from) / BUCKET_SECONDS;
      const counts = Array.from({ length: BUCKETS_PER_HOUR }, (_, n) => this.#past.buckets[first + n]?.requests ?? 0);
      known = { mean: counts.reduce((sum, one) => sum + one, 0) / BUCKETS_PER_HOUR, variance: variance(counts) };
      this.#samples.set(hour, known);
    }
    return known;
  }

  /** What the 28 days before this one held. */
  #usual(hour: number): BucketCounts {
    const today = dayOf(hour);
    let known = this.#months.get(today);
    if (!known) {
      const days = Array.from({ length: HISTORY_DAYS }, (_, n) => this.#day(today - (n + 1) * DAY_SECONDS));
      this.#months.set(today, (known = sumOf(days)));
    }
    return known;
  }

  #day(day: number): BucketCounts {
    let known = this.#days.get(day);
    if (!known) {
      const first = Math.max(0, (day - this.#past.from) / BUCKET_SECONDS);
      const last = Math.max(0, (day + DAY_SECONDS - this.#past.from) / BUCKET_SECONDS);
      this.#days.set(day, (known = sumOf(this.#past.buckets.slice(first, last))));
    }
    return known;
  }
}

function sumOf(all: readonly BucketCounts[]): BucketCounts {
  const sums: BucketCounts = { ...NO_COUNTS };
  for (const one of all) {
    if (one.requests === 0) continue;
    for (const name of Object.keys(sums) as (keyof BucketCounts)[]) sums[name] += one[name];
  }
  return sums;
}
