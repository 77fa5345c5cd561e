import { type LineBytes, QUOTE } from './line-bytes.ts';

const COLON = 58;
/** Names in a line at most of which the next line is expected to have the same at the same place. */
const MAX_EXPECTED = 64;
/** A field that does not count. */
export const UNKNOWN_FIELD = 255;

/**
 * Which field stands where in a line. Senders write the fields of all their records in one order, so the name at a place is first
 * compared with the one that stood there in the line before, four bytes at a time.
 */
export class LineNames {
  readonly #names: readonly Buffer[];
  readonly #wordsOf: readonly Int32Array[];
  readonly #expected = new Uint8Array(MAX_EXPECTED).fill(UNKNOWN_FIELD);
  /** Place behind the colon that {@link read} read. */
  end = 0;

  /** @param names fields are named by their places in this list */
  constructor(names: readonly string[]) {
    this.#names = names.map((name) => Buffer.from(`"${name}":`));
    this.#wordsOf = this.#names.map(wordsOf);
  }

  /**
   * @param place of the name in the line, from 0
   * @returns the field, {@link UNKNOWN_FIELD}, or -1 when no plain name and colon stand there
   */
  read(line: LineBytes, from: number, place: number): number {
    const expected = place < MAX_EXPECTED ? this.#expected[place]! : UNKNOWN_FIELD;
    if (expected !== UNKNOWN_FIELD && this.#isNext(line, from, expected)) return expected;
    if (line.bytes[from] !== QUOTE) return -1;
    const nameEnd = line.textEnd(from + 1);
    if (nameEnd === -1) return -1;
    const colon = line.behindSpaces(nameEnd);
    if (line.bytes[colon] !== COLON) return -1;
    this.end = colon + 1;
    const field = this.#find(line.bytes.subarray(from, nameEnd));
    if (place < MAX_EXPECTED) this.#expected[place] = field;
    return field;
  }

  #isNext({ bytes, words }: LineBytes, from: number, field: number): boolean {
    const name = this.#wordsOf[field]!;
    const { length } = this.#names[field]!;
    if (from + length > bytes.length) return false;
    for (let n = 0; n < name.length; n++) if (words.getInt32(from + wordAt(n, length), true) !== name[n]) return false;
    this.end = from + length;
    return true;
  }

  #find(quoted: Buffer): number {
    const field = this.#names.findIndex((name) => name.length === quoted.length + 1 && name.indexOf(quoted) === 0);
    return field === -1 ? UNKNOWN_FIELD : field;
  }
}

/** Place of the n-th word of a name: the last four bytes overlap those before where its length asks for it. */
function wordAt(n: number, length: number): number {
  return Math.min(n * 4, length - 4);
}

function wordsOf(name: Buffer): Int32Array {
  const words = Array.from({ length: Math.ceil(name.length / 4) }, (_, n) => name.readInt32LE(wordAt(n, name.length)));
  return Int32Array.from(words);
}
