import type { TextColumn } from './column.ts';
import { arePlain, isPlain, LineBytes, QUOTE } from './line-bytes.ts';

export const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** A power of two. */
const SLOTS = 4_096;
/** Texts found again. Further ones become text anew in each row: of paths with ids hardly any comes twice anyway. */
const MAX_KNOWN = SLOTS / 2;
const SLOT_WORDS = 8;
const ROUND = 0;
const HASH = 1;
const FROM = 2;
const LENGTH = 3;
const CODE = 4;
/** Texts made to fall on one place end here and count as new ones, however many there are. */
const MAX_PROBES = 16;

/**
 * The texts of one field in one body, told apart by their bytes: one that was there before costs no string, no check and no look-up
 * in a map. Nothing of a body is kept for the next one.
 *
 * Hash: as FNV-1a (Fowler, Noll, Vo; draft-eastlake-fnv), but of four bytes at a time. It only says where to look; bytes are compared.
 */
export class LineTexts {
  readonly #kept: (text: string) => string;
  /** What a place holds stands together, so that a look takes one line of the processor's cache. */
  readonly #slots = new Int32Array(SLOTS * SLOT_WORDS);
  /** Of this body; what another left behind counts as free. */
  #round = 0;
  #known = 0;
  #bytes = LineBytes.NONE;
  #column: TextColumn | undefined;
  #lastFrom = 0;
  #lastLength = -1;
  #lastCode = 0;
  #emptyCode = -1;
  /** Place behind the closing quote of what {@link read} read. */
  end = 0;

  /** @param kept what is stored of a text; throws for one that is refused */
  constructor(kept: (text: string) => string) {
    this.#kept = kept;
  }

  /** Turns to another body. @param column takes the values */
  begin(bytes: LineBytes, column: TextColumn): void {
    this.#round = (this.#round + 1) | 0;
    if (this.#round === 0) {
      this.#slots.fill(0);
      this.#round = 1;
    }
    this.#known = 0;
    this.#bytes = bytes;
    this.#column = column;
    this.#lastLength = -1;
    this.#emptyCode = -1;
  }

  /** Lets go of the body. */
  done(): void {
    this.#bytes = LineBytes.NONE;
    this.#column = undefined;
  }

  /** Code of a row that does not have the field. */
  absent(): number {
    if (this.#emptyCode === -1) this.#emptyCode = this.#column!.push('');
    return this.#emptyCode;
  }

  /**
   * Reads a text.
   * @param from place behind its opening quote
   * @returns its code, or -1 when it is not plain, does not end, or is refused
   */
  read(from: number): number {
    if (this.#isLast(from)) {
      this.end = from + this.#lastLength + 1;
      return this.#lastCode;
    }
    const { bytes, words } = this.#bytes;
    let at = from;
    let hash = FNV_OFFSET;
    for (const lastWord = bytes.length - 4; at <= lastWord; at += 4) {
      const word = words.getInt32(at, true);
      if (!arePlain(word)) break;
      hash = mixed(hash, word);
    }
    for (; at < bytes.length && isPlain(bytes[at]!); at++) hash = mixed(hash, bytes[at]!);
    if (bytes[at] !== QUOTE) return -1;
    this.end = at + 1;
    const code = this.#codeFor(from, at - from, hash);
    if (code === -1) return -1;
    this.#lastFrom = from;
    this.#lastLength = at - from;
    this.#lastCode = code;
    return code;
  }

  /** Half of the fields have the same text in most lines: comparing it is less than hashing it. */
  #isLast(from: number): boolean {
    const length = this.#lastLength;
    if (length === -1) return false;
    return this.#bytes.bytes[from + length] === QUOTE && this.#bytes.areSame(this.#lastFrom, from, length);
  }

  #codeFor(from: number, length: number, hash: number): number {
    const slots = this.#slots;
    let slot = hash & (SLOTS - 1);
    for (let probe = 0; probe < MAX_PROBES; probe++, slot = (slot + 1) & (SLOTS - 1)) {
      const place = slot * SLOT_WORDS;
      if (slots[place + ROUND] !== this.#round) return this.#remember(place, from, length, hash);
      if (slots[place + HASH] !== hash || slots[place + LENGTH] !== length) continue;
      if (!this.#bytes.areSame(slots[place + FROM]!, from, length)) continue;
      // The newest of the same is the one most likely to be in the processor's cache the next time.
      slots[place + FROM] = from;
      return slots[place + CODE]!;
    }
    return this.#newText(from, length);
  }

  #remember(place: number, from: number, length: number, hash: number): number {
    const code = this.#newText(from, length);
    if (code === -1 || this.#known >= MAX_KNOWN) return code;
    this.#known++;
    const slots = this.#slots;
    slots[place + ROUND] = this.#round;
    slots[place + HASH] = hash;
    slots[place + FROM] = from;
    slots[place + LENGTH] = length;
    slots[place + CODE] = code;
    return code;
  }

  #newText(from: number, length: number): number {
    try {
      return this.#column!.push(this.#kept(this.#bytes.bytes.toString('latin1', from, from + length)));
    } catch {
      return -1;
    }
  }
}

/** A step of the hash. The shift brings high bits down to where the next product takes them in. */
export function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, FNV_PRIME);
  return product ^ (product >>> 15);
}
