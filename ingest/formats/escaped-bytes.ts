import { isUtf8 } from 'node:buffer';
import { parseJson } from './json-value.ts';

const BACKSLASH = 92;
const [LOWER_V, LOWER_X] = [118, 120];
/** `\u00`, before the two digits. */
const [...UNICODE_ESCAPE] = Buffer.from('\\u00');
const [...VERTICAL_TAB] = Buffer.from('\\u000b');
/** `\v`, two bytes, becomes six; nothing grows more. */
const MAX_GROWTH = 3;

/**
 * JSON from a log. Apache, and nginx without `escape=json`, write some bytes as `\xhh`, which JSON does not know: they are read as the
 * UTF-8 they are, or else as Latin-1. So is Apache's `\v`.
 *
 * @returns undefined when it is no JSON even so
 */
export function parseLogged(text: string): unknown {
  const value = parseJson(text);
  return value !== undefined || !/\\[xv]/.test(text) ? value : parseJson(withJsonEscapes(Buffer.from(text)));
}

/** Byte by byte: a replacement by pattern takes seconds for a payload that is nothing but escapes. */
function withJsonEscapes(from: Buffer): string {
  const to = Buffer.allocUnsafe(from.length * MAX_GROWTH);
  let [at, end] = [0, 0];
  const put = (bytes: readonly number[]) => {
    for (const byte of bytes) to[end++] = byte;
  };
  while (at < from.length) {
    const byte = byteAt(from, at);
    if (from[at] !== BACKSLASH) to[end++] = from[at++]!;
    else if (byte >= 128) {
      const next = endOfBytes(from, at);
      end = writeBytes(from, at, next, to, end);
      at = next;
    } else if (byte >= 0) {
      put(UNICODE_ESCAPE);
      to[end++] = from[at + 2]!;
      to[end++] = from[at + 3]!;
      at += 4;
    } else if (from[at + 1] === LOWER_V) {
      put(VERTICAL_TAB);
      at += 2;
    } else {
      // Some other escape: whole, because the second half of `\\` begins none.
      to[end++] = from[at++]!;
      if (at < from.length) to[end++] = from[at++]!;
    }
  }
  return to.toString('utf8', 0, end);
}

/** The byte that `\xhh` at this place stands for; -1 when there is no such escape. */
function byteAt(text: Buffer, at: number): number {
  if (text[at] !== BACKSLASH || text[at + 1] !== LOWER_X || at + 4 > text.length) return -1;
  const [high, low] = [hexDigit(text[at + 2]!), hexDigit(text[at + 3]!)];
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Behind the escaped bytes outside ASCII that follow each other from here. */
function endOfBytes(text: Buffer, from: number): number {
  let at = from;
  while (byteAt(text, at) >= 128) at += 4;
  return at;
}

/** Writes the escaped bytes between two places as what they mean. @returns where the written ones end */
function writeBytes(from: Buffer, start: number, end: number, to: Buffer, place: number): number {
  let next = place;
  for (let at = start; at < end; at += 4) to[next++] = byteAt(from, at);
  if (next - place > 1 && isUtf8(to.subarray(place, next))) return next;
  next = place;
  for (let at = start; at < end; at += 4) {
    const byte = byteAt(from, at);
    to[next++] = 0xc0 | (byte >> 6);
    to[next++] = 0x80 | (byte & 0x3f);
  }
  return next;
}
