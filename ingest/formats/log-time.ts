/** Times as gateways write them, all to epoch milliseconds; NaN = not a time. */

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:[Zz]|[+-]\d{2}:?\d{2})$/;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** RFC 3339 with a time zone; up to nanoseconds, cut to milliseconds. */
export function rfc3339Ms(text: string): number {
  if (!RFC3339.test(text)) return Number.NaN;
  // Only the date's own digits decide, so that 31 February is refused instead of becoming 3 March.
  const day = Number(text.slice(8, 10));
  const ms = Date.parse(text.replace(',', '.'));
  if (day <= 28 || Number.isNaN(ms)) return ms;
  return day <= new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate()
    ? ms
    : Number.NaN;
}

function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Common log format: `20/May/2015:12:05:26 +0200`, exactly. */
export function clfMs(text: string): number {
  if (text.length !== 26 || text[2] !== '/' || text[6] !== '/' || text[11] !== ':' || text[20] !== ' ')
    return Number.NaN;
  const month = MONTHS.indexOf(text.slice(3, 6));
  const day = digits(text, 0, 2);
  const hour = digits(text, 12, 14);
  const minute = digits(text, 15, 17);
  const second = digits(text, 18, 20);
  if (month < 0 || month % 3 !== 0 || !(day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 60))
    return Number.NaN;
  const sign = text[21] === '-' ? -1 : text[21] === '+' ? 1 : Number.NaN;
  const offsetMinutes = sign * (digits(text, 22, 24) * 60 + digits(text, 24, 26));
  return Date.UTC(digits(text, 7, 11), month / 3, day, hour, minute, second) - offsetMinutes * 60_000;
}

/** Digits of an epoch tell its unit: gateways mix them, and the ranges of the next two centuries do not overlap. */
function epochMs(value: number): number {
  const size = Math.abs(value);
  if (size < 1e11) return Math.round(value * 1000);
  if (size < 1e14) return Math.round(value);
  return Math.round(size < 1e17 ? value / 1e3 : value / 1e6);
}

/**
 * A time in any notation gateways use: RFC 3339, common log format, epoch in s, ms, us or ns, also as text.
 *
 * @returns undefined when absent, NaN when it is no time
 */
export function anyTimeMs(value: unknown): number | undefined {
  if (typeof value === 'number') return epochMs(value);
  if (value === undefined || value === null || value === '' || value === '-') return undefined;
  if (typeof value !== 'string') return Number.NaN;
  if (value.charCodeAt(4) === 45) return rfc3339Ms(value);
  if (value.charCodeAt(2) === 47) return clfMs(value);
  return /^\d{1,20}(?:\.\d{1,9})?$/.test(value) ? epochMs(Number(value)) : Number.NaN;
}

/** Milliseconds from another unit, to the microsecond: 0.1 s is 100 ms and not 100.00000000000001. */
export function toMs(value: number | undefined, perMs: number): number | undefined {
  return value === undefined ? undefined : Math.round((value / perMs) * 1000) / 1000;
}

/** Seconds to milliseconds, see {@link toMs}. */
export function secondsToMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1e6) / 1e3;
}

/**
 * Start of a request whose END is logged (nginx, Caddy): a slow request would otherwise count in a later bucket.
 */
export function startBefore(endMs: number | undefined, latencyMs: number | undefined): number | undefined {
  if (endMs === undefined || latencyMs === undefined || !(latencyMs > 0)) return endMs;
  return Math.round(endMs - latencyMs);
}
