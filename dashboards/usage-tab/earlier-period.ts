import type { Usage } from '../http/contract/usage.ts';
import { type Bucket, bucketEnd, nominalLength } from '../time/buckets.ts';
import { DAY, type Span } from '../time/range.ts';
import { clockTime, instantOf, type WallClock, wallClock } from '../time/zone.ts';

/** How far back the period lies that a range is held against. */
export interface StepBack {
  count: number;
  unit: 'day' | 'week' | 'month';
}

/**
 * Whole days back, so that nights meet nights; at least one. For "7 days" these are the same weekdays, for an hour it
 * is the same hour of yesterday.
 */
export function comparedDays({ from, to }: Span): number {
  return Math.max(1, Math.floor((to - from) / DAY));
}

function wholeMonths(from: WallClock, to: WallClock): number {
  const intoMonth = ({ day, hour, minute }: WallClock) => (day * 24 + hour) * 60 + minute;
  return (to.year - from.year) * 12 + to.month - from.month - (intoMonth(to) < intoMonth(from) ? 1 : 0);
}

/** In whole buckets where these are longer than a day: 365 days back, a week would begin on a Sunday. */
export function stepBack(span: Span, bucket: Bucket, zone: string): StepBack {
  const [from, to] = [wallClock(span.from, zone), wallClock(span.to, zone)];
  if (bucket === 'month') return { count: Math.max(1, wholeMonths(from, to)), unit: 'month' };
  // On the clocks of the zone: a week in which they went forward lasts an hour less than seven times 24.
  const days = comparedDays({ from: clockTime(from), to: clockTime(to) });
  if (bucket === 'week') return { count: Math.max(1, Math.floor(days / 7)), unit: 'week' };
  return { count: days, unit: 'day' };
}

export function stepLabel({ count, unit }: StepBack): string {
  return `${count} ${unit}${count === 1 ? '' : 's'} before`;
}

function clockBefore(wall: WallClock, { count, unit }: StepBack): WallClock {
  if (unit !== 'month') return { ...wall, day: wall.day - count * (unit === 'week' ? 7 : 1) };
  const month = wall.month - count;
  // The 31st of a month that has none is its last day, or it would lie in the month behind it.
  const lastDay = new Date(Date.UTC(wall.year, month, 0)).getUTCDate();
  return { ...wall, month, day: Math.min(wall.day, lastDay) };
}

/** The same wall clock so far back, also when the clocks changed in between. */
export function instantBefore(at: number, back: StepBack, zone: string): number {
  return instantOf(clockBefore(wallClock(at, zone), back), zone);
}

type Shown = Pick<Usage, 'from' | 'to' | 'bucket' | 'timezone'> & { series: readonly { start: string }[] };

/** What to ask the api for: it begins where the range does, and ends where its last bucket will. */
export function earlierPeriod({ from, to, bucket, timezone, series }: Shown): Span & { back: StepBack } {
  const span = { from: Date.parse(from), to: Date.parse(to) };
  const back = stepBack(span, bucket, timezone);
  const last = series.at(-1);
  // Against half a day of today stands the whole day of last week.
  const end = last ? bucketEnd(Date.parse(last.start), bucket, timezone) : span.to;
  return { back, from: instantBefore(span.from, back, timezone), to: instantBefore(end, back, timezone) };
}

/**
 * For each bucket the requests of the one that began at the same wall clock so far back. Null where the clocks showed
 * no such time; of an hour that came twice, the first.
 */
export function requestsBefore(
  starts: readonly string[],
  earlier: readonly { start: string; requests: number }[],
  { back, bucket, zone }: { back: StepBack; bucket: Bucket; zone: string },
): (number | null)[] {
  // A day begins at 01:00 where the clocks go forward at midnight; it still is that day.
  const step = nominalLength(bucket) >= DAY ? DAY : 1;
  const wholeClock = (wall: WallClock) => Math.floor(clockTime(wall) / step) * step;
  const byClock = new Map<number, number>();
  for (const { start, requests } of earlier) {
    const clock = wholeClock(wallClock(Date.parse(start), zone));
    if (!byClock.has(clock)) byClock.set(clock, requests);
  }
  return starts.map((start) => {
    const clock = wholeClock(clockBefore(wallClock(Date.parse(start), zone), back));
    return byClock.get(clock) ?? null;
  });
}
