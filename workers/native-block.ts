import { ByteWriter } from '../ingest/column-codec.ts';

/** A row range of a batch, `first` included, `end` not. */
export interface RowRange {
  first: number;
  end: number;
}

type Numbers = ArrayLike<number>;
type Codes = Uint8Array | Uint16Array | Uint32Array;

/** LowCardinality: keys come with the block itself, none from a dictionary that blocks share. */
const LOW_CARDINALITY_VERSION = 1;
const HAS_ADDITIONAL_KEYS = 1 << 9;
const TWO_TO_32 = 2 ** 32;
/** Memory taken at first: more than most batches of `requests` need, so that it is taken once. */
const FIRST_BYTES = 64 * 1024;
const USUAL_ROW_BYTES = 100;

/**
 * One block in ClickHouse's Native format, column by column: what the engine takes without parsing text. Numbers stand in the
 * processor's byte order, which is little-endian wherever ClickHouse and Node run. Columns are given for all rows of a batch; those
 * of `ranges` are written.
 *
 * Source of the layout: ClickHouse's documentation of the Native format, and for LowCardinality its
 * `SerializationLowCardinality.cpp` (version, then index type and flags, keys, codes).
 */
export class NativeBlock {
  readonly rows: number;
  readonly #ranges: readonly RowRange[];
  readonly #out: ByteWriter;
  #columnsLeft: number;

  /** @param columns that will follow: the block begins with their number */
  constructor(columns: number, ranges: readonly RowRange[]) {
    this.#columnsLeft = columns;
    this.#ranges = ranges;
    this.rows = ranges.reduce((sum, { first, end }) => sum + end - first, 0);
    this.#out = new ByteWriter(FIRST_BYTES + this.rows * USUAL_ROW_BYTES);
    this.#out.uint(columns);
    this.#out.uint(this.rows);
  }

  /** Text as a dictionary and one code per row, for LowCardinality and String columns alike. */
  dictionary(name: string, values: readonly string[], codes: Numbers): void {
    this.#begin(name, 'LowCardinality(String)');
    const [indexType, index] = this.#codes(values.length);
    this.#out.raw(uint64s(LOW_CARDINALITY_VERSION, HAS_ADDITIONAL_KEYS | indexType, values.length));
    for (const value of values) this.#out.text(value);
    this.#out.raw(uint64s(this.rows));
    this.#out.raw(bytesOf(this.#picked(index, codes)));
  }

  /** The same text in every row. */
  constant(name: string, value: string): void {
    this.dictionary(name, [value], { length: 0 });
  }

  /** Text of which every row has its own. */
  text(name: string, values: readonly string[]): void {
    this.#begin(name, 'String');
    for (const { first, end } of this.#ranges) for (let row = first; row < end; row++) this.#out.text(values[row]!);
  }

  /** Whole numbers from 0 to 2^53. */
  uint64(name: string, values: Numbers): void {
    this.#wide(name, 'UInt64', values);
  }

  uint16(name: string, values: Numbers): void {
    this.#begin(name, 'UInt16');
    this.#out.raw(bytesOf(this.#picked(new Uint16Array(this.rows), values)));
  }

  /** 0 or 1. */
  bool(name: string, values: Numbers): void {
    this.#begin(name, 'Bool');
    this.#out.raw(this.#picked(new Uint8Array(this.rows), values));
  }

  /** Floats; NaN becomes NULL. */
  nullableFloat32(name: string, values: Numbers): void {
    this.#begin(name, 'Nullable(Float32)');
    const floats = this.#picked(new Float32Array(this.rows), values);
    const nulls = new Uint8Array(this.rows);
    for (let at = 0; at < floats.length; at++) {
      if (!Number.isNaN(floats[at])) continue;
      nulls[at] = 1;
      floats[at] = 0;
    }
    this.#out.raw(nulls);
    this.#out.raw(bytesOf(floats));
  }

  /** Epoch milliseconds, not before 1970. */
  dateTime64(name: string, epochMs: Numbers): void {
    this.#wide(name, "DateTime64(3, 'UTC')", epochMs);
  }

  /** @throws RangeError when columns are missing or too many: the engine would read the rest as something else */
  done(): Buffer {
    if (this.#columnsLeft !== 0) throw new RangeError(`block with ${this.#columnsLeft} columns left to write`);
    return this.#out.done();
  }

  #begin(name: string, type: string): void {
    this.#out.text(name);
    this.#out.text(type);
    this.#columnsLeft--;
  }

  /** Low and high half by arithmetic: a BigInt for each value would cost ten times as much. */
  #wide(name: string, type: string, values: Numbers): void {
    this.#begin(name, type);
    const out = new Uint32Array(this.rows * 2);
    let at = 0;
    for (const { first, end } of this.#ranges) {
      for (let row = first; row < end; row++) {
        const value = values[row]!;
        out[at++] = value;
        out[at++] = value / TWO_TO_32;
      }
    }
    this.#out.raw(bytesOf(out));
  }

  /** Index type as the format numbers it, and codes of that width. */
  #codes(distinct: number): [number, Codes] {
    if (distinct <= 2 ** 8) return [0, new Uint8Array(this.rows)];
    if (distinct <= 2 ** 16) return [1, new Uint16Array(this.rows)];
    return [2, new Uint32Array(this.rows)];
  }

  #picked<T extends Codes | Float32Array>(out: T, values: Numbers): T {
    if (values.length === 0) return out;
    let at = 0;
    for (const { first, end } of this.#ranges) for (let row = first; row < end; row++) out[at++] = values[row]!;
    return out;
  }
}

function uint64s(...values: number[]): Uint8Array {
  const out = new Uint32Array(values.length * 2);
  for (const [at, value] of values.entries()) out[at * 2] = value;
  return bytesOf(out);
}

function bytesOf(values: Codes | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
