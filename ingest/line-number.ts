const DOT = 46;
const ZERO = 48;
const NINE = 57;
/** Decimals of so many digits are below 2^53, so that dividing by a power of ten rounds as `JSON.parse` does. */
const MAX_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: MAX_DIGITS + 1 }, (_, power) => 10 ** power);

/** Numbers of JSON read from bytes: those without sign and exponent, and of few enough digits. */
export class LineNumbers {
  /** Place behind the number that {@link read} read. */
  end = 0;

  /** @returns NaN when no such number stands there */
  read(bytes: Buffer, from: number): number {
    const whole = this.#digits(bytes, from, 0);
    const digits = this.end - from;
    if (digits === 0 || digits > MAX_DIGITS || (digits > 1 && bytes[from] === ZERO)) return Number.NaN;
    if (bytes[this.end] !== DOT) return whole;
    const point = this.end + 1;
    const value = this.#digits(bytes, point, whole);
    const decimals = this.end - point;
    if (decimals === 0 || digits + decimals > MAX_DIGITS) return Number.NaN;
    return value / POWERS_OF_TEN[decimals]!;
  }

  #digits(bytes: Buffer, from: number, before: number): number {
    let value = before;
    let at = from;
    for (let byte = bytes[at]!; byte >= ZERO && byte <= NINE; byte = bytes[++at]!) value = value * 10 + byte - ZERO;
    this.end = at;
    return value;
  }
}
