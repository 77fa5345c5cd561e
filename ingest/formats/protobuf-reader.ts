/** Wire types of Protocol Buffers. Groups (3, 4) are obsolete and end the reading. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
const FIXED32 = 5;

/**
 * Reads the wire format of Protocol Buffers in place, without a schema and without copying messages.
 *
 * Never throws: what is cut off or malformed sets `isBroken` and ends the message, and everything read until then stays.
 *
 * ```
 * while (reader.next()) {
 *   if (reader.field === 5 && reader.type === BYTES) name = reader.text();
 *   else reader.skip();
 * }
 * ```
 */
export class ProtobufReader {
  readonly #buffer: Buffer;
  #position: number;
  readonly #end: number;
  field = 0;
  type = VARINT;
  isBroken = false;

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.#buffer = buffer;
    this.#position = start;
    this.#end = end;
  }

  /** Moves to the next field. The value must then be read or skipped. */
  next(): boolean {
    if (this.#position >= this.#end || this.isBroken) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.type = tag % 8;
    if (this.field === 0) this.#break();
    return !this.isBroken;
  }

  /** An unsigned number; beyond 2^53 to the nearest double, which is enough for what is read here. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let bytes = 0; bytes < 10; bytes++) {
      if (this.#position >= this.#end) break;
      const byte = this.#buffer[this.#position++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    this.#break();
    return 0;
  }

  /** A signed 64-bit number, as `int64` encodes it (two's complement in ten bytes). */
  int64(): number {
    const value = this.varint();
    return value >= 2 ** 63 ? value - 2 ** 64 : value;
  }

  fixed64(): number {
    if (!this.#has(8)) return 0;
    const low = this.#buffer.readUInt32LE(this.#position);
    const high = this.#buffer.readUInt32LE(this.#position + 4);
    this.#position += 8;
    return high * 4_294_967_296 + low;
  }

  double(): number {
    if (!this.#has(8)) return 0;
    const value = this.#buffer.readDoubleLE(this.#position);
    this.#position += 8;
    return value;
  }

  /** A nested message, read by a reader of its own. */
  message(): ProtobufReader {
    const length = this.#length();
    const reader = new ProtobufReader(this.#buffer, this.#position, this.#position + length);
    this.#position += length;
    return reader;
  }

  text(): string {
    const length = this.#length();
    const text = this.#buffer.toString('utf8', this.#position, this.#position + length);
    this.#position += length;
    return text;
  }

  /** Bytes as lower-case hex, which is how trace and span ids are written. */
  hex(): string {
    const length = this.#length();
    const text = this.#buffer.toString('hex', this.#position, this.#position + length);
    this.#position += length;
    return text;
  }

  skip(): void {
    if (this.type === VARINT) this.varint();
    else if (this.type === BYTES) this.#skipBytes();
    else if (this.type === FIXED64 && this.#has(8)) this.#position += 8;
    else if (this.type === FIXED32 && this.#has(4)) this.#position += 4;
    else this.#break();
  }

  #skipBytes(): void {
    // Not `position += length()`: reading the length moves the position.
    const length = this.#length();
    this.#position += length;
  }

  #length(): number {
    const length = this.varint();
    return this.#has(length) ? length : 0;
  }

  #has(bytes: number): boolean {
    if (!this.isBroken && this.#position + bytes <= this.#end) return true;
    this.#break();
    return false;
  }

  #break(): void {
    this.isBroken = true;
    this.#position = this.#end;
  }
}

/** An unsigned number in wire format. */
export function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}
