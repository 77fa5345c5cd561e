import { instantOf } from './zone.ts';

const SHAPE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/;

/** Reads the value of `<input type="datetime-local">` in any zone; the browser would take its own. */
export function instantOfInput(value: string, zone: string): number | null {
  const found = SHAPE.exec(value);
  if (!found) return null;
  const [year, month, day, hour, minute] = found.slice(1).map(Number) as [number, number, number, number, number];
  return instantOf({ year, month, day, hour, minute }, zone);
}
