/**
 * Wall-clock arithmetic in any IANA zone, on Intl alone. uPlot's own `tzDate` shows wrong hours when the viewer's
 * zone has daylight saving time (fixed upstream, not released), so no chart code uses a local Date.
 */
export interface WallClock {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    clocks.set(zone, clock);
  }
  return clock;
}

export function wallClock(at: number, zone: string): WallClock {
  const read = { year: 0, month: 0, day: 0, hour: 0, minute: 0 };
  for (const part of clockOf(zone).formatToParts(at)) {
    if (part.type in read) read[part.type as keyof WallClock] = Number(part.value);
  }
  return read;
}

/** A wall clock as ms of a clock that is never changed: for telling how far two of them are apart. */
export function clockTime({ year, month, day, hour, minute }: WallClock): number {
  return Date.UTC(year, month - 1, day, hour, minute);
}

/** Offset from UTC in ms, positive east of Greenwich. */
export function offsetAt(at: number, zone: string): number {
  return clockTime(wallClock(at, zone)) - Math.floor(at / 60_000) * 60_000;
}

/** The instant a wall clock shows this. A time skipped in spring maps to the moment after the gap. */
export function instantOf(wall: WallClock, zone: string): number {
  const asUtc = clockTime(wall);
  const first = asUtc - offsetAt(asUtc, zone);
  const second = asUtc - offsetAt(first, zone);
  // Both guesses differ only around a change of offset; the one that reads back right is the answer.
  if (second + offsetAt(second, zone) === asUtc) return second;
  if (first + offsetAt(first, zone) === asUtc) return first;
  return Math.max(first, second);
}

export function startOfLocalDay(at: number, zone: string, dayShift = 0): number {
  const { year, month, day } = wallClock(at, zone);
  return instantOf({ year, month, day: day + dayShift, hour: 0, minute: 0 }, zone);
}

/** Null for what this browser does not know, e.g. a mistyped zone in a shared address. */
export function knownZone(zone: string | null): string | null {
  if (!zone) return null;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return zone;
  } catch {
    return null;
  }
}

/** "UTC+5:30", as of one moment: the offset of a zone is not a constant. */
export function offsetLabel(at: number, zone: string): string {
  const minutes = Math.round(offsetAt(at, zone) / 60_000);
  if (minutes === 0) return 'UTC';
  const size = Math.abs(minutes);
  const rest = size % 60;
  return `UTC${minutes < 0 ? '\u2212' : '+'}${Math.floor(size / 60)}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`;
}
