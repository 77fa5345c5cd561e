import { type AxisFormat, formatAxisCount, formatAxisLatency, formatAxisRate } from '../format/axis.ts';
import { formatCount, formatLatency, formatRate } from '../format/number.ts';
import type { AlertEvidence } from '../http/contract/alerts.ts';

/** How values of a unit are written. */
export function writerOf(unit: AlertEvidence['unit']): (value: number | null | undefined) => string {
  if (unit === 'ratio') return (value) => formatRate(value);
  if (unit === 'percent') return (value) => (value == null ? '–' : `${formatCount(value)}%`);
  if (unit === 'ms') return (value) => formatLatency(value);
  return (value) => formatCount(value);
}

/** How an axis of a unit is labelled. */
export function axisFormatOf(unit: AlertEvidence['unit']): AxisFormat {
  if (unit === 'ratio') return formatAxisRate;
  if (unit === 'percent') return (value, step, locale) => formatAxisRate(value / 100, step / 100, locale);
  if (unit === 'ms') return formatAxisLatency;
  return formatAxisCount;
}
