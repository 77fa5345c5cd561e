import { DateTime } from 'luxon';
import type { QuietHours, Routing } from './channel-routing.ts';

/** The wall clock of a channel: quiet hours, the day of budgets, the hour of the digest. Pure, of a time and a zone. */

const zoned = (atMs: number, routing: Routing): DateTime => {
  const local = DateTime.fromMillis(atMs, { zone: routing.timezone ?? 'UTC' });
  return local.isValid ? local : DateTime.fromMillis(atMs, { zone: 'UTC' });
};

/** The local date, `2026-11-21`. */
export function localDate(atMs: number, routing: Routing): string {
  return zoned(atMs, routing).toISODate()!;
}

const at = (day: DateTime, clock: string): DateTime => {
  const [hour, minute] = clock.split(':').map(Number);
  return day.set({ hour: hour!, minute: minute!, second: 0, millisecond: 0 });
};

/** End of the quiet hours that hold now, epoch milliseconds; undefined when none do. */
export function quietUntil(atMs: number, routing: Routing): number | undefined {
  const hours = routing.quiet_hours;
  if (!hours) return undefined;
  const now = zoned(atMs, routing);
  // Those that began yesterday may reach into today.
  for (const day of [now, now.minus({ days: 1 })]) {
    const end = endOfQuiet(day, hours);
    if (end && at(day, hours.from).toMillis() <= atMs && atMs < end.toMillis()) return end.toMillis();
  }
  return undefined;
}

function endOfQuiet(day: DateTime, hours: QuietHours): DateTime | undefined {
  if (hours.weekdays && hours.weekdays.length > 0 && !hours.weekdays.includes(day.weekday)) return undefined;
  return at(hours.to > hours.from ? day : day.plus({ days: 1 }), hours.to);
}

/** The newest time at which a digest was due: its moment and the local date that names it. */
export function digestDue(atMs: number, routing: Routing, digestHour: number): { atMs: number; date: string } {
  const clock = `${routing.digest_hour ?? digestHour}:00`;
  const now = zoned(atMs, routing);
  const today = at(now, clock);
  const due = today.toMillis() <= atMs ? today : at(now.minus({ days: 1 }), clock);
  return { atMs: due.toMillis(), date: due.toISODate()! };
}
