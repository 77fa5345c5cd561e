/**
 * How surprising a number is against a window of its own past, as -log10 of its upper tail probability.
 * Inside the window the probability is the rank; beyond the top share it follows the Pareto tail fitted to the largest
 * numbers (Hill 1975), so that a bursty series asks for a far larger outlier than a calm one.
 */
import type { SortedWindow } from './sorted-window.ts';

const TAIL_SHARE = 0.02;
const TAIL_MIN = 8;
const TAIL_MAX = 60;
/** Hill's exponent is not trusted outside this range: few points, ties, bounded values. */
const EXPONENT_MIN = 1;
const EXPONENT_MAX = 12;

/**
 * @param past numbers measured from a natural zero (deviations from a median, absolute residuals)
 * @param floor smallest meaningful size, so that a window of equal numbers does not make every hair an outlier
 */
export function upperTailSurprise(past: SortedWindow, value: number, floor: number): number {
  const n = past.size;
  if (n < TAIL_MIN * 2) return 0;
  const k = Math.min(TAIL_MAX, Math.max(TAIL_MIN, Math.floor(n * TAIL_SHARE)));
  const threshold = Math.max(past.at(n - k - 1), floor);
  if (value <= threshold) {
    const above = n - past.lowerBound(value);
    return -Math.log10((above + 1) / (n + 1));
  }
  let logs = 0;
  for (let rank = n - k; rank < n; rank++) logs += Math.log(Math.max(1, past.at(rank) / threshold));
  const exponent = Math.min(EXPONENT_MAX, Math.max(EXPONENT_MIN, (k + 1) / (logs + 0.25)));
  return -Math.log10((k + 1) / (n + 1)) + exponent * Math.log10(value / threshold);
}
