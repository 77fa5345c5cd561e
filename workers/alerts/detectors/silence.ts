/**
 * Has this key fallen silent? The chance that nothing at all arrives since the last request, were all as usual: a sum of
 * requests with mean m and variance phi m is zero with probability phi^(-m / (phi - 1)) (negative binomial; e^-m as phi -> 1).
 */
import type { Level } from '../state.ts';
import { BUCKET_MINUTES, BUCKETS_PER_HOUR } from './request-baseline.ts';
import type { RateBucket } from './request-rate.ts';

export interface SilenceVerdict {
  level: Level;
  silentMinutes: number;
  /** Requests that were expected meanwhile. */
  expected: number;
  /** -ln of the probability of such a silence. */
  nats: number;
  /** What `nats` must exceed for a silence of this length. */
  threshold: number;
  baselineSpan: string;
}

/** e^-13.5: one such silence of an hour in 730,000 chances. */
const HOUR_NATS = 13.5;
/**
 * A silence half as long has twice the chances, and its probability rests on half as many buckets of a variance that is
 * estimated, not known: it must be stranger by twice ln 2.
 */
const NATS_PER_LOG_LENGTH = 2;

/** Threshold for a silence of so many buckets. */
export const silenceThreshold = (buckets: number): number =>
  HOUR_NATS - NATS_PER_LOG_LENGTH * Math.log(Math.max(1, buckets) / BUCKETS_PER_HOUR);

/** A young key has too few weeks to know its own pauses. */
const MIN_AGE_DAYS = 14;

/**
 * @param recent settled buckets, oldest first; the silent run is counted from the newest backwards
 * @param ageDays age of the key; expired, revoked and paused keys must not be asked about at all
 */
export function judgeSilence(recent: readonly RateBucket[], ageDays: number): SilenceVerdict {
  let start = recent.length;
  while (start > 0 && recent[start - 1]!.requests === 0) start--;
  const run = recent.slice(start);
  const baselineSpan = recent.at(-1)?.baseline.span ?? 'no history yet';
  const silentMinutes = run.length * BUCKET_MINUTES;
  const threshold = silenceThreshold(run.length);
  if (run.length === 0 || ageDays < MIN_AGE_DAYS) {
    return { level: 'clear', silentMinutes, expected: 0, nats: 0, threshold, baselineSpan };
  }
  const { expected, dispersion } = runOf(run);
  const nats = silenceNats(expected, dispersion);
  return { level: nats > threshold ? 'breach' : 'hold', silentMinutes, expected, nats, threshold, baselineSpan };
}

/**
 * Mean and variance / mean of a run of buckets. What an hour's mean varies by from week to week holds the chance of single requests
 * (a twelfth of the mean), which is in the noise of the buckets already: counted twice it would hide the outages of slow keys.
 * The noise of the buckets stays in full, for keys that send once an hour.
 */
function runOf(run: readonly RateBucket[]): { expected: number; dispersion: number } {
  let [expected, noise, deviation] = [0, 0, 0];
  for (const { baseline, growth } of run) {
    expected += baseline.mean * growth;
    noise += baseline.within * baseline.mean * growth;
    deviation += Math.sqrt(Math.max(0, baseline.between - baseline.mean / BUCKETS_PER_HOUR)) * growth;
  }
  return { expected, dispersion: Math.max(1, (noise + deviation * deviation) / Math.max(expected, 0.05)) };
}

/** -ln P(no request) for a negative binomial with this mean and variance / mean. */
export function silenceNats(mean: number, dispersion: number): number {
  return dispersion < 1.001 ? mean : (mean * Math.log(dispersion)) / (dispersion - 1);
}
