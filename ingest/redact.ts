import { createHash } from 'node:crypto';

/**
 * Taking secrets out of text before it is queued, stored or logged.
 *
 * A secret is known by its neighbour (`Bearer …`, `token=…`), by its vendor's prefix (`ghp_…`, `eyJ….….…`) or by its
 * looks (long, letters and digits mixed at random). One pass over the characters finds the candidates; patterns run on
 * those only, so that ordinary paths and user agents cost a scan and no copy.
 */

/** Names of headers, query parameters and fields whose values are secrets; lower case. */
export const SECRET_NAMES: ReadonlySet<string> = new Set([
  ...[
    'authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'session',
    'sessionid',
    'jsessionid',
    'phpsessid',
  ],
  ...[
    'x-api-key',
    'x_api_key',
    'apikey',
    'api_key',
    'api-key',
    'x-apikey',
    'key',
    'subscription-key',
    'x-functions-key',
  ],
  ...['ocp-apim-subscription-key', 'x-goog-api-key', 'x-auth-token', 'x-access-token', 'x-csrf-token', 'x-xsrf-token'],
  ...['token', 'access_token', 'access-token', 'accesstoken', 'refresh_token', 'id_token', 'auth_token', 'auth', 'jwt'],
  ...[
    'bearer',
    'code',
    'otp',
    'pin',
    'signature',
    'sig',
    'hmac',
    'x-amz-signature',
    'x-amz-security-token',
    'x-amz-credential',
  ],
  ...[
    'awsaccesskeyid',
    'password',
    'passwd',
    'pwd',
    'passphrase',
    'secret',
    'client_secret',
    'client-secret',
    'clientsecret',
  ],
  ...[
    'private_key',
    'private-key',
    'secret_key',
    'secret-key',
    'access_key',
    'access-key',
    'credential',
    'credentials',
  ],
]);

const PLACEHOLDER = '{token}';
/** Shortest run of characters that can be a secret by its looks alone. */
const RANDOM_LENGTH = 32;
/** Parameter names kept of one query. */
const MAX_PARAMETERS = 32;

