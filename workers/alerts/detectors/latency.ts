/**
 * Has this key become slow? The logarithm of the p95 against the median of the same hour in earlier weeks, in units of its
 * median absolute deviation: robust z = (log p95 - median) / (1.4826 MAD). Fires on twice as slow and z > 4 in two of three.
 */
import type { Level } from '../state.ts';
import { median } from './request-baseline.ts';

export interface LatencyBucket {
  requests: number;
  p95Ms: number;
}

export interface LatencyBaseline {
  /** Median of log p95 over earlier weeks. */
  logMedian: number;
  /** 1.4826 x median absolute deviation of log p95, floored. */
  logSpread: number;
  weeks: number;
  span: string;
}

export interface LatencyVerdict {
  level: Level;
  p95Ms: number;
  expectedMs: number;
  /** How many times slower than usual. */
  ratio: number;
  robustZ: number;
  baselineSpan: string;
}

export interface LatencySettings {
  timesSlower: number;
  /** Fewer requests make a p95 of the two slowest alone. */
  minRequests: number;
}

const LATENCY_SETTINGS: LatencySettings = { timesSlower: 2, minRequests: 50 };

const ENTRY_Z = 4;
const EXIT_Z = 2.5;
const NEEDED = 2;
const OF_LAST = 3;
/** A deviation of 5 % is the least that latency is taken to wander. */
const LOG_SPREAD_MIN = 0.05;
/** Makes the MAD of normal noise its standard deviation. */
const MAD_TO_DEVIATION = 1.4826;
const MIN_WEEKS = 2;

/** @param p95sMs p95 of the same hour in earlier weeks (hours with too few requests left out) */
export function latencyBaseline(p95sMs: readonly number[], span: string): LatencyBaseline {
  const logs = p95sMs.filter((one) => one > 0).map((one) => Math.log(one));
  const logMedian = median(logs);
  const spread = MAD_TO_DEVIATION * median(logs.map((one) => Math.abs(one - logMedian)));
  return { logMedian, logSpread: Math.max(LOG_SPREAD_MIN, spread), weeks: logs.length, span };
}

/** @param recent settled buckets, oldest first */
export function judgeLatency(
  recent: readonly LatencyBucket[],
  baseline: LatencyBaseline,
  settings: LatencySettings = LATENCY_SETTINGS,
): LatencyVerdict {
  const verdicts = recent.slice(-OF_LAST).map((one) => judgeOne(one, baseline, settings));
  const now = verdicts.at(-1);
  if (!now) return judgeOne({ requests: 0, p95Ms: 0 }, baseline, settings);
  const breaching = verdicts.filter((one) => one.level === 'breach').length;
  return now.level === 'breach' && breaching < NEEDED ? { ...now, level: 'hold' } : now;
}

function judgeOne(
  bucket: LatencyBucket,
  baseline: LatencyBaseline,
  { timesSlower, minRequests }: LatencySettings,
): LatencyVerdict {
  const expectedMs = baseline.weeks > 0 ? Math.exp(baseline.logMedian) : Number.NaN;
  const enough = bucket.requests >= minRequests && bucket.p95Ms > 0 && baseline.weeks >= MIN_WEEKS;
  const difference = enough ? Math.log(bucket.p95Ms) - baseline.logMedian : 0;
  const robustZ = difference / baseline.logSpread;
  const ratio = enough ? Math.exp(difference) : 1;
  const breach = ratio > timesSlower && robustZ > ENTRY_Z;
  // Too few requests say nothing about speed: the alert keeps the state it has.
  const level: Level = !enough ? 'no_data' : breach ? 'breach' : robustZ > EXIT_Z ? 'hold' : 'clear';
  return { level, p95Ms: bucket.p95Ms, expectedMs, ratio, robustZ, baselineSpan: baseline.span };
}
