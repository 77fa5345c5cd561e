import { createHash } from 'node:crypto';
import { isSecretName } from './secret-names.ts';
import { embeddedKey, isVendorKey, looksRandom, PLACEHOLDER, RANDOM_LENGTH, UUID, WORD } from './secret-words.ts';

const SCHEMES = new Set(['bearer', 'basic', 'token', 'apikey', 'digest', 'negotiate']);
const AT = 64;

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
