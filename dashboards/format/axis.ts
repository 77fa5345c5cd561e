import { formatNumber } from './number.ts';

/** Writes one label of a value axis whose labels are `step` apart. */
export type AxisFormat = (value: number, step: number, locale?: string) => string;

const MOST_DIGITS = 12;

/** Digits behind the point without which two labels would read the same. */
function digitsOf(step: number): number {
  let digits = 0;
  while (digits < MOST_DIGITS && !isNearlyWhole(step * 10 ** digits)) digits++;
  return digits;
}

/** Not quite whole: 0.07 * 100 is 7.000000000000001. */
function isNearlyWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) < 1e-6 * value;
}

/** As short as they come; the steps of counts are whole. */
export const formatAxisCount: AxisFormat = (value, _step, locale) =>
  formatNumber(value, { notation: value >= 10_000 ? 'compact' : 'standard', maximumFractionDigits: 1 }, locale);

export const formatAxisRate: AxisFormat = (ratio, step, locale) =>
  formatNumber(ratio, { style: 'percent', maximumFractionDigits: digitsOf(step * 100) }, locale);

/** Never in minutes, in which no step of a decimal axis is round. */
export const formatAxisLatency: AxisFormat = (ms, step, locale) => {
  const [value, unitMs, unit] = ms < 1000 ? [ms, 1, 'ms'] : [ms / 1000, 1000, 's'];
  return `${formatNumber(value, { maximumFractionDigits: digitsOf(step / unitMs) }, locale)} ${unit}`;
};
