/**
 * How surprising a number is against a window of its own past, as -log10 of its upper tail probability.
 * Inside the window the probability is the rank; beyond the top share it follows the Pareto tail fitted to the largest
 * numbers (Hill, "A simple general approach to inference about the tail of a distribution", 1975), so that a bursty series
 * asks for a far larger outlier than a calm one. This is what makes one threshold fit every series.
 */
import type { SortedWindow } from './sorted-window.ts';

const TAIL_SHARE = 0.02;
const TAIL_MIN = 8;
const TAIL_MAX = 60;
/** Hill's exponent is not trusted outside this range: few points, ties, bounded values. */
const EXPONENT_MIN = 1;
const EXPONENT_MAX = 9;
/** A number the window has already exceeded is hardly more surprising than its rank says. */
const RANK_SLACK = 0.5;

/**
 * @param past numbers measured from a natural zero (deviations from a median, absolute residuals)
 * @param floor smallest meaningful size, so that a window of equal numbers does not make every hair an outlier
 * @returns decades: 0 is ordinary, 2 is one in a hundred, 6 is one in a million
 */
export function upperTailSurprise(past: SortedWindow, value: number, floor: number): number {
  const n = past.size;
  if (n < TAIL_MIN * 2) return 0;
  const k = Math.min(TAIL_MAX, Math.max(TAIL_MIN, Math.floor(n * TAIL_SHARE)));
  const threshold = Math.max(past.at(n - k - 1), floor);
  const above = n - past.lowerBound(value);
  const byRank = Math.log10((n + 1) / (above + 1));
  if (value <= threshold) return byRank;
  const exponent = tailExponent(past, k, threshold);
  const byTail = Math.log10((n + 1) / (k + 1)) + exponent * Math.log10(value / threshold);
  const record = above > 0 ? 0 : exponent * Math.log10(value / Math.max(past.at(n - 1), threshold));
  return Math.min(byTail, byRank + record + RANK_SLACK);
}

/** Hill's estimate from the k largest; a quarter of a decade of prior keeps ties from giving an infinite exponent. */
function tailExponent(past: SortedWindow, k: number, threshold: number): number {
  const n = past.size;
  let logs = 0;
  for (let rank = n - k; rank < n; rank++) logs += Math.log(Math.max(1, past.at(rank) / threshold));
  return Math.min(EXPONENT_MAX, Math.max(EXPONENT_MIN, (k + 1) / (logs + 0.25)));
}
