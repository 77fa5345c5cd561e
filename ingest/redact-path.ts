import { isSecretName } from './secret-names.ts';
import { containsSecret, PLACEHOLDER } from './secret-words.ts';

/** Parameter names kept of one query. */
const MAX_PARAMETERS = 32;

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
