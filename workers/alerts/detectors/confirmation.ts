/**
 * Does it last? In rows of ten minutes or less a single row is often a lost sample or chance, so part of a surprise is withheld
 * until the next row agrees. Rows of an hour are not asked to: there one row is an incident.
 */
const SHORT_ROWS_PER_DAY = 144;
/** Up to this, a rise waits too; a burst in one row of a minute is real more often than not, a dip is not. */
const RISE_MAX_ROWS_PER_DAY = 1000;
const RISE_WITHHELD = 0.2;
const FALL_WITHHELD = 0.4;
/** Decades taken from the first zero of a series that is usually above it: a missing sample, until the next row is zero too. */
const FIRST_ZERO_COST = 3;

export interface Change {
  /** Value below what was expected. */
  falls: boolean;
  value: number;
  /** Usual value of the series. */
  median: number;
}

export class Confirmation {
  private lastSurprise = 0;
  private lastValue = Number.NaN;

  /** @returns decades that count now; asks for the surprise of every row in time order */
  confirmed(surprise: number, change: Change, rowsPerDay: number): number {
    const firstZero = change.falls && change.value === 0 && change.median > 0 && this.lastValue !== 0;
    const own = Math.max(0, surprise - (firstZero ? FIRST_ZERO_COST : 0));
    const shared = Math.min(own, this.lastSurprise);
    this.lastSurprise = own;
    this.lastValue = change.value;
    return own - withheld(change.falls, rowsPerDay) * (own - shared);
  }
}

function withheld(falls: boolean, rowsPerDay: number): number {
  if (rowsPerDay < SHORT_ROWS_PER_DAY) return 0;
  if (falls) return FALL_WITHHELD;
  return rowsPerDay < RISE_MAX_ROWS_PER_DAY ? RISE_WITHHELD : 0;
}
