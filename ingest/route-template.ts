import { isIP } from 'node:net';

/**
 * Route templates: `/v1/users/8123/orders` -> `/v1/users/{id}/orders`.
 *
 * Deciding per segment, from its characters alone, keeps the result independent of what was seen before: two processes
 * and two runs give the same template. Everything here is one pass over the characters, so a hostile path costs no
 * more than its length.
 */

/** More segments than this are summed up as `/…`: deeper paths are file trees, not endpoints. */
const MAX_SEGMENTS = 16;
/** A template longer than this is cut at a segment, well below what a record may carry. */
const MAX_TEMPLATE_LENGTH = 400;
/** Longest segment that is believed to be a name somebody chose. */
const MAX_LITERAL_LENGTH = 64;
/** From here on a mixed string is a token; shorter ones are ids. */
const TOKEN_LENGTH = 20;

const LOWER = 1;
const UPPER = 2;
const DIGIT = 4;
const JOINER = 8;
const DOT = 16;
const OTHER = 32;

/** Kind of each ASCII character; everything beyond is OTHER. */
const CHARACTER_KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[a-z]/.test(character)) return LOWER;
  if (/[A-Z]/.test(character)) return UPPER;
  if (/[0-9]/.test(character)) return DIGIT;
  if (character === '-' || character === '_') return JOINER;
  return character === '.' ? DOT : OTHER;
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Crockford's base 32: no I, L, O, U. The first character holds three bits only. */
const ULID = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/i;
const DATE = /^(?:19|20)\d{2}-(?:[01]\d(?:-[0-3]\d)?|W[0-5]\d)(?:[T _]\d{2}[:.-]?\d{2}[^/]{0,24})?$/i;
const VERSION_NAME = /^v\d{1,3}(?:[._-]?\d{1,3}){0,2}(?:[._-]?(?:alpha|beta|rc|preview|p)\d{0,3}){0,2}$/i;
const VERSION_NUMBER = /^\d{1,3}\.\d{1,3}(?:\.\d{1,5})?(?:[-+.][0-9A-Za-z.-]{1,24})?$/;
const EMAIL = /^[^@\s]{1,64}@[^@\s.]{1,63}(?:\.[^@\s.]{1,63}){1,8}$/;
const EXTENSION = /^(?:[A-Za-z][A-Za-z0-9]{0,4}|7z)$/;
const HEX = /^(?:0x)?[0-9a-fA-F]+$/;
/** Names with three digits that are words of the trade, not the 256th of something. */
const WORDS_WITH_NUMBER = /^(?:sha|es|rs|ps|hs|p|aes|h|x|k|utf|iso|crc)-?(?:128|192|224|256|264|265|384|509|512|521)$/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what makes a segment unprintable.
const UNPRINTABLE = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029\ufffd/?#%]/;

/**
 * The endpoint a path belongs to.
 *
 * @param path path as requested; a query, a fragment and an origin in front are ignored
 * @returns a template that starts with `/`: variable segments are `{id}` (numbers, short ids), `{uuid}`, `{ulid}`,
 *   `{hash}` (32 and more hex digits), `{date}`, `{email}`, `{ip}`, `{version}`, `{token}` (long and mixed) or `{text}`
 *   (nothing a developer would type); the rest is kept. Trailing and double slashes and `;a=b` are dropped.
 */
export function templateOf(path: string): string {
  const end = endOfPath(path);
  let from = startOfPath(path, end);
  let template = '';
  let segments = 0;
  let previous = '';
  while (from < end) {
    const slash = path.indexOf('/', from);
    const to = slash < 0 || slash > end ? end : slash;
    if (to > from) {
      if (segments === MAX_SEGMENTS || template.length > MAX_TEMPLATE_LENGTH) return template + '/…';
      // Past its thousandth character a segment can only be a token: no need to look at the rest.
      const kept = segmentTemplate(path.slice(from, Math.min(to, from + 1000)), segments === 0 || previous === 'api');
      if (kept !== '') {
        template += '/' + kept;
        segments++;
        previous = kept;
      }
    }
    from = to + 1;
  }
  return template === '' ? '/' : template;
}

