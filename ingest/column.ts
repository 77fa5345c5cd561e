/**
 * Growable columns of a batch. Text is dictionary-coded while it is collected, so that everything later
 * (compression, geography, route templates, escaping) costs once per distinct value instead of once per row.
 */

const FIRST_CAPACITY = 256;

/** Text column: distinct `values`, and one `code` (index into values) per row. */
export class TextColumn {
  values: string[] = [];
  codes: Uint32Array;
  #codeOf = new Map<string, number>();
  #last: string | undefined;
  #lastCode = 0;

  constructor(capacity = FIRST_CAPACITY) {
    this.codes = new Uint32Array(capacity);
  }

  /** A column as decoded: no further rows are added. */
  static of(values: string[], codes: Uint32Array): TextColumn {
    const column = new TextColumn(0);
    column.values = values;
    column.codes = codes;
    return column;
  }

  set(row: number, value: string): void {
    if (row >= this.codes.length) this.codes = grown(this.codes, row, (n) => new Uint32Array(n));
    // Half of the columns have the same value in most rows: comparing is several times as fast as hashing.
    if (value !== this.#last) {
      this.#last = value;
      this.#lastCode = this.#codeFor(value);
    }
    this.codes[row] = this.#lastCode;
  }

  #codeFor(value: string): number {
    const known = this.#codeOf.get(value);
    if (known !== undefined) return known;
    this.#codeOf.set(value, this.values.length);
    return this.values.push(value) - 1;
  }

  at(row: number): string {
    return this.values[this.codes[row]!]!;
  }
}

/** Number column: doubles, NaN where a value was not reported. */
export class NumberColumn {
  values: Float64Array;

  constructor(capacity = FIRST_CAPACITY) {
    this.values = new Float64Array(capacity);
  }

  static of(values: Float64Array): NumberColumn {
    const column = new NumberColumn(0);
    column.values = values;
    return column;
  }

  set(row: number, value: number): void {
    if (row >= this.values.length) this.values = grown(this.values, row, (n) => new Float64Array(n));
    this.values[row] = value;
  }

  at(row: number): number {
    return this.values[row]!;
  }
}

function grown<T extends Uint32Array | Float64Array>(old: T, row: number, make: (length: number) => T): T {
  const next = make(Math.max(FIRST_CAPACITY, old.length * 2, row + 1));
  next.set(old);
  return next;
}
