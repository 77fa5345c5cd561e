/** Which spans of time a look at the limits covers: pure. Seconds are epoch seconds. */

const MINUTE = 60;
const DAY = 86_400;
/** Days of a backlog that are looked at one by one; of a longer one the newest. */
const MAX_LATE_DAYS = 3;

export interface LookSpan {
  /** Minutes in [from, to) are judged by the busiest of them. */
  from: number;
  to: number;
  /** Starts of the day and of the month whose counts are judged. */
  day: number;
  month: number;
  /** Of windows that are over, counted late: only what is new of them is told, and they end nothing. */
  isLate: boolean;
}

/**
 * The present (this minute and the last one), after the days before it of which records were counted only now.
 * @param oldest oldest second of which something was counted since the last look; 0 = nothing was
 */
export function lookSpans(oldest: number, now: number): LookSpan[] {
  const minute = now - (now % MINUTE);
  const present: LookSpan = { from: minute - MINUTE, to: minute + MINUTE, ...calendar(now), isLate: false };
  const late: LookSpan[] = [];
  let from = oldest === 0 ? present.from : Math.min(oldest - (oldest % MINUTE), present.from);
  while (from < present.from) {
    const to = Math.min(from - (from % DAY) + DAY, present.from);
    late.push({ from, to, ...calendar(from), isLate: true });
    from = to;
  }
  return [...late.slice(-MAX_LATE_DAYS), present];
}

function calendar(at: number): { day: number; month: number } {
  const date = new Date(at * 1000);
  return { day: at - (at % DAY), month: Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) / 1000 };
}
