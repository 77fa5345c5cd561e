import { formatPercent } from './number.ts';

export interface Change {
  direction: 'up' | 'down' | 'flat' | 'new' | 'unknown';
  /** What stands on the card, e.g. "+12.3%". Empty when there is nothing to compare with. */
  text: string;
}

/** Below this the arrow would report noise. */
const FLAT = 0.0005;

function signed(text: string, up: boolean): string {
  return `${up ? '+' : '\u2212'}${text}`;
}

/** Relative change of a count or a duration. From nothing to something is "new", not infinite per cent. */
export function relativeChange(current: number | null, previous: number | null, locale?: string): Change {
  if (current == null || previous == null) return { direction: 'unknown', text: '' };
  if (previous === 0 && current === 0) return { direction: 'flat', text: '' };
  if (previous === 0) return { direction: 'new', text: 'new' };
  const ratio = current / previous - 1;
  if (Math.abs(ratio) < FLAT) return { direction: 'flat', text: 'no change' };
  const up = ratio > 0;
  // "+4,200%" is read as a misprint; a factor is not.
  if (ratio >= 10) {
    const factor = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2 }).format(current / previous);
    return { direction: 'up', text: `×${factor}` };
  }
  return { direction: up ? 'up' : 'down', text: signed(formatPercent(Math.abs(ratio), locale), up) };
}

/** Change of a rate in percentage points, because "+50 %" of an error rate can mean 1 % to 1.5 % or 2 % to 52 %. */
export function pointChange(current: number | null, previous: number | null, locale?: string): Change {
  if (current == null || previous == null) return { direction: 'unknown', text: '' };
  const points = (current - previous) * 100;
  if (Math.abs(points) < 0.05) return { direction: 'flat', text: 'no change' };
  const digits = Math.abs(points) < 1 ? 2 : 1;
  const text = new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(Math.abs(points));
  return { direction: points > 0 ? 'up' : 'down', text: signed(`${text} pts`, points > 0) };
}
