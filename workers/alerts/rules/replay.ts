/**
 * One key's past judged window by window, with the detectors and the state machine of the evaluation: what a rule would have
 * said. Pure: counts per five minutes in, openings out.
 */
import type { AlertKind } from '../alert.ts';
import {
  growth,
  type HourSample,
  median,
  type RequestBaseline,
  requestBaseline,
  rungFor,
  variance,
} from '../detectors/request-baseline.ts';
import { HOUR_SECONDS, sampleHours } from '../evaluation/baselines.ts';
import { noFacts } from '../evaluation/key-facts.ts';
import {
  type BucketCounts,
  HISTORY_BUCKETS,
  type HourBaseline,
  type KeyHistory,
  NO_COUNTS,
} from '../evaluation/key-history.ts';
import type { KindEvaluation } from '../evaluation/kind.ts';
import { type AlertState, advance, initialState } from '../state.ts';
import { type Effective, policyOf } from './rule.ts';

const BUCKET_SECONDS = 300;
const BUCKETS_PER_HOUR = 12;
const DAY_SECONDS = 86_400;
const HISTORY_DAYS = 28;

/** Counts of one key, bucket by bucket from `from` (epoch seconds, a full hour). */
export interface KeyPast {
  keyId: string;
  from: number;
  buckets: readonly BucketCounts[];
  /** Epoch seconds of the first receipt. */
  trackedSince: number;
}

export interface Fired {
  key_id: string;
  scope: string;
  at: string;
  ended_at: string | null;
  severity: string;
  summary: string;
}

/** Openings that people would have been told of in [judgeFrom, end of the past). */
export function replayKey(
  kind: KindEvaluation,
  past: KeyPast,
  effective: Effective<AlertKind>,
  judgeFrom: number,
): Fired[] {
  const baselines = new PastBaselines(past);
  const states = new Map<string, AlertState>();
  const open = new Map<string, Fired>();
  const fired: Fired[] = [];
  const first = Math.max(HISTORY_BUCKETS, Math.floor((judgeFrom - past.from) / BUCKET_SECONDS));
  for (let bucket = first; bucket < past.buckets.length; bucket++) {
    const atMs = (past.from + (bucket + 1) * BUCKET_SECONDS) * 1000;
    const history = baselines.historyAt(bucket);
    for (const one of kind.judge({ keyId: past.keyId, facts: noFacts(past.keyId), history, effective, atMs })) {
      const severity = effective.severity ?? one.severity;
      const before = states.get(one.scope) ?? initialState();
      const { next, reason } = advance(before, { atMs, level: one.level, severity }, policyOf(effective, severity));
      states.set(one.scope, next);
      if (reason === 'opened') {
        const opening: Fired = {
          key_id: past.keyId,
          scope: one.scope,
          at: new Date(atMs).toISOString(),
          ended_at: null,
          severity,
          summary: one.describe().summary,
        };
        fired.push(opening);
        open.set(one.scope, opening);
      }
      const ending = open.get(one.scope);
      if (ending && next.phase === 'resolved') {
        ending.ended_at = new Date(atMs).toISOString();
        open.delete(one.scope);
      }
    }
  }
  return fired;
}

/** The baselines that the evaluation would have had, hour by hour. */
class PastBaselines {
  readonly #past: KeyPast;
  readonly #samples = new Map<number, HourSample>();
  readonly #baselines = new Map<number, RequestBaseline>();
  readonly #hours = new Map<number, HourBaseline>();

  constructor(past: KeyPast) {
    this.#past = past;
  }

  historyAt(bucket: number): KeyHistory {
    const from = bucket - HISTORY_BUCKETS + 1;
    const buckets = this.#past.buckets.slice(from, bucket + 1);
    return { buckets, baselines: buckets.map((_, n) => this.#hour(from + n)) };
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
    const pairs = lastDay.map((one) => ({
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
    const found: number[] = [];
    for (let back = 1; back <= 24; back++) {
      const means = sampleHours(hour - back * HOUR_SECONDS)
        .weeks.filter((one) => one >= this.#past.from)
        .map((one) => this.#sample(one).mean);
      const mean = median(means);
      if (mean > 0) found.push(Math.max(0, variance(means) - mean / BUCKETS_PER_HOUR) / (mean * mean));
    }
    return median(found);
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

  readonly #daily = new Map<number, BucketCounts>();

  #usual(hour: number): BucketCounts {
    const today = hour - (hour % DAY_SECONDS);
    const known = this.#daily.get(today);
    if (known) return known;
    const to = Math.max(0, Math.floor((today - this.#past.from) / BUCKET_SECONDS));
    const from = Math.max(0, to - (HISTORY_DAYS * DAY_SECONDS) / BUCKET_SECONDS);
    const sums: BucketCounts = { ...NO_COUNTS };
    for (let at = from; at < to; at++) {
      const one = this.#past.buckets[at]!;
      for (const name of Object.keys(sums) as (keyof BucketCounts)[]) sums[name] += one[name];
    }
    this.#daily.set(today, sums);
    return sums;
  }
}
