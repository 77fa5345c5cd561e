/**
 * Is this key sending far more or far less than at this hour of other weeks? Counts over one bucket (twice in three), a quarter
 * of an hour, an hour and three hours, each as a score that is normal for a negative binomial count (see `countScore`).
 */
import type { Level } from '../state.ts';
import { BUCKET_MINUTES, type RequestBaseline } from './request-baseline.ts';

/** One settled bucket with what was expected of it. */
export interface RateBucket {
  requests: number;
  baseline: RequestBaseline;
  /** Growth of the key, 0.5..2 (see `growth`). */
  growth: number;
}

export interface RateVerdict {
  level: Level;
  direction: 'spike' | 'drop' | null;
  /** Score of the window that speaks loudest. */
  z: number;
  windowMinutes: number;
  value: number;
  expected: number;
  baselineSpan: string;
  /** Too few requests to wake anyone: belongs into the digest. */
  digestOnly: boolean;
}

interface WindowRule {
  buckets: number;
  z: number;
}

/** The longer the window, the more tests share it and the slower weeks differ; figures in docs/detectors.md. */
export const RATE_WINDOWS: readonly WindowRule[] = [
  { buckets: 3, z: 6.25 },
  { buckets: 12, z: 5.75 },
  { buckets: 36, z: 5.25 },
];
export const SINGLE_Z = 5;
const SINGLE_OF = 3;
const SINGLE_NEEDED = 2;
/** Below this share of the entry threshold a window no longer holds an open alert (4 -> 2.5). */
const EXIT_SHARE = 0.625;
/** A key a few days old must be half again as strange. */
const YOUNG_FACTOR = 1.5;
const PAGE_REQUESTS = 20;

export interface RateSettings {
  /** 1 = the thresholds as measured; 2 = everything must be twice as strange. */
  thresholdFactor: number;
  /** Fewer requests, seen or expected, wake nobody. */
  minRequests: number;
}

const RATE_SETTINGS: RateSettings = { thresholdFactor: 1, minRequests: PAGE_REQUESTS };

export interface CountWindow {
  requests: number;
  expected: number;
  /** Variance / mean of the sum. */
  dispersion: number;
  z: number;
}

/**
 * Adds buckets up. Noise inside an hour is independent from bucket to bucket; a week that is busier than others is busier in
 * every bucket, so its standard deviations add before they are squared.
 */
export function countWindow(buckets: readonly RateBucket[]): CountWindow {
  let requests = 0;
  let expected = 0;
  let inside = 0;
  let deviation = 0;
  for (const one of buckets) {
    requests += one.requests;
    expected += one.baseline.mean * one.growth;
    inside += one.baseline.within * one.baseline.mean * one.growth;
    deviation += Math.sqrt(one.baseline.between) * one.growth;
  }
  const dispersion = Math.max(1, (inside + deviation * deviation) / Math.max(expected, 0.05));
  return { requests, expected, dispersion, z: countScore(requests, expected, dispersion) };
}

/**
 * Standard score of a count with mean m and variance phi m. The power p that takes the skewness out of a negative binomial is
 * (1 + 1/phi) / 3: Anscombe's 2/3 for a Poisson count, Wilson and Hilferty's 1/3 (1931) for a gamma. Plain square roots call
 * ordinary bursts of unsteady keys outliers and miss their outages.
 */
export function countScore(requests: number, mean: number, dispersion: number): number {
  const m = Math.max(mean, 0.01);
  const power = (1 + 1 / dispersion) / 3;
  const spread = Math.sqrt(dispersion / m);
  // Half a request towards the mean: a count stands for the whole step around it.
  const x = requests > m ? Math.max(m, requests - 0.5) : Math.min(m, requests + 0.5);
  return ((x / m) ** power - 1 + (power * (1 - power) * spread * spread) / 2) / (power * spread);
}

/** @param recent settled buckets without holes (empty ones as zeros), oldest first, up to three hours */
export function judgeRequestRate(
  recent: readonly RateBucket[],
  { thresholdFactor, minRequests }: RateSettings = RATE_SETTINGS,
): RateVerdict {
  const last = recent.at(-1);
  if (!last || last.baseline.rung === 'caps only') return quiet(recent);
  const factor = thresholdFactor * (last.baseline.rung === 'last day' ? YOUNG_FACTOR : 1);
  const worthPaging = (window: CountWindow): boolean => Math.max(window.requests, window.expected) >= minRequests;
  // A window that reaches back before the key had a history would compare requests with an expectation of none.
  const judged = recent.slice(recent.findLastIndex((one) => one.baseline.rung === 'caps only') + 1);
  const singles = judged.slice(-SINGLE_OF).map((one) => countWindow([one]));
  const now = singles.at(-1)!;
  const agreeing = singles.filter((one) => one.z * Math.sign(now.z) > SINGLE_Z * factor && worthPaging(one));
  let loudest = { window: now, buckets: 1, share: Math.abs(now.z) / (SINGLE_Z * factor) };
  if (agreeing.length < SINGLE_NEEDED) loudest.share = Math.min(loudest.share, 0.99);
  for (const rule of RATE_WINDOWS) {
    if (judged.length < rule.buckets) continue;
    const window = countWindow(judged.slice(-rule.buckets));
    const share = Math.abs(window.z) / (rule.z * factor);
    if (share > loudest.share) loudest = { window, buckets: rule.buckets, share };
  }
  const level: Level = loudest.share >= 1 ? 'breach' : loudest.share > EXIT_SHARE ? 'hold' : 'clear';
  return {
    level,
    direction: level === 'clear' ? null : loudest.window.z > 0 ? 'spike' : 'drop',
    z: loudest.window.z,
    windowMinutes: loudest.buckets * BUCKET_MINUTES,
    value: loudest.window.requests,
    expected: loudest.window.expected,
    baselineSpan: last.baseline.span,
    digestOnly: !worthPaging(loudest.window),
  };
}

function quiet(recent: readonly RateBucket[]): RateVerdict {
  const value = recent.at(-1)?.requests ?? 0;
  const windowMinutes = BUCKET_MINUTES;
  return {
    level: 'clear',
    direction: null,
    z: 0,
    windowMinutes,
    value,
    expected: Number.NaN,
    baselineSpan: 'no history yet',
    digestOnly: true,
  };
}
