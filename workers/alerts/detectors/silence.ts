/**
 * Has this key fallen silent? The chance that nothing at all arrives since the last request, were all as usual: a sum of
 * requests with mean m and variance phi m is zero with probability phi^(-m / (phi - 1)) (negative binomial; e^-m as phi -> 1).
 */
import type { Level } from '../state.ts';
import { BUCKET_MINUTES } from './request-baseline.ts';
import { countWindow, type RateBucket } from './request-rate.ts';

export interface SilenceVerdict {
  level: Level;
  silentMinutes: number;
  /** Requests that were expected meanwhile. */
  expected: number;
  /** -ln of the probability of such a silence. */
  nats: number;
  baselineSpan: string;
}

/** e^-12: one such silence in 160,000 chances. */
export const SILENCE_NATS = 12;
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
  if (run.length === 0 || ageDays < MIN_AGE_DAYS) {
    return { level: 'clear', silentMinutes: run.length * BUCKET_MINUTES, expected: 0, nats: 0, baselineSpan };
  }
  const { expected, dispersion } = countWindow(run);
  const nats = silenceNats(expected, dispersion);
  return {
    level: nats > SILENCE_NATS ? 'breach' : 'hold',
    silentMinutes: run.length * BUCKET_MINUTES,
    expected,
    nats,
    baselineSpan,
  };
}

/** -ln P(no request) for a negative binomial with this mean and variance / mean. */
export function silenceNats(mean: number, dispersion: number): number {
  return dispersion < 1.001 ? mean : (mean * Math.log(dispersion)) / (dispersion - 1);
}