/** Prefixes by which vendors make their keys recognisable, with the shortest rest that makes one. */
const VENDOR_KEY =
  /^(?:kt_|sk_|pk_|rk_|gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|xapp-|whsec_|shp(?:at|ca|pa|ss)_|npm_|pypi-|hf_|dop_v1_|lin_api_|figd_|dckr_pat_|sntrys_|phc_|gsk_|xai-|hvs\.|ya29\.)[\w-]{8,}|^(?:sk|pk|rk)-(?=[\w-]*[A-Z0-9])[\w-]{18,}|^(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{12,}$|^AIza[\w-]{20,}|^SG\.[\w-]{16,}|^eyJ[\w-]{8,}/;
/** First characters of {@link VENDOR_KEY}, to ask the pattern rarely. */
const VENDOR_FIRST = new Set([...'ksprgwxnhdlfASeyp'].map((character) => character.charCodeAt(0)));
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const HEX = /^[0-9a-f]+$|^[0-9A-F]+$/;
const SCHEMES = new Set(['bearer', 'basic', 'token', 'apikey', 'digest', 'negotiate']);

const AT = 64;
/** 1 = part of a word: letters, digits, `_`, `-`. */
const WORD = Uint8Array.from({ length: 128 }, (_, code) => (/[\w-]/.test(String.fromCharCode(code)) ? 1 : 0));

/** Whether a header, parameter or field of this name holds a secret. */
export function isSecretName(name: string): boolean {
  const lower = name.toLowerCase();
  return (
    SECRET_NAMES.has(lower) || /(?:[_.-]|^x)(?:token|secret|password|passwd|apikey|api[_-]?key|signature)$/.test(lower)
  );
}

/**
 * A path fit to be stored: query values gone and their names kept, fragment and userinfo gone, secrets in segments
 * replaced by `{token}`. The same for a URL that stands in the path, plain (`/proxy/https://…`) or escaped (`/login/https%3A%2F%2F…%3F…`).
 *
 * @param path as requested, with or without query, or an absolute URL
 */
export function redactPath(path: string): string {
  const hash = path.indexOf('#');
  const whole = hash < 0 ? path : path.slice(0, hash);
  const query = whole.indexOf('?');
  const front = redactSegments(dropUserinfo(query < 0 ? whole : whole.slice(0, query)));
  return query < 0 ? front : front + redactQuery(whole.slice(query + 1));
}

/** Of a path or of URLs in it; a proxy may have made one slash of two. */
const USERINFO = /(^\/\/|:\/{1,2})[^/]*@/g;

function dropUserinfo(path: string): string {
  return path.includes('@') ? path.replace(USERINFO, '$1') : path;
}

function redactQuery(query: string): string {
  if (query === '') return '';
  const names: string[] = [];
  for (const part of query.split(/[&;]/, MAX_PARAMETERS + 1)) {
    if (part === '') continue;
    if (names.length === MAX_PARAMETERS) {
      names.push('…');
      break;
    }
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    // A key sent as `?kt_…` without a value stands where a name should be.
    names.push(name.length > 100 || segmentIsSecret(name) ? PLACEHOLDER : name);
  }
  return names.length === 0 ? '' : '?' + names.join('&');
}

function redactSegments(path: string, redact = redactSegment): string {
  if (path.length < 8) return path;
  let clean = '';
  let copied = 0;
  let from = 0;
  while (from <= path.length) {
    const slash = path.indexOf('/', from);
    const to = slash < 0 ? path.length : slash;
    if (to - from >= 8) {
      const segment = path.slice(from, to);
      const kept = redact(segment);
      if (kept !== segment) {
        clean += path.slice(copied, from) + kept;
        copied = to;
      }
    }
    from = to + 1;
  }
  return copied === 0 ? path : clean + path.slice(copied);
}

function redactSegment(segment: string): string {
  if (!segment.includes('%') || !HIDING_ESCAPE.test(segment)) return redactPlain(segment);
  const plain = unescaped(segment);
  const kept = redactHidden(plain);
  return kept === plain ? segment : kept.replace(RESERVED, encodeURIComponent);
}

/** Matrix parameters (`;jsessionid=…`) and `token=…` as a segment: same rule as in a query. */
function redactPlain(segment: string): string {
  if (segment.includes('=') || segment.includes(';')) return redactPairs(segment);
  return segmentIsSecret(segment) ? PLACEHOLDER : segment;
}

function redactPairs(segment: string): string {
  const semicolons = segment.includes(';') ? segment.split(';') : [segment];
  let count = 0;
  const pairs = (part: string) =>
    part
      .split('&')
      .map((pair) => redactPair(pair, count++))
      .join('&');
  return semicolons.map(pairs).join(';');
}

/** Escaped once more for each hop that passed it on. */
const MAX_ESCAPES = 3;
/** Of `#`, `%`, `&`, `/`, `:`, `;`, `=`, `?` and `@`: without any, a segment is what it looks like. */
const HIDING_ESCAPE = /%(?:2[356f]|3[abdf]|40)/i;
const ESCAPED_ASCII = /%[2-7][0-9a-f]/gi;
/** What would end or split a segment. */
const RESERVED = /[?#/:@=&;\s]/g;

/** Printable ASCII only: nothing else makes a URL a URL, and what is malformed hides nothing. */
function unescaped(segment: string): string {
  let plain = segment;
  for (let round = 0; round < MAX_ESCAPES && plain.includes('%'); round++) {
    plain = plain.replace(ESCAPED_ASCII, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
  }
  return plain;
}

/** A segment without its escapes: perhaps a whole URL, with a query or with a fragment that is used like one. */
function redactHidden(plain: string): string {
  const mark = plain.search(/[?#]/);
  const hasQuery = mark >= 0 && (plain[mark] === '?' || plain.includes('=', mark));
  const front = redactSegments(dropUserinfo(hasQuery ? plain.slice(0, mark) : plain), redactPlain);
  return hasQuery ? front + redactQuery(plain.slice(mark + 1)) : front;
}

function redactPair(part: string, index: number): string {
  const equals = part.indexOf('=');
  if (equals < 0) return segmentIsSecret(part) ? PLACEHOLDER : part;
  const name = segmentIsSecret(part.slice(0, equals)) ? PLACEHOLDER : part.slice(0, equals);
  if (index > 0) return name;
  const secret = isSecretName(name) || segmentIsSecret(part.slice(equals + 1));
  return secret ? `${name}=${PLACEHOLDER}` : `${name}${part.slice(equals)}`;
}

function segmentIsSecret(segment: string): boolean {
  if (segment.length < 8) return false;
  let text = segment;
  if (segment.includes('%')) {
    try {
      text = decodeURIComponent(segment);
    } catch {
      // Malformed escapes hide nothing: the text is judged as it stands.
    }
  }
  return containsSecret(text);
}

/** Whether any word of a path segment is a secret. A bare hex string of 32 digits counts: keys often look like that. */
function containsSecret(text: string): boolean {
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 0;
    if (code < 128 && WORD[code] === 1) continue;
    if (i - from >= 8) {
      const word = text.slice(from, i);
      if (isVendorKey(text, from, i) || (word.length >= RANDOM_LENGTH && !UUID.test(word) && looksRandom(word, true))) {
        return true;
      }
    }
    from = i + 1;
  }
  return false;
}

function isVendorKey(text: string, from: number, to: number): boolean {
  if (!VENDOR_FIRST.has(text.charCodeAt(from))) {
    // `x_kt_…`, `id-sk_live_…`: a key behind a joiner is still a key.
    return embeddedKey(text, from, to) >= 0;
  }
  // `ya29.` and `SG.` continue after their dot.
  const end = text.charCodeAt(to) === 46 ? Math.min(text.length, to + 80) : to;
  return VENDOR_KEY.test(text.slice(from, end)) || embeddedKey(text, from, to) >= 0;
}

const EMBEDDED_KEY =
  /(?:[_-]|^)(?:kt_|[spr]k_(?:live|test)_|gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|whsec_)[\w-]{8}/;

/** Where inside a word a key with an unmistakable prefix begins; -1 when there is none. */
function embeddedKey(text: string, from: number, to: number): number {
  if (to - from < 12) return -1;
  const found = EMBEDDED_KEY.exec(text.slice(from, to));
  return found === null ? -1 : from + found.index;
}

/**
 * Whether a long word was drawn at random: its kinds of character change every few places. Words put together by
 * people (`get-user-by-id-2`, `listAccountPreferences`) change seldom; UUIDs joined to one another have short parts.
 */
function looksRandom(word: string, hexCounts: boolean): boolean {
  for (const part of word.split(/[-_]+/)) {
    if (part.length < 16) continue;
    if (HEX.test(part)) {
      if (hexCounts && part.length >= RANDOM_LENGTH && /\d/.test(part)) return true;
      continue;
    }
    if (changesOf(part) > part.length * 0.28) return true;
  }
  return false;
}

/** Changes between lower case, upper case and digits; a capital followed by small letters is one word, not a change. */
function changesOf(part: string): number {
  let changes = 0;
  let before = 0;
  for (let i = 0; i < part.length; i++) {
    const code = part.charCodeAt(i);
    const kind = code <= 57 ? 1 : code <= 90 ? 2 : 3;
    if (i > 0 && kind !== before && !(before === 2 && kind === 3)) changes++;
    before = kind;
  }
  return changes;
}

/**
 * Free text fit to be stored: bearer tokens, values of secret names (`api_key=…`, `"password": "…"`) and everything that
 * looks like a key are replaced by `{token}`. UUIDs and plain hex ids stay, because request and trace ids look like that;
 * use {@link redactIdentity} where two different values must stay different.
 */
export function redactText(text: string): string {
  if (text.length < 8) return text;
  let clean = '';
  let copied = 0;
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 0;
    if (code < 128 && WORD[code] === 1) continue;
    if (i - from >= 3 || code === AT) {
      const secret = (code === AT ? userinfoAround(text, i) : undefined) ?? secretAt(text, from, i);
      if (secret !== undefined && secret.to > copied) {
        clean += text.slice(copied, secret.from) + PLACEHOLDER;
        copied = secret.to;
        i = Math.max(i, secret.to - 1);
      }
    }
    from = i + 1;
  }
  return copied === 0 ? text : clean + text.slice(copied);
}

interface Span {
  from: number;
  to: number;
}

/** Longest user and password that are looked for on either side of an `@`. */
const MAX_USERINFO = 300;

/** `user:password` of a URL, before the `@` at `at`. Looked for backwards: most texts have no such sign and pay nothing. */
function userinfoAround(text: string, at: number): Span | undefined {
  let from = at;
  while (from > 0 && at - from < MAX_USERINFO && !endsAuthority(text.charCodeAt(from - 1))) from--;
  if (from === at || !text.startsWith('://', from - 3)) return undefined;
  let to = at;
  for (let i = at; i < text.length && i - at < MAX_USERINFO && !endsAuthority(text.charCodeAt(i)); i++) {
    if (text.charCodeAt(i) === AT) to = i;
  }
  return { from, to };
}

/** A blank, a quote, a slash, or a bracket that held the address. */
function endsAuthority(code: number): boolean {
  return code <= 32 || code === 34 || code === 39 || code === 47 || code === 60 || code === 62 || code === 96;
}

/** The secret that the word at `from`..`to` is or announces. */
function secretAt(text: string, from: number, to: number): Span | undefined {
  const length = to - from;
  const next = text.charCodeAt(to);
  // '=' ':' and a quote before either; a blank after a scheme such as Bearer.
  if (next === 61 || next === 58 || next === 34 || next === 39 || next === 37 || next === 92) {
    const value = valueAfter(text, to);
    if (value >= 0 && length <= 40 && isSecretName(text.slice(from, to))) return valueSpan(text, value, from, to);
  } else if (next === 32 && length <= 9 && SCHEMES.has(text.slice(from, to).toLowerCase())) {
    const end = endOfValue(text, to + 1);
    // "token expired" is a sentence, `Bearer x` never is.
    const sure = length === 6 && (text.charCodeAt(from) | 32) === 98;
    if (end > to + 1 && (sure || /[\d_+/=]|[a-z][A-Z]/.test(text.slice(to + 1, end)))) return { from: to + 1, to: end };
  }
  if (length < 11) return undefined;
  if (isVendorKey(text, from, to))
    return { from: Math.max(from, embeddedKey(text, from, to)), to: endOfToken(text, to) };
  if (length < RANDOM_LENGTH) return undefined;
  const word = text.slice(from, to);
  return !UUID.test(word) && looksRandom(word, false) ? { from, to: endOfToken(text, to) } : undefined;
}

/** Where the value behind `name=`, `name: ` or `"name":"` begins; -1 when none follows. */
function valueAfter(text: string, to: number): number {
  const found = /^(?:\\?["'])?\s{0,2}(?:[=:]|%3[dD]|%3[aA])\s{0,2}(?:\\?["'[]){0,3}/.exec(text.slice(to, to + 14));
  return found === null || found[0].length === 0 || to + found[0].length >= text.length ? -1 : to + found[0].length;
}

function valueSpan(text: string, value: number, from: number, to: number): Span | undefined {
  const name = text.slice(from, to).toLowerCase();
  let end = endOfValue(text, value);
  if (name === 'cookie' || name === 'set-cookie') {
    const quote = text.indexOf('"', value);
    end = quote < 0 ? text.length : quote;
  } else if (text.charCodeAt(end) === 32 && SCHEMES.has(text.slice(value, end).toLowerCase())) {
    end = endOfValue(text, end + 1);
  }
  return end > value ? { from: value, to: end } : undefined;
}

function endOfValue(text: string, from: number): number {
  let i = from;
  while (i < text.length && !/[\s&;,"'<>()[\]{}\\]/.test(text[i] as string)) i++;
  return i;
}

/** Keys continue over dots and base 64 signs: a JWT has three parts. */
function endOfToken(text: string, from: number): number {
  let i = from;
  while (i < text.length && /[\w.+/=~-]/.test(text[i] as string)) i++;
  return i;
}

/**
 * A request id fit to be stored. Where {@link redactText} would put the same placeholder for every value, two requests
 * would become one duplicate; a value that looks like a secret, or is too long to be kept whole, is therefore hashed.
 *
 * @param maxLength longest text kept as it is, in UTF-16 code units
 */
export function redactIdentity(text: string, maxLength = 128): string {
  if (text.length <= maxLength && redactText(text) === text) return text;
  return 'sha256:' + createHash('sha256').update(text).digest('hex').slice(0, 40);
}

/** Whether text contains a key or JWT that is known by its prefix: certain, unlike a guess from its looks. */
export function looksLikeKey(text: string): boolean {
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 0;
    if (code < 128 && WORD[code] === 1) continue;
    if (i - from >= 8 && isVendorKey(text, from, i)) return true;
    from = i + 1;
  }
  return false;
}
