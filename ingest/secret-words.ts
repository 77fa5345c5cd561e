/**
 * Which words are secrets: by their vendor's prefix (`ghp_…`, `eyJ….….…`), or by their looks (long, letters and digits mixed at random). One
 * pass over the characters finds the candidates; patterns run on those only, so that ordinary paths and user agents cost a scan and no copy.
 */

/** Stands where a secret stood. */
export const PLACEHOLDER = '{token}';
/** Shortest run of characters that can be a secret by its looks alone. */
export const RANDOM_LENGTH = 32;
/** Prefixes by which vendors make their keys recognisable, with the shortest rest that makes one. */
const VENDOR_KEY =
  /^(?:kt_|sk_|pk_|rk_|gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|xapp-|whsec_|shp(?:at|ca|pa|ss)_|npm_|pypi-|hf_|dop_v1_|lin_api_|figd_|dckr_pat_|sntrys_|phc_|gsk_|xai-|hvs\.|ya29\.)[\w-]{8,}|^(?:sk|pk|rk)-(?=[\w-]*[A-Z0-9])[\w-]{18,}|^(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{12,}$|^AIza[\w-]{20,}|^SG\.[\w-]{16,}|^eyJ[\w-]{8,}/;
/** First characters of {@link VENDOR_KEY}, to ask the pattern rarely. */
const VENDOR_FIRST = new Set([...'ksprgwxnhdlfASeyp'].map((character) => character.charCodeAt(0)));
export const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const HEX = /^[0-9a-f]+$|^[0-9A-F]+$/;
/** 1 = part of a word: letters, digits, `_`, `-`. */
export const WORD = Uint8Array.from({ length: 128 }, (_, code) => (/[\w-]/.test(String.fromCharCode(code)) ? 1 : 0));

/** Whether any word of a path segment is a secret. A bare hex string of 32 digits counts: keys often look like that. */
export function containsSecret(text: string): boolean {
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

export function isVendorKey(text: string, from: number, to: number): boolean {
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
export function embeddedKey(text: string, from: number, to: number): number {
  if (to - from < 12) return -1;
  const found = EMBEDDED_KEY.exec(text.slice(from, to));
  return found === null ? -1 : from + found.index;
}

/**
 * Whether a long word was drawn at random: its kinds of character change every few places. Words put together by
 * people (`get-user-by-id-2`, `listAccountPreferences`) change seldom; UUIDs joined to one another have short parts.
 */
export function looksRandom(word: string, hexCounts: boolean): boolean {
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
