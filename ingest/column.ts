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

  /** Makes room, so that codes of this many rows can be written by who has them. */
  reserve(rows: number): void {
    if (rows > this.codes.length) this.codes = grown(this.codes, rows, (n) => new Uint32Array(n));
  }

  /** A further value without a look whether it is there. @returns its code */
  push(value: string): number {
    return this.values.push(value) - 1;
  }

  /** The first `rows` rows of another column behind the first `row` of this. Looks up what these use, once per distinct value. */
  append(row: number, other: TextColumn, rows: number): void {
    this.reserve(row + rows);
    const own = new Int32Array(other.values.length).fill(-1);
    for (let at = 0; at < rows; at++) {
      const code = other.codes[at]!;
      if (own[code] === -1) own[code] = this.#codeFor(other.values[code]!);
      this.codes[row + at] = own[code]!;
    }
  }

  /** The same value in the rows from `row` to `end`, the last not included. */
  fill(row: number, end: number, value: string): void {
    this.reserve(end);
    this.codes.fill(this.#codeFor(value), row, end);
  }

  set(row: number, value: string): void {
    if (row >= this.codes.length) this.reserve(row + 1);
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

  clear(): void {
    this.values = [];
    this.codes = new Uint32Array(0);
    this.#codeOf.clear();
    this.#last = undefined;
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

  reserve(rows: number): void {
    if (rows > this.values.length) this.values = grown(this.values, rows, (n) => new Float64Array(n));
  }

  append(row: number, other: NumberColumn, rows: number): void {
    this.reserve(row + rows);
    this.values.set(other.values.subarray(0, rows), row);
  }

  set(row: number, value: number): void {
    if (row >= this.values.length) this.reserve(row + 1);
    this.values[row] = value;
  }

  clear(): void {
    this.values = new Float64Array(0);
  }

  at(row: number): number {
    return this.values[row]!;
  }
}

function grown<T extends Uint32Array | Float64Array>(old: T, rows: number, make: (length: number) => T): T {
  const next = make(Math.max(old.length * 2, rows));
  next.set(old);
  return next;
}