export function endOfPath(path: string): number {
  const query = path.indexOf('?');
  const end = query < 0 ? path.length : query;
  const fragment = path.indexOf('#');
  return fragment >= 0 && fragment < end ? fragment : end;
}

/** Where the path begins: proxies log absolute URLs (`GET https://host/path`). */
export function startOfPath(path: string, end: number): number {
  if (path.charCodeAt(0) === 47) return 0;
  const scheme = path.indexOf('://');
  if (scheme < 0 || scheme > 16 || scheme > end) return 0;
  const slash = path.indexOf('/', scheme + 3);
  return slash < 0 || slash > end ? end : slash;
}

function kindsOf(text: string): number {
  let kinds = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    kinds |= code < 128 ? (CHARACTER_KINDS[code] as number) : OTHER;
  }
  return kinds;
}

/** @param versionExpected whether `2024-10` or `2.0` would name the API's version here, not a piece of data */
function segmentTemplate(raw: string, versionExpected: boolean): string {
  const semicolon = raw.indexOf(';');
  let segment = semicolon < 0 ? raw : raw.slice(0, semicolon);
  const kinds = kindsOf(segment);
  if ((kinds & ~(LOWER | JOINER)) === 0 && segment.length <= 32) return segment;
  if (segment.charCodeAt(0) === 123 && segment.endsWith('}') && segment.length <= MAX_LITERAL_LENGTH) return segment;
  if ((kinds & OTHER) !== 0 && segment.includes('%')) {
    const decoded = decode(segment);
    if (decoded === '' || UNPRINTABLE.test(decoded)) return segment === '' ? '' : '{text}';
    segment = decoded;
    return classify(segment, kindsOf(segment), versionExpected);
  }
  return classify(segment, kinds, versionExpected);
}

export function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '';
  }
}

function classify(segment: string, kinds: number, versionExpected: boolean): string {
  if (kinds === DIGIT) return '{id}';
  if ((kinds & OTHER) !== 0) return classifyPunctuated(segment, versionExpected);
  if ((kinds & DIGIT) !== 0) {
    if (VERSION_NAME.test(segment)) return segment;
    if (UUID.test(segment)) return '{uuid}';
    if (DATE.test(segment)) return versionExpected ? segment : '{date}';
    if ((kinds & DOT) !== 0 && isIP(segment) !== 0) return '{ip}';
    if (VERSION_NUMBER.test(segment)) return versionExpected ? segment : '{version}';
  }
  if ((kinds & DOT) !== 0) return classifyFile(segment);
  return wordOrId(segment, kinds);
}

/** `logo.png` stays, `8123.json` becomes `{id}.json`: the extension is part of the endpoint. */
function classifyFile(segment: string): string {
  const dot = segment.lastIndexOf('.');
  const extension = segment.slice(dot + 1);
  if (dot > 0 && EXTENSION.test(extension)) {
    const stem = segment.slice(0, dot);
    const kept = UUID.test(stem) ? '{uuid}' : wordOrId(stem, kindsOf(stem));
    return kept === stem ? segment : `${kept}.${extension}`;
  }
  return wordOrId(segment, kindsOf(segment));
}

