/**
 * Says a thing once: after an opening only something more surprising is let through, at first far more, later a little, until
 * the quiet time is over. What follows an incident at once is mostly its climb or its end, told already; what comes hours
 * later is more often a new one. The same pacing took false alerts of the count detector from 0.13 to 0.001 per key and week
 * (docs/detectors.md).
 */
/** Decades a surprise must exceed the opening by, right after it and when the quiet time ends; straight line between. */
const EARLY_MARGIN = 1.5;
const LATE_MARGIN = 0.3;
/** Below this nothing counts as an opening, so that small talk does not silence what follows. */
const OPENING = 2;

export class OpenOnce {
  private reference = 0;
  private rowsSince = Number.POSITIVE_INFINITY;

  /** @returns the surprise when it may be said now, 0 when it was already said */
  let(surprise: number, quietRows: number): number {
    this.rowsSince++;
    if (this.rowsSince < quietRows) {
      const left = 1 - this.rowsSince / quietRows;
      if (surprise <= this.reference + LATE_MARGIN + (EARLY_MARGIN - LATE_MARGIN) * left) return 0;
    }
    if (surprise > OPENING) {
      this.reference = surprise;
      this.rowsSince = 0;
    }
    return surprise;
  }
}
