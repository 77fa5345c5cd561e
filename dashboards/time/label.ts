import type { Bucket, Slot } from './buckets.ts';
import { DAY, HOUR, MINUTE } from './range.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

function inZone(zone: string, options: Intl.DateTimeFormatOptions, locale?: string): Intl.DateTimeFormat {
  const name = `${locale ?? ''}${zone}${JSON.stringify(options)}`;
  let found = formats.get(name);
  if (!found) formats.set(name, (found = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })));
  return found;
}

const DATE: Intl.DateTimeFormatOptions = { weekday: 'short', day: 'numeric', month: 'short' };
// A style instead of fields: it writes 09:00 where that is usual, and 9:00 AM where that is.
const CLOCK: Intl.DateTimeFormatOptions = { timeStyle: 'short' };

/** A moment with its zone, e.g. "12 Nov 2026, 14:03:10 CET": on an hour that comes twice only the zone tells which. */
export function formatInstant(at: number | string, zone: string, locale?: string): string {
  const options = { dateStyle: 'medium', timeStyle: 'long' } as const;
  return inZone(zone, options, locale).format(new Date(at));
}

/** For table rows, where the zone stands in the heading. */
export function formatShortInstant(at: number | string, zone: string, locale?: string): string {
  const date = inZone(zone, { day: 'numeric', month: 'short' }, locale).format(new Date(at));
  return `${date}, ${inZone(zone, { timeStyle: 'medium' }, locale).format(new Date(at))}`;
}

export function formatDate(at: number | string, zone: string, locale?: string): string {
  return inZone(zone, { dateStyle: 'medium' }, locale).format(new Date(at));
}

/** What one bar stands for. */
export function slotLabel(slot: Slot, bucket: Bucket, zone: string, locale?: string): string {
  switch (bucket) {
    case 'month':
      return inZone(zone, { month: 'long', year: 'numeric' }, locale).format(slot.start);
    case 'week':
      return inZone(zone, { day: 'numeric', month: 'short' }, locale).formatRange(slot.start, slot.end - 1);
    case 'day':
      return inZone(zone, { ...DATE, year: 'numeric' }, locale).format(slot.start);
    default: {
      const date = inZone(zone, DATE, locale).format(slot.start);
      const clock = inZone(zone, CLOCK, locale);
      const times = bucket === 'minute' ? [slot.start] : [slot.start, slot.end];
      return `${date}, ${times.map((at) => clock.format(at)).join(' – ')} ${zoneName(slot.start, zone, locale)}`;
    }
  }
}

/** "CET" or "CEST": on the hour that comes twice it is all that tells the two apart. */
function zoneName(at: number, zone: string, locale?: string): string {
  const parts = inZone(zone, { hour: 'numeric', timeZoneName: 'short' }, locale).formatToParts(at);
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
}

const relative = new Map<string, Intl.RelativeTimeFormat>();

// As with the others: making one costs more than a hundred uses of it, and a list has one in every row.
function relativeWords(locale = ''): Intl.RelativeTimeFormat {
  let found = relative.get(locale);
  if (!found) {
    found = new Intl.RelativeTimeFormat(locale || undefined, { numeric: 'auto', style: 'short' });
    relative.set(locale, found);
  }
  return found;
}

/** "3 minutes ago", "in 5 days". */
export function relativeTime(at: number | string, now: number, locale?: string): string {
  const distance = new Date(at).getTime() - now;
  const size = Math.abs(distance);
  const words = relativeWords(locale);
  if (size < 10_000) return 'just now';
  if (size < MINUTE) return words.format(Math.round(distance / 1000), 'second');
  if (size < HOUR) return words.format(Math.round(distance / MINUTE), 'minute');
  if (size < DAY) return words.format(Math.round(distance / HOUR), 'hour');
  if (size < 60 * DAY) return words.format(Math.round(distance / DAY), 'day');
  if (size < 730 * DAY) return words.format(Math.round(distance / (30.44 * DAY)), 'month');
  return words.format(Math.round(distance / (365.25 * DAY)), 'year');
}

/** Minutes of a clock for `<input type="datetime-local">`, and back in zone.ts. */
export function wallClockInput(at: number, zone: string): string {
  const parts = inZone(
    zone,
    { hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
    'en-CA',
  ).formatToParts(at);
  const read = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  return `${read('year').padStart(4, '0')}-${read('month')}-${read('day')}T${read('hour')}:${read('minute')}`;
}
