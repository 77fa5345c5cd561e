import { numberOf } from './list-text.ts';

/** What a field shows whose text is read as it is typed: the letters themselves for as long as they mean its value. */
export function shownText(typed: string, value: string, canonical: (text: string) => string): string {
  return canonical(typed) === value ? typed : value;
}

/** A stored number as a field writes it; `scale` is what stands there for a stored 1, as 100 where rates are in per cent. */
export function numberText(value: number | null | undefined, scale = 1): string {
  return value === null || value === undefined ? '' : String(Math.round(value * scale * 1e6) / 1e6);
}

/** Undefined for an empty field: no other number stands in for it. */
export function scaledNumberOf(text: string, scale = 1): number | undefined {
  const typed = numberOf(text);
  return typed === undefined ? undefined : typed / scale;
}
