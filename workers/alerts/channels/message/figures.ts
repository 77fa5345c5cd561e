/** Numbers as a colleague writes them: no more digits than anybody reads. English, so that a team reads the same text. */
const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
const FEW = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });

export type FigureUnit = 'requests' | 'ratio' | 'ms' | 'percent' | 'keys';

/** Whole numbers with commas, from a million on compact; fractions below ten with two digits. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return '?';
  if (Math.abs(value) >= 1_000_000) return COMPACT.format(value);
  return Math.abs(value) < 10 && !Number.isInteger(value) ? FEW.format(value) : GROUPED.format(value);
}

/** A ratio 0..1 as percent. What is not zero never reads as 0%, what is not all never as 100%. */
export function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return '?';
  const percent = ratio * 100;
  if (percent > 0 && percent < 0.1) return '<0.1%';
  if (percent > 99.9 && percent < 100) return '>99.9%';
  const digits = percent < 9.95 || (percent > 99 && percent < 100) ? 1 : 0;
  return `${Number(percent.toFixed(digits))}%`;
}

export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return '?';
  if (ms < 1) return '<1 ms';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${FEW.format(ms / 1_000)} s`;
  return `${FEW.format(ms / 60_000)} min`;
}

/** A value of evidence with its unit: `1,234 requests`, `31%`, `840 ms`. */
export function formatFigure(value: number, unit: FigureUnit | undefined): string {
  if (unit === 'ratio') return formatRatio(value);
  if (unit === 'percent') return formatRatio(value / 100);
  if (unit === 'ms') return formatMs(value);
  if (unit === 'requests') return countOf(value, 'request');
  if (unit === 'keys') return countOf(value, 'key');
  return formatCount(value);
}

/** `1 request`, `14 requests`. */
export function countOf(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** How many times as much: `3 times`, `1.4 times`; '' when there is nothing to compare with. */
export function formatTimes(value: number, expected: number): string {
  const times = value / expected;
  if (!Number.isFinite(times) || times <= 0) return '';
  return `${times < 10 ? FEW.format(times) : formatCount(Math.round(times))} times`;
}

/** `8 minutes`, `1 h 20 min`, `3 days 4 h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'an unknown time';
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return countOf(minutes, 'minute');
  const [hours, days] = [Math.floor(minutes / 60), Math.floor(minutes / 1_440)];
  if (hours < 24) return minutes % 60 === 0 ? countOf(hours, 'hour') : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? countOf(days, 'day') : `${countOf(days, 'day')} ${hours % 24} h`;
}

/** Whole days between two times, never negative; 0 when one of them is not known. */
export function daysBetween(fromMs: number, toMs: number): number {
  return Math.max(0, Math.round((toMs - fromMs) / 86_400_000)) || 0;
}
