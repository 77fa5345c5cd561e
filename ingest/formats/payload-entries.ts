import { parseLogged } from './escaped-bytes.ts';
import { isObject, type JsonObject, parseJson } from './json-value.ts';
import { Refusal } from './refusal.ts';

/** One entry of a payload: a JSON object, a line of text, or the reason why it is neither. */
export type Entry = JsonObject | string | Refusal;

/** Arrays up to here are parsed in one go, some 20 ms; longer ones entry by entry, so that no single call takes long. */
const WHOLE_LENGTH = 3 * 1024 * 1024;
const HALF = 'the payload ends in the middle of an entry';

/**
 * The entries of a payload, whichever way they were put together: one object, an array, one object per line,
 * objects without separator (Fluent Bit's json_stream), lines of text, or a mixture.
 *
 * A broken entry is reported and its neighbours are kept: half a payload still counts half the requests.
 */
export function* entriesOf(text: string): Generator<Entry> {
  const reading: Reading = { text, acrossLines: true, joined: false, lineEnd: -1 };
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while ((at = skipBlank(text, at)) < text.length) {
    const first = text.charCodeAt(at);
    if (first === 123) at = yield* objectEntry(reading, at);
    else if (first === 91 && startsArray(text, at)) at = yield* arrayEntries(text, at);
    else at = yield* lineEntry(text, at);
  }
}

interface Reading {
  text: string;
  /** Whether an object may span lines. After one that did not close, each line is on its own: time stays linear. */
  acrossLines: boolean;
  /** Whether objects follow each other without line ends: trying a whole line first would then fail every time. */
  joined: boolean;
  /** End of the line last looked at. Searching it anew for every object of one long line would be quadratic. */
  lineEnd: number;
}

/** `[2026-01-02T03:04:05.678Z] "GET …`: Envoy's text line starts like an array. */
function startsArray(text: string, at: number): boolean {
  const next = text[skipBlank(text, at + 1)] ?? '';
  return '{["]-0123456789tfn'.includes(next) && !/^\[\d{4}-\d{2}-/.test(text.slice(at, at + 9));
}

/** Blanks, line ends, the comma a shipper may leave between objects, and the record separator of JSON sequences. */
function skipBlank(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9 && code !== 44 && code !== 30) break;
  }
  return at;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function* lineEntry(text: string, from: number): Generator<Entry, number> {
  const end = endOfLine(text, from);
  const to = text.charCodeAt(end - 1) === 13 ? end - 1 : end;
  yield text.slice(from, to);
  return end;
}

function* objectEntry(reading: Reading, from: number): Generator<Entry, number> {
  const { text } = reading;
  // The usual cases first: one object per line, or one object in all.
  if (reading.lineEnd < from) reading.lineEnd = endOfLine(text, from);
  const end = reading.lineEnd;
  if (!reading.joined && mayBeObject(text, from) && endsWithBrace(text, end)) {
    const value = parseJson(text.slice(from, end));
    if (value !== undefined) {
      yield entryOf(value);
      return end;
    }
  }
  const close = closingBrace(text, from, reading.acrossLines ? text.length : end);
  const value = close < 0 || !mayBeObject(text, from) ? undefined : parseLogged(text.slice(from, close + 1));
  reading.joined = close >= 0 && text.charCodeAt(close + 1) === 123;
  if (value !== undefined) {
    yield entryOf(value);
    return close + 1;
  }
  if (close < 0 || close > end) reading.acrossLines = false;
  yield new Refusal('', close < 0 && end === text.length ? HALF : 'the entry is not valid JSON');
  // A broken object may seem to contain its neighbours: go on at the next line, not at its supposed end.
  return close < 0 ? end : Math.min(close + 1, end);
}

/** A parser's error costs as much as parsing a kilobyte; most of what is no object shows that in its second character. */
function mayBeObject(text: string, from: number): boolean {
  let at = from + 1;
  while (at < text.length && text.charCodeAt(at) <= 32) at++;
  const code = text.charCodeAt(at);
  return code === 34 || code === 125;
}

function endsWithBrace(text: string, end: number): boolean {
  let last = end - 1;
  while (last > 0 && text.charCodeAt(last) <= 32) last--;
  return text.charCodeAt(last) === 125;
}

function* arrayEntries(text: string, from: number): Generator<Entry, number> {
  if (text.length - from <= WHOLE_LENGTH) {
    const value = parseJson(text.slice(from));
    if (Array.isArray(value)) {
      for (const element of value) yield entryOf(element);
      return text.length;
    }
  }
  let at = from + 1;
  while ((at = skipBlank(text, at)) < text.length) {
    const first = text.charCodeAt(at);
    if (first === 93) return at + 1;
    const end = endOfElement(text, at);
    if (end < 0) {
      yield new Refusal('', HALF);
      return text.length;
    }
    const value = parseLogged(text.slice(at, end));
    yield value === undefined ? new Refusal('', 'is not valid JSON') : entryOf(value);
    at = end;
  }
  return text.length;
}

/** Behind the JSON value at `from`; -1 when the text ends before it does. */
export function endOfElement(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === 123 || first === 91) return closingBrace(text, from, text.length) + 1 || -1;
  if (first === 34) return closingQuote(text, from) + 1 || -1;
  let at = from + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 44 || code === 93 || code === 125) break;
  }
  return at;
}

function closingQuote(text: string, from: number): number {
  let quote = text.indexOf('"', from + 1);
  while (quote > 0) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return quote;
    quote = text.indexOf('"', quote + 1);
  }
  return -1;
}

/** The bracket that closes the one at `from`, counted without recursion: nesting may be as deep as it likes. */
function closingBrace(text: string, from: number, to: number): number {
  let depth = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      // Character by character: strings are short, and a search for each quote costs more than it skips.
      for (at++; at < to; at++) {
        const inner = text.charCodeAt(at);
        if (inner === 34) break;
        if (inner === 92) at++;
      }
      if (at >= to) return -1;
    } else if (code === 123 || code === 91) depth++;
    else if ((code === 125 || code === 93) && --depth === 0) return at;
  }
  return -1;
}

function entryOf(value: unknown): Entry {
  if (isObject(value)) return value;
  // Shippers may send raw lines as an array of strings.
  if (typeof value === 'string') return value;
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return new Refusal('', `an entry must be a JSON object or a log line, not ${kind}`);
}
