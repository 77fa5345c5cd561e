import { DateTime } from 'luxon';

/** How a message names times: UTC always, and beside it the zone of the channel where it has one. */
export interface Clock {
  /** The time the message is about; a moment of the same day is named without its date. */
  nowMs: number;
  timezone: string | undefined;
}

/** `14:05 UTC`, on another day `Thu 19 Nov 14:05 UTC`, in another year with the year. */
export function shortMoment(at: string | number, clock: Clock): string {
  const utc = utcOf(at);
  if (!utc.isValid) return 'an unknown time';
  return `${utc.toFormat(shortFormat(utc, clock))} UTC`;
}

/** `at 14:05 UTC`, on another day `on Sat 28 Nov at 09:00 UTC`. */
export function atMoment(at: string | number, clock: Clock): string {
  const utc = utcOf(at);
  if (!utc.isValid) return 'at an unknown time';
  const format = shortFormat(utc, clock);
  const day = format === 'HH:mm' ? '' : `on ${utc.toFormat(format.replace(' HH:mm', ''))} `;
  return `${day}at ${utc.toFormat('HH:mm')} UTC`;
}

/** Nights between now and then in UTC: 0 is today, 1 tomorrow. Negative in the past. */
export function nightsUntil(at: string, clock: Clock): number {
  return Math.round(utcOf(at).startOf('day').diff(utcOf(clock.nowMs).startOf('day'), 'days').days);
}

/** `Sat 21 Nov 2026, 14:05 UTC (15:05 Europe/Stockholm)`. */
export function fullMoment(at: string | number, clock: Clock): string {
  const utc = utcOf(at);
  if (!utc.isValid) return 'an unknown time';
  return `${utc.toFormat('ccc d LLL yyyy, HH:mm')} UTC${local(utc, clock)}`;
}

function local(utc: DateTime, clock: Clock): string {
  if (!clock.timezone || clock.timezone === 'UTC') return '';
  const there = utc.setZone(clock.timezone);
  if (!there.isValid) return '';
  const format = there.toISODate() === utc.toISODate() ? 'HH:mm' : 'ccc d LLL, HH:mm';
  return ` (${there.toFormat(format)} ${clock.timezone})`;
}

function shortFormat(utc: DateTime, clock: Clock): string {
  const now = utcOf(clock.nowMs);
  if (utc.toISODate() === now.toISODate()) return 'HH:mm';
  return utc.year === now.year ? 'ccc d LLL HH:mm' : 'd LLL yyyy HH:mm';
}

function utcOf(at: string | number): DateTime {
  const locale = { zone: 'utc', locale: 'en' };
  return typeof at === 'number' ? DateTime.fromMillis(at, locale) : DateTime.fromISO(at, locale);
}
