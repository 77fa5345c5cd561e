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
  readonly #parts: Uint8Array[] = [];
  #columns = 0;

  constructor(ranges: readonly RowRange[]) {
    this.#ranges = ranges;
    this.rows = ranges.reduce((sum, { first, end }) => sum + end - first, 0);
  }

  /** Text as a dictionary and one code per row, for LowCardinality and String columns alike. */
  dictionary(name: string, values: readonly string[], codes: Numbers): void {
    this.#begin(name, 'LowCardinality(String)');
    const [indexType, index] = this.#codes(values.length);
    this.#parts.push(uint64s(LOW_CARDINALITY_VERSION, HAS_ADDITIONAL_KEYS | indexType, values.length));
    this.#parts.push(texts(values));
    this.#parts.push(uint64s(this.rows), bytesOf(this.#picked(index, codes)));
  }

  /** The same text in every row. */
  constant(name: string, value: string): void {
    this.dictionary(name, [value], { length: 0 });
  }

  /** Text of which every row has its own. */
  text(name: string, values: readonly string[]): void {
    this.#begin(name, 'String');
    const out = new ByteWriter();
    for (const { first, end } of this.#ranges) for (let row = first; row < end; row++) out.text(values[row]!);
    this.#parts.push(out.done());
  }

  /** Whole numbers from 0 to 2^53. */
  uint64(name: string, values: Numbers): void {
    this.#wide(name, 'UInt64', values);
  }

  uint16(name: string, values: Numbers): void {
    this.#begin(name, 'UInt16');
    this.#parts.push(bytesOf(this.#picked(new Uint16Array(this.rows), values)));
  }

  /** 0 or 1. */
  bool(name: string, values: Numbers): void {
    this.#begin(name, 'Bool');
    this.#parts.push(this.#picked(new Uint8Array(this.rows), values));
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
    this.#parts.push(nulls, bytesOf(floats));
  }

  /** Epoch milliseconds, not before 1970. */
  dateTime64(name: string, epochMs: Numbers): void {
    this.#wide(name, "DateTime64(3, 'UTC')", epochMs);
  }

  done(): Buffer {
    const head = new ByteWriter();
    head.uint(this.#columns);
    head.uint(this.rows);
    return Buffer.concat([head.done(), ...this.#parts]);
  }

  #begin(name: string, type: string): void {
    const head = new ByteWriter(64);
    head.text(name);
    head.text(type);
    this.#parts.push(head.done());
    this.#columns++;
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
    this.#parts.push(bytesOf(out));
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

function texts(values: readonly string[]): Uint8Array {
  const out = new ByteWriter();
  for (const value of values) out.text(value);
  return out.done();
}

function uint64s(...values: number[]): Uint8Array {
  const out = new Uint32Array(values.length * 2);
  for (const [at, value] of values.entries()) out[at * 2] = value;
  return bytesOf(out);
}

function bytesOf(values: Codes | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
