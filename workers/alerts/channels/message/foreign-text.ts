/**
 * Text that somebody else wrote: names of keys, routes, user agents, reasons. Before any channel sees it, it becomes one line
 * of visible characters of bounded length; each renderer then escapes what its own markup would read.
 */

/** Marks that turn the direction of what stands beside them (Unicode UAX 9), so that text lies about its order. */
const DIRECTION = String.raw`\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069`;
/** Characters without a shape: zero width, soft hyphen, tags, byte order mark. They hide text and split words. */
const SHAPELESS = /\p{Default_Ignorable_Code_Point}|\p{Cf}|\u2800/gu;
/** Controls, halves of pairs, line separators and code points that are no characters. */
const REPLACED = new RegExp(String.raw`[${DIRECTION}\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]`, 'gu');
/** More marks than any script stacks on one letter run over the lines around them. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;

/**
 * One line of at most `maxLength` code units that shows what it holds: line ends become spaces, control characters and
 * direction marks '�', invisible characters go, the rest is cut with '…'.
 */
export function cleanText(text: string, maxLength: number): string {
  // Cut first: nobody pays for the 4 KB that will not be shown.
  const line = text
    .slice(0, maxLength * 4)
    .replace(/[\t\n\v\f\r\u0085]+/g, ' ')
    .replace(REPLACED, '\uFFFD')
    .replace(SHAPELESS, '')
    .replace(STACKED_MARKS, '$1')
    .replace(/\p{Zs}+/gu, ' ')
    .trim();
  return cut(line, maxLength, text.length > maxLength * 4);
}

function cut(line: string, maxLength: number, wasCut: boolean): string {
  if (line.length <= maxLength && !wasCut) return line;
  const end = line.slice(0, maxLength - 1);
  // Never half of a surrogate pair.
  return `${/[\uD800-\uDBFF]$/.test(end) ? end.slice(0, -1) : end}…`;
}

/** Any JSON value with every text in it cleaned, to a bounded depth and width. What lies beyond is left out. */
export function cleanValue(value: unknown, maxLength: number, depth = 4): unknown {
  if (typeof value === 'string') return cleanText(value, maxLength);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'boolean' || value === null) return value;
  if (depth === 0 || typeof value !== 'object') return null;
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((one) => cleanValue(one, maxLength, depth - 1));
  const entries = Object.entries(value).slice(0, MAX_ENTRIES);
  return Object.fromEntries(
    entries.map(([name, one]) => [cleanText(name, 100), cleanValue(one, maxLength, depth - 1)]),
  );
}

const MAX_ENTRIES = 50;
