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

function packGroup(bytes: Uint8Array, from: number, pairs: Uint16Array, to: number): void {
  let held = 0;
  let bits = 0;
  let at = to;
  for (let i = from; i < from + BYTES_PER_GROUP; i++) {
    held |= bytes[i]! << bits;
    bits += 8;
    if (bits >= BITS) {
      pairs[at++] = PAIR_OF[held & (VALUES - 1)]!;
      held >>>= BITS;
      bits -= BITS;
    }
  }
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
  let isOurs = true;
  let at = 0;
  let held = 0;
  let bits = 0;
  // A group ends on a whole byte, so groups need not be told apart here.
  for (const pair of pairs) {
    const value = VALUE_OF[pair]!;
    if (value === VALUES) isOurs = false;
    held |= value << bits;
    bits += BITS;
    while (bits >= 8) {
      bytes[at++] = held;
      held >>>= 8;
      bits -= 8;
    }
  }
  if (!isOurs) throw new RangeError('packed text holds a foreign character');
  return bytes;
}