/** Segments with characters beyond letters, digits, `-`, `_` and `.`. */
function classifyPunctuated(segment: string, versionExpected: boolean): string {
  if (EMAIL.test(segment)) return '{email}';
  if (DATE.test(segment)) return versionExpected ? segment : '{date}';
  const colon = segment.lastIndexOf(':');
  if (colon > 0) {
    if (isIP(segment) !== 0) return '{ip}';
    // `/v1/jobs/8123:cancel`: the verb after the colon is part of the endpoint.
    const verb = segment.slice(colon + 1);
    if (kindsOf(verb) <= (LOWER | UPPER) && verb.length >= 3 && verb.length <= 40) {
      const head = segment.slice(0, colon);
      return `${classify(head, kindsOf(head), false)}:${verb}`;
    }
  }
  const bracket = segment.indexOf('(');
  if (bracket > 0 && segment.endsWith(')')) {
    // OData: `Orders(8123)`; `now()` is a function without data.
    const name = segment.slice(0, bracket);
    return bracket === segment.length - 2 ? segment : `${classify(name, kindsOf(name), false)}({id})`;
  }
  if (segment.length > MAX_LITERAL_LENGTH) return /\s/.test(segment) ? '{text}' : '{token}';
  // Coordinates, ranges and lists of numbers: no letter, so no name.
  if (/\d/.test(segment) && !/\p{L}/u.test(segment)) return '{id}';
  return anyPartIsId(segment) ? idName(segment) : segment;
}

function anyPartIsId(segment: string): boolean {
  for (const part of segment.split(/[^\p{L}\p{N}]+/u, 32)) {
    if (part !== '' && partIsId(part, kindsOf(part), true)) return true;
  }
  return false;
}

function idName(segment: string): string {
  return segment.length >= TOKEN_LENGTH ? '{token}' : '{id}';
}

function wordOrId(segment: string, kinds: number): string {
  if ((kinds & (LOWER | UPPER)) === 0 && (kinds & DIGIT) !== 0) return '{id}';
  if (segment.length === 26 && ULID.test(segment)) return '{ulid}';
  if (segment.length >= 8 && HEX.test(segment)) return segment.length >= 32 ? '{hash}' : '{id}';
  if (segment.length > MAX_LITERAL_LENGTH) return '{token}';
  if ((kinds & (JOINER | DOT)) === 0) return partIsId(segment, kinds, false) ? idName(segment) : segment;
  if (WORDS_WITH_NUMBER.test(segment)) return segment;
  let longest = 0;
  let found = false;
  for (const part of segment.split(/[-_.]/)) {
    if (part.length > longest) longest = part.length;
    if (!found && part !== '' && partIsId(part, kindsOf(part), true)) found = true;
  }
  if (!found) return segment;
  return longest >= 16 ? '{token}' : '{id}';
}

/**
 * Whether an unbroken run of letters and digits identifies a thing rather than names it.
 * Words with digits (`oauth2`, `s3`, `i18n`, `2fa`) carry one group of at most two digits.
 *
 * @param joined part of a longer segment: `us-east-1` is a name, `order-8123` is not
 */
function partIsId(part: string, kinds: number, joined: boolean): boolean {
  if (kinds === DIGIT) return joined ? part.length > 2 : true;
  if ((kinds & DIGIT) === 0) return lettersAreRandom(part, kinds);
  if (part.length >= 8 && HEX.test(part)) return true;
  let digits = 0;
  let groups = 0;
  let inGroup = false;
  for (let i = 0; i < part.length; i++) {
    const code = part.charCodeAt(i);
    const isDigit = code >= 48 && code <= 57;
    if (isDigit) {
      digits++;
      if (!inGroup) groups++;
    }
    inGroup = isDigit;
  }
  if (groups === 1 && digits <= 2 && part.length <= 24) return lettersAreRandom(part, kinds);
  return !WORDS_WITH_NUMBER.test(part);
}

/** camelCase has a capital every few letters; random letters have one every second. */
function lettersAreRandom(part: string, kinds: number): boolean {
  if (part.length < 12) return false;
  if ((kinds & (LOWER | UPPER)) !== (LOWER | UPPER)) return part.length > 40;
  let rises = 0;
  for (let i = 1; i < part.length; i++) {
    const before = CHARACTER_KINDS[part.charCodeAt(i - 1)];
    if (before === LOWER && CHARACTER_KINDS[part.charCodeAt(i)] === UPPER) rises++;
  }
  return rises * 4.5 > part.length;
}
