import { DAY, HOUR, MINUTE } from './range.ts';
import { instantOf, startOfLocalDay, wallClock } from './zone.ts';

/** Where the marks of a time axis stand, on round times of the chosen zone. */
const STEPS_WITHIN_DAY = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * MINUTE);
const STEPS_IN_DAYS = [1, 2, 7, 14];
const STEPS_IN_MONTHS = [1, 2, 3, 6, 12];

export type TickStep = { minutes: number } | { days: number } | { months: number };

export function tickStep(length: number, room: number): TickStep {
  const ideal = length / Math.max(1, room);
  const within = STEPS_WITHIN_DAY.find((step) => step >= ideal);
  if (within) return { minutes: within / MINUTE };
  const days = STEPS_IN_DAYS.find((step) => step * DAY >= ideal);
  if (days) return { days };
  return { months: STEPS_IN_MONTHS.find((step) => step * 30 * DAY >= ideal) ?? 12 };
}

function withinDays(from: number, to: number, minutes: number, zone: string): number[] {
  const ticks: number[] = [];
  for (let day = startOfLocalDay(from, zone); day <= to; day = startOfLocalDay(day + 12 * HOUR, zone, 1)) {
    const { year, month, day: date } = wallClock(day, zone);
    for (let minute = 0; minute < 1440; minute += minutes) {
      ticks.push(instantOf({ year, month, day: date, hour: Math.floor(minute / 60), minute: minute % 60 }, zone));
    }
  }
  return ticks;
}

function wholeDays(from: number, to: number, days: number, zone: string): number[] {
  const ticks: number[] = [];
  const first = wallClock(from, zone);
  // Anchored to a fixed day, so that the marks stay put while the window moves; 4 January 1970 + 1 is a Monday.
  const epochDay = Math.floor(Date.UTC(first.year, first.month - 1, first.day) / DAY) - 4;
  let shift = -(((epochDay % days) + days) % days);
  for (;;) {
    const at = instantOf({ ...first, day: first.day + shift, hour: 0, minute: 0 }, zone);
    if (at > to) return ticks;
    ticks.push(at);
    shift += days;
  }
}

function wholeMonths(from: number, to: number, months: number, zone: string): number[] {
  const ticks: number[] = [];
  const { year, month } = wallClock(from, zone);
  let next = Math.floor((month - 1) / months) * months + 1;
  for (;;) {
    const at = instantOf({ year, month: next, day: 1, hour: 0, minute: 0 }, zone);
    if (at > to) return ticks;
    ticks.push(at);
    next += months;
  }
}

export function timeTicks(from: number, to: number, zone: string, room: number): number[] {
  const step = tickStep(to - from, room);
  const ticks =
    'minutes' in step
      ? withinDays(from, to, step.minutes, zone)
      : 'days' in step
        ? wholeDays(from, to, step.days, zone)
        : wholeMonths(from, to, step.months, zone);
  // An hour skipped in spring maps two wall clocks to one instant.
  return ticks.filter((at, index) => at >= from && at <= to && at !== ticks[index - 1]);
}

/** One label per mark: the time of day, the date where a day begins, the year where one begins. */
export function tickLabels(ticks: readonly number[], zone: string, locale?: string): string[] {
  const time = new Intl.DateTimeFormat(locale, { timeZone: zone, timeStyle: 'short' });
  const date = new Intl.DateTimeFormat(locale, { timeZone: zone, day: 'numeric', month: 'short' });
  const month = new Intl.DateTimeFormat(locale, { timeZone: zone, month: 'short', year: 'numeric' });
  const span = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0);
  const step = ticks.length > 1 ? span / (ticks.length - 1) : 0;
  return ticks.map((at) => {
    const wall = wallClock(at, zone);
    if (wall.hour !== 0 || wall.minute !== 0) return time.format(at);
    return step > 27 * DAY ? month.format(at) : date.format(at);
  });
}
