/**
 * Byte layout of columns inside a batch. Values are laid out so that deflate finds the repetition: numbers as
 * variable-length integers, codes split into byte planes (all low bytes, then all high bytes).
 */

/** Grows by doubling. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(firstBytes = 1 << 16) {
    this.#bytes = Buffer.allocUnsafe(firstBytes);
  }

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#bytes.length) return;
    const next = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + extra));
    this.#bytes.copy(next, 0, 0, this.#length);
    this.#bytes = next;
  }

  /** Unsigned LEB128 of an integer up to 2^53. Arithmetic instead of shifts beyond 31 bits. */
  uint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7fffffff) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Signed integer, zigzag: small magnitudes stay short. */
  int(value: number): void {
    this.uint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  bytes(bytes: Uint8Array): void {
    this.uint(bytes.length);
    this.raw(bytes);
  }

  /** Without the length before them. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(value: string): void {
    const bytes = Buffer.byteLength(value);
    this.uint(bytes);
    this.#reserve(bytes);
    this.#length += this.#bytes.write(value, this.#length);
  }

  /** `codes` as byte planes of the width that `distinct` needs; nothing at all when there is one value. */
  codes(codes: Uint32Array, count: number, distinct: number): void {
    for (let shift = 0; distinct > 1 && distinct - 1 >= 2 ** shift; shift += 8) {
      this.#reserve(count);
      for (let row = 0; row < count; row++) this.#bytes[this.#length + row] = codes[row]! >>> shift;
      this.#length += count;
    }
  }

  done(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Reads what {@link ByteWriter} wrote. Every read beyond the end throws RangeError, never returns rubbish. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  uint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || scale > 2 ** 53) throw new RangeError('batch ends inside a number');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  int(): number {
    const value = this.uint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  bytes(): Buffer {
    const length = this.uint();
    if (this.#at + length > this.#bytes.length) throw new RangeError('batch ends inside a value');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  codes(count: number, distinct: number): Uint32Array {
    const codes = new Uint32Array(count);
    for (let shift = 0; distinct > 1 && distinct - 1 >= 2 ** shift; shift += 8) {
      if (this.#at + count > this.#bytes.length) throw new RangeError('batch ends inside a column');
      for (let row = 0; row < count; row++) codes[row]! |= this.#bytes[this.#at + row]! << shift;
      this.#at += count;
    }
    for (const code of codes) if (code >= Math.max(1, distinct)) throw new RangeError('batch holds an unknown code');
    return codes;
  }
}
