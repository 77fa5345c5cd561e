/** How figures and times are said to people at a terminal. */

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** `3 hours ago`, `in 12 days`, `just now`; '' for no time. */
export function ago(time: string | null | undefined, nowMs = Date.now()): string {
  if (!time) return '';
  const seconds = (Date.parse(time) - nowMs) / 1_000;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? [];
  if (!unit) return seconds > 0 ? 'in seconds' : 'just now';
  return relative.format(Math.trunc(seconds / size!), unit);
}

/** `2026-11-20 14:03 UTC`; '' for no time. */
export function clock(time: string | null | undefined): string {
  return time ? `${time.slice(0, 10)} ${time.slice(11, 16)} UTC` : '';
}

/** Both: `2026-11-20 14:03 UTC (3 hours ago)`. */
export function moment(time: string | null | undefined): string {
  return time ? `${clock(time)} (${ago(time)})` : '';
}

/** With thousands separators. */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** A share as percent: `0%`, `0.04%`, `2.3%`, `41%`. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0%';
  if (value < 0.01) return '<0.01%';
  // Never rounded up to "all" while one request is missing.
  const digits = value < 1 ? 2 : value < 10 ? 1 : 0;
  return `${value < 100 ? Math.min(99.9, Number(value.toFixed(digits))) : Math.round(value)}%`;
}

/** `12.5 ms`, `1.24 s`; '–' when unknown. */
export function duration(ms: number | null): string {
  if (ms === null) return '–';
  return ms >= 1_000 ? `${(ms / 1_000).toFixed(2)} s` : `${ms >= 100 ? Math.round(ms) : Number(ms.toFixed(1))} ms`;
}

/** `512 B`, `1.3 MB`. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [amount, unit] = [value, 0];
  while (amount >= 1_000 && unit < units.length - 1) [amount, unit] = [amount / 1_000, unit + 1];
  return `${amount >= 100 || unit === 0 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}

/** What is known of a secret: its beginning, the rest masked. */
export function masked(prefix: string): string {
  return prefix === '' ? '' : `${prefix}••••`;
}

/** The change against a preceding period: `+12%`, `−3%`, '' when there is nothing to compare with. */
export function change(value: number, before: number): string {
  if (before === 0) return '';
  const share = Math.round((value / before - 1) * 100);
  return `${share < 0 ? '−' : '+'}${count(Math.abs(share))}%`;
}

const BLOCKS = '▁▂▃▄▅▆▇█';
const MAX_BLOCKS = 60;

/** A line of blocks, each as high as the highest of its neighbouring values; nothing at all is a dot. */
export function sparkline(values: readonly number[]): string {
  const per = Math.max(1, Math.ceil(values.length / MAX_BLOCKS));
  const heights: number[] = [];
  // Not sums: the last block may stand for fewer values.
  for (let at = 0; at < values.length; at += per) heights.push(Math.max(...values.slice(at, at + per)));
  const highest = Math.max(...heights);
  return heights
    .map((height) => (height === 0 ? '·' : BLOCKS[Math.min(7, Math.floor((height / highest) * BLOCKS.length))]))
    .join('');
}
