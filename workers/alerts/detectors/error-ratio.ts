/**
 * Do more requests of this key fail than usual? The lower end of Wilson's interval for the ratio (Wilson 1927) must lie above
 * the usual ratio times three and above 5 %, so that 2 errors of 2 requests say little and 200 of 2,000 a lot. Judged per
 * bucket (two of three), and over a quarter, half and a full hour for keys with few requests.
 */
import type { Level } from '../state.ts';
import { BUCKET_MINUTES } from './request-baseline.ts';

export interface ErrorBucket {
  requests: number;
  errors: number;
}

export interface ErrorVerdict {
  level: Level;
  windowMinutes: number;
  requests: number;
  errors: number;
  ratio: number;
  /** Lower bound of the ratio. */
  lowerBound: number;
  /** The bound it had to exceed. */
  threshold: number;
  usualRatio: number;
  baselineSpan: string;
}

export interface ErrorSettings {
  /** Owner's floor; errors below this share never page. */
  minRatio: number;
  timesUsual: number;
  minErrors: number;
}

const ERROR_SETTINGS: ErrorSettings = { minRatio: 0.05, timesUsual: 3, minErrors: 5 };

const BUCKET_Z = 3;
/** Sums need no second bucket to agree, so they ask for more certainty. */
const WINDOWS = [
  { buckets: 3, z: 3.75 },
  { buckets: 6, z: 3.75 },
  { buckets: 12, z: 3.75 },
] as const;
/** Five errors can be one caller's retries; a sum waits for a sixth. */
const SUM_EXTRA_ERRORS = 1;
const NEEDED = 2;
const OF_LAST = 3;
const EXIT_SHARE = 0.7;
/** Errors and requests assumed before any history: one error in fifty. */
const PRIOR_ERRORS = 1;
const PRIOR_REQUESTS = 50;

/** Lower end of Wilson's score interval for a proportion. */
export function wilsonLowerBound(errors: number, requests: number, z: number): number {
  if (requests === 0) return 0;
  const ratio = errors / requests;
  const square = (z * z) / requests;
  const margin = z * Math.sqrt((ratio * (1 - ratio)) / requests + square / (4 * requests));
  return Math.max(0, (ratio + square / 2 - margin) / (1 + square));
}

/** Usual ratio of errors from the last weeks, with a weak prior. */
export function usualErrorRatio(errors: number, requests: number): number {
  return (errors + PRIOR_ERRORS) / (requests + PRIOR_REQUESTS);
}

/** @param recent settled buckets, oldest first, up to an hour */
export function judgeErrorRatio(
  recent: readonly ErrorBucket[],
  usualRatio: number,
  baselineSpan: string,
  settings: ErrorSettings = ERROR_SETTINGS,
): ErrorVerdict {
  const threshold = Math.min(0.9, Math.max(settings.minRatio, settings.timesUsual * usualRatio));
  const verdict = (buckets: readonly ErrorBucket[], z: number): ErrorVerdict => {
    const requests = buckets.reduce((sum, one) => sum + one.requests, 0);
    const errors = buckets.reduce((sum, one) => sum + one.errors, 0);
    const lowerBound = wilsonLowerBound(errors, requests, z);
    const breach = errors >= settings.minErrors && lowerBound > threshold;
    const level: Level = breach ? 'breach' : lowerBound > EXIT_SHARE * threshold ? 'hold' : 'clear';
    const ratio = requests > 0 ? errors / requests : 0;
    return {
      level,
      windowMinutes: buckets.length * BUCKET_MINUTES,
      requests,
      errors,
      ratio,
      lowerBound,
      threshold,
      usualRatio,
      baselineSpan,
    };
  };
  const now = verdict(recent.slice(-1), BUCKET_Z);
  const breaching = recent.slice(-OF_LAST).filter((one) => verdict([one], BUCKET_Z).level === 'breach').length;
  if (now.level === 'breach' && breaching >= NEEDED) return now;
  let holding = now.level === 'clear' ? undefined : now;
  for (const { buckets, z } of WINDOWS) {
    // A sum is judged only while errors still arrive: the hour after an incident must not open a second one.
    if (recent.length < buckets || now.errors === 0) continue;
    const sum = verdict(recent.slice(-buckets), z);
    if (sum.level === 'breach' && sum.errors >= settings.minErrors + SUM_EXTRA_ERRORS) return sum;
    if (sum.level !== 'clear') holding ??= sum;
  }
  return { ...(holding ?? now), level: holding ? 'hold' : 'clear' };
}
