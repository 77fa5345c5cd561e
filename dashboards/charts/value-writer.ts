import { formatCount, formatMilliseconds, formatPercent } from '../format/number.ts';
import type { AlertEvidence } from '../http/contract.ts';

/** How values of a unit are written. */
export function writerOf(unit: AlertEvidence['unit']): (value: number | null | undefined) => string {
  if (unit === 'ratio') return (value) => formatPercent(value);
  if (unit === 'percent') return (value) => (value == null ? '–' : `${formatCount(value)}%`);
  if (unit === 'ms') return (value) => formatMilliseconds(value);
  return (value) => formatCount(value);
}
