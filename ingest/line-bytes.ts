export const QUOTE = 34;
const BACKSLASH = 92;
/** ASCII without control characters: what stands for itself in JSON and as text alike. */
const FIRST_PLAIN = 32;
const LAST_PLAIN = 127;

const EACH_BYTE = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;

/** Whether a byte is ASCII from the blank on and neither a quote nor a backslash. */
export function isPlain(byte: number): boolean {
  return byte >= FIRST_PLAIN && byte <= LAST_PLAIN && byte !== QUOTE && byte !== BACKSLASH;
}

/**
 * Whether all four bytes of a word are plain. May say no for four that are, when a byte after one that is not looks like it: then they
 * are looked at one by one. Source of the test for a zero byte: H. Warren, Hacker's Delight, 2nd edition, 6-1.
 */
export function arePlain(word: number): boolean {
  const control = ((word - EACH_BYTE * FIRST_PLAIN) | 0) & ~word;
  const special = zeroIn(word ^ (EACH_BYTE * QUOTE)) | zeroIn(word ^ (EACH_BYTE * BACKSLASH));
  return ((control | special | word) & HIGH_BITS) === 0;
}

/** Its high bits tell zero bytes, those of the bytes above one perhaps too. */
function zeroIn(word: number): number {
  return ((word - EACH_BYTE) | 0) & ~word;
}

/** The bytes of a body, one by one and four at a time. */
export class LineBytes {
  static readonly NONE = new LineBytes(Buffer.alloc(0));
  readonly bytes: Buffer;
  readonly words: DataView;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether as many bytes at two places are the same. Both must lie inside. */
  areSame(a: number, b: number, length: number): boolean {
    const { bytes, words } = this;
    let at = 0;
    for (; at + 4 <= length; at += 4) if (words.getInt32(a + at, true) !== words.getInt32(b + at, true)) return false;
    for (; at < length; at++) if (bytes[a + at] !== bytes[b + at]) return false;
    return true;
  }

  /** Place behind the quote that ends a text of plain bytes only; -1 for any other. @param from place behind its opening quote */
  textEnd(from: number): number {
    const { bytes, words } = this;
    let at = from;
    for (const lastWord = bytes.length - 4; at <= lastWord; at += 4) if (!arePlain(words.getInt32(at, true))) break;
    while (at < bytes.length && isPlain(bytes[at]!)) at++;
    return bytes[at] === QUOTE ? at + 1 : -1;
  }

  /** Whether a short word stands at a place. */
  has(word: Uint8Array, from: number): boolean {
    for (let at = 0; at < word.length; at++) if (this.bytes[from + at] !== word[at]) return false;
    return true;
  }

  /** The first place from there on that is no space. */
  behindSpaces(from: number): number {
    let at = from;
    while (this.bytes[at] === 32) at++;
    return at;
  }

  /** Place behind the line that ends there, be it with spaces; -1 when something else follows. */
  lineEnd(from: number): number {
    const { bytes } = this;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === 10) return at + 1;
      if (byte !== 32 && byte !== 13 && byte !== 9) return -1;
    }
    return bytes.length;
  }
}
