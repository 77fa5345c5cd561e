/**
 * One figure from all answers about a row, comparable between series: decades of surprise that agree count for more than one,
 * yet not as if they were independent.
 */
import type { Evidence } from './level-evidence.ts';

const AGREEMENT_POWER = 2.5;
/**
 * A mean over many rows still remembers what ended long ago; it may exceed what the row itself says (its value, its jump, its
 * distance from the season) by this many decades only.
 */
const WINDOW_LEAD = 1;
/** A long past offers more chances to be surprised; this takes most of that back, so that series of any length compare. */
const LENGTH_COST = 0.7;
const LENGTH_REFERENCE_ROWS = 1000;
/** A short past has seen little: it earns no more than this for being short. */
const LENGTH_MIN_ROWS = 500;

/**
 * @param importance decades added or taken for how large the change is, from `importanceDecades`
 * @param rows length of the past, this row included
 */
export function agreedSurprise(evidence: readonly Evidence[], importance: number, rows: number): number {
  let now = 0;
  for (const one of evidence) if (!one.overWindow) now = Math.max(now, one.surprise);
  let powers = 0;
  for (const { surprise, overWindow } of evidence) {
    const counted = overWindow ? Math.min(surprise, now + WINDOW_LEAD) : surprise;
    powers += Math.max(0, counted) ** AGREEMENT_POWER;
  }
  if (powers === 0) return 0;
  const byLength = LENGTH_COST * Math.log10(Math.max(rows, LENGTH_MIN_ROWS) / LENGTH_REFERENCE_ROWS);
  return Math.max(0, powers ** (1 / AGREEMENT_POWER) + importance - byLength);
}
