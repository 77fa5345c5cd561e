const ZERO = 48;
const DASH = 45;
const COLON = 58;
const DOT = 46;
const UPPER_T = 84;
const UPPER_Z = 90;
const QUOTE = 34;
const DATE_TIME = 'YYYY-MM-DDTHH:MM:SS'.length;
const MAX_FRACTION_DIGITS = 9;
const DAY_MS = 86_400_000;

/**
 * Times as nearly all senders write them, `2026-01-15T10:00:00.123Z` (RFC 3339 in UTC): read from bytes. Other offsets and spellings
 * are left to who reads text.
 */
export class LineTimes {
  #day = -1;
  #dayMs = 0;
  /** Place behind the closing quote of what {@link read} read. */
  end = 0;

  /**
   * @param from place behind the opening quote
   * @returns epoch milliseconds, further digits cut off as `Date.parse` does; NaN when it is not such a time
   */
  read(bytes: Buffer, from: number): number {
    if (bytes[from + 4] !== DASH || bytes[from + 7] !== DASH || bytes[from + 10] !== UPPER_T) return Number.NaN;
    if (bytes[from + 13] !== COLON || bytes[from + 16] !== COLON) return Number.NaN;
    const [hour, minute, second] = [
      digits(bytes, from + 11, 2),
      digits(bytes, from + 14, 2),
      digits(bytes, from + 17, 2),
    ];
    if (!(hour < 24 && minute < 60 && second < 60)) return Number.NaN;
    let at = from + DATE_TIME;
    let ms = 0;
    if (bytes[at] === DOT) {
      const first = ++at;
      while (isDigit(bytes[at])) at++;
      if (at === first || at - first > MAX_FRACTION_DIGITS) return Number.NaN;
      ms = Math.floor(digits(bytes, first, Math.min(at - first, 3)) * 10 ** (3 - Math.min(at - first, 3)));
    }
    if (bytes[at] !== UPPER_Z || bytes[at + 1] !== QUOTE) return Number.NaN;
    this.end = at + 2;
    return this.#startOfDay(bytes, from) + hour * 3_600_000 + minute * 60_000 + second * 1_000 + ms;
  }

  /** Of most records it is the day of the one before. */
  #startOfDay(bytes: Buffer, from: number): number {
    const day = digits(bytes, from, 4) * 10_000 + digits(bytes, from + 5, 2) * 100 + digits(bytes, from + 8, 2);
    if (day !== this.#day) {
      this.#dayMs = startOfDay(day);
      this.#day = day;
    }
    return this.#dayMs;
  }
}

/** NaN for a date that no calendar has, which `Date.UTC` would take for one of the next month. */
function startOfDay(day: number): number {
  const ms = Date.UTC(Math.floor(day / 10_000), (Math.floor(day / 100) % 100) - 1, day % 100);
  const back = new Date(ms);
  const same = back.getUTCFullYear() * 10_000 + (back.getUTCMonth() + 1) * 100 + back.getUTCDate() === day;
  return same && ms % DAY_MS === 0 ? ms : Number.NaN;
}

const isDigit = (byte: number | undefined) => byte! >= ZERO && byte! <= ZERO + 9;

/** NaN unless all of them are digits. */
function digits(bytes: Buffer, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    if (!isDigit(bytes[at])) return Number.NaN;
    value = value * 10 + bytes[at]! - ZERO;
  }
  return value;
}
