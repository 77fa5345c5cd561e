/**
 * Bytes as text that needs no escaping in JSON: 13 bits in two characters, 16 characters for 13 bytes (base 64 takes 17.3).
 * The pairs come from tables, so it costs about as little as base 64. The idea of 13 bits in two of 91 characters is that of
 * basE91 (J. Henke, http://base91.sourceforge.net); the order of bits and the alphabet here are our own.
 */

const BITS = 13;
const VALUES = 1 << BITS;
const BYTES_PER_GROUP = 13;
const PAIRS_PER_GROUP = 8;
/** Printable ASCII without the space, quote and backslash, of which 91 are needed. */
const ALPHABET = Array.from({ length: 94 }, (_, n) => 33 + n)
  .filter((code) => code !== 34 && code !== 92)
  .slice(0, 91);

/** Two characters of each value, as they lie in memory on this machine's byte order. */
const PAIR_OF = new Uint16Array(VALUES);
/** The value of a pair; VALUES where there is none. */
const VALUE_OF = new Uint16Array(65_536).fill(VALUES);
for (let value = 0; value < VALUES; value++) {
  const bytes = Uint8Array.of(ALPHABET[value % ALPHABET.length]!, ALPHABET[Math.floor(value / ALPHABET.length)]!);
  const pair = new Uint16Array(bytes.buffer)[0]!;
  PAIR_OF[value] = pair;
  VALUE_OF[pair] = value;
}

/** The length of the bytes must be kept elsewhere, or be told by themselves: the last group is filled with zeros. */
export function packText(bytes: Uint8Array): string {
  const groups = Math.ceil(bytes.length / BYTES_PER_GROUP);
  const pairs = new Uint16Array(groups * PAIRS_PER_GROUP);
  const whole = Math.floor(bytes.length / BYTES_PER_GROUP);
  for (let group = 0; group < whole; group++) packGroup(bytes, group * BYTES_PER_GROUP, pairs, group * PAIRS_PER_GROUP);
  if (groups > whole) {
    const last = new Uint8Array(BYTES_PER_GROUP);
    last.set(bytes.subarray(whole * BYTES_PER_GROUP));
    packGroup(last, 0, pairs, whole * PAIRS_PER_GROUP);
  }
  return Buffer.from(pairs.buffer).toString('latin1');
}

/** Written out, because a loop over bits takes three times as long. */
function packGroup(b: Uint8Array, from: number, pairs: Uint16Array, to: number): void {
  const [b1, b3, b4] = [b[from + 1]!, b[from + 3]!, b[from + 4]!];
  const [b6, b8, b9, b11] = [b[from + 6]!, b[from + 8]!, b[from + 9]!, b[from + 11]!];
  pairs[to] = PAIR_OF[b[from]! | ((b1 & 31) << 8)]!;
  pairs[to + 1] = PAIR_OF[(b1 >> 5) | (b[from + 2]! << 3) | ((b3 & 3) << 11)]!;
  pairs[to + 2] = PAIR_OF[(b3 >> 2) | ((b4 & 127) << 6)]!;
  pairs[to + 3] = PAIR_OF[(b4 >> 7) | (b[from + 5]! << 1) | ((b6 & 15) << 9)]!;
  pairs[to + 4] = PAIR_OF[(b6 >> 4) | (b[from + 7]! << 4) | ((b8 & 1) << 12)]!;
  pairs[to + 5] = PAIR_OF[(b8 >> 1) | ((b9 & 63) << 7)]!;
  pairs[to + 6] = PAIR_OF[(b9 >> 6) | (b[from + 10]! << 2) | ((b11 & 7) << 10)]!;
  pairs[to + 7] = PAIR_OF[(b11 >> 3) | (b[from + 12]! << 5)]!;
}

/** The other way round. @returns all values joined by `or`: it reaches VALUES when one of the pairs was not ours */
function unpackGroup(pairs: Uint16Array, from: number, b: Uint8Array, to: number): number {
  const v0 = VALUE_OF[pairs[from]!]!;
  const v1 = VALUE_OF[pairs[from + 1]!]!;
  const v2 = VALUE_OF[pairs[from + 2]!]!;
  const v3 = VALUE_OF[pairs[from + 3]!]!;
  const v4 = VALUE_OF[pairs[from + 4]!]!;
  const v5 = VALUE_OF[pairs[from + 5]!]!;
  const v6 = VALUE_OF[pairs[from + 6]!]!;
  const v7 = VALUE_OF[pairs[from + 7]!]!;
  b[to] = v0;
  b[to + 1] = (v0 >> 8) | (v1 << 5);
  b[to + 2] = v1 >> 3;
  b[to + 3] = (v1 >> 11) | (v2 << 2);
  b[to + 4] = (v2 >> 6) | (v3 << 7);
  b[to + 5] = v3 >> 1;
  b[to + 6] = (v3 >> 9) | (v4 << 4);
  b[to + 7] = v4 >> 4;
  b[to + 8] = (v4 >> 12) | (v5 << 1);
  b[to + 9] = (v5 >> 7) | (v6 << 6);
  b[to + 10] = v6 >> 2;
  b[to + 11] = (v6 >> 10) | (v7 << 3);
  b[to + 12] = v7 >> 5;
  return v0 | v1 | v2 | v3 | v4 | v5 | v6 | v7;
}

/**
 * Bytes of {@link packText}, with up to 12 zeros behind them.
 * @throws RangeError when the text was not made by it
 */
export function unpackText(text: string): Buffer {
  const characters = Buffer.from(text, 'latin1');
  if (characters.length !== text.length || characters.length % (2 * PAIRS_PER_GROUP) !== 0) {
    throw new RangeError('packed text has the wrong length');
  }
  const groups = characters.length / (2 * PAIRS_PER_GROUP);
  const pairs = new Uint16Array(groups * PAIRS_PER_GROUP);
  new Uint8Array(pairs.buffer).set(characters);
  const bytes = Buffer.allocUnsafe(groups * BYTES_PER_GROUP);
  let seen = 0;
  for (let group = 0; group < groups; group++) {
    seen |= unpackGroup(pairs, group * PAIRS_PER_GROUP, bytes, group * BYTES_PER_GROUP);
  }
  if (seen >= VALUES) throw new RangeError('packed text holds a foreign character');
  return bytes;
}
