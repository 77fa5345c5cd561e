import { instantOf, startOfLocalDay, wallClock } from './zone.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const PRESETS = {
  '1h': HOUR,
  '6h': 6 * HOUR,
  '24h': DAY,
  '3d': 3 * DAY,
  '7d': 7 * DAY,
  '14d': 14 * DAY,
  '30d': 30 * DAY,
  '90d': 90 * DAY,
} as const;

export type Preset = keyof typeof PRESETS;

/** What the viewer asked for: a window that moves with the clock, or two fixed moments (epoch ms). */
export type RangeChoice = { preset: Preset } | { from: number; to: number };

export interface Span {
  from: number;
  to: number;
}

export const DEFAULT_RANGE: RangeChoice = { preset: '7d' };

/** The longest preset that lies within so many days. One day is spare: long presets begin at a local midnight. */
export function longestPreset(days: number): Preset | null {
  const fitting = (Object.keys(PRESETS) as Preset[]).filter((preset) => PRESETS[preset] <= (days - 1) * DAY);
  return fitting.at(-1) ?? null;
}

export function isPreset(value: string | null): value is Preset {
  return value !== null && Object.hasOwn(PRESETS, value);
}

/** Above it the api answers in quarter hours instead of minutes. */
const LONGEST_OF_MINUTES = 3 * HOUR;

/**
 * Where a span of this length begins, at or before `at`: on a local midnight, on the hour, the quarter hour or the
 * minute, because a first bucket cut in the middle looks like a drop that never happened.
 */
function wholeStart(at: number, length: number, zone: string): number {
  if (length >= 7 * DAY) return startOfLocalDay(at, zone);
  // Local hours, not UTC hours: in Kolkata they begin at half past.
  if (length >= DAY) return instantOf({ ...wallClock(at, zone), minute: 0 }, zone);
  const step = length > LONGEST_OF_MINUTES ? 15 * MINUTE : MINUTE;
  return Math.floor(at / step) * step;
}

/** The span to ask the api for. */
export function resolveRange(choice: RangeChoice, now: number, zone: string): Span {
  if (!('preset' in choice)) return choice;
  const length = PRESETS[choice.preset];
  // Counted in calendar days: 30 times 24 hours land on another date when the clocks changed in between.
  if (length >= 7 * DAY) return { from: startOfLocalDay(now, zone, -length / DAY), to: now };
  return { from: wholeStart(now - length, length, zone), to: now };
}

/** The window before or after this one. Not into the future: there is nothing to see. */
export function shiftRange(span: Span, direction: -1 | 1, now: number, zone: string): Span {
  const length = span.to - span.from;
  const to = Math.min(span.to + direction * length, now);
  return { from: wholeStart(to - length, length, zone), to };
}

export function sameRange(a: RangeChoice, b: RangeChoice): boolean {
  if ('preset' in a) return 'preset' in b && a.preset === b.preset;
  return !('preset' in b) && a.from === b.from && a.to === b.to;
}
