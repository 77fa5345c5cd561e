/** Reading values of a gateway's JSON, where every field may be missing or of any type. */

export type JsonObject = { readonly [name: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const NOTHING: JsonObject = Object.freeze({});

/** The object in a field, an empty one when there is none. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : NOTHING;
}

/** Text of a field; `-` (what gateways log for "nothing") and everything that is no text count as ''. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value === '-' ? '' : value;
  if (typeof value === 'number') return String(value);
  // Caddy logs headers as arrays; the first value is the one that counts.
  return Array.isArray(value) && typeof value[0] === 'string' && value[0] !== '-' ? value[0] : '';
}

/** First of several fields that has text. */
export function firstText(...values: readonly unknown[]): string {
  for (const value of values) {
    const text = textOf(value);
    if (text !== '') return text;
  }
  return '';
}

const NUMBER = /^\s*[+-]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,3})?\s*$/;

/**
 * Number of a field that may be text.
 *
 * @returns undefined when absent (`''`, `-`, null), NaN when it is something else than a number
 */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (value === undefined || value === null || value === '' || value === '-') return undefined;
  if (typeof value !== 'string') return Number.NaN;
  return value.length <= 15 ? (wholeNumber(value) ?? decimal(value)) : decimal(value);
}

function decimal(text: string): number {
  return NUMBER.test(text) ? Number(text) : Number.NaN;
}

/** Most numbers in text are a few digits: worth a way without a pattern. */
function wholeNumber(text: string): number | undefined {
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** First of several fields that is present, as a number. */
export function firstNumber(...values: readonly unknown[]): number | undefined {
  for (const value of values) {
    const number = numberOf(value);
    if (number !== undefined) return number;
  }
  return undefined;
}

/**
 * Value at a dotted path such as `consumer.username`. A name that itself contains dots (`http.route`) is found first.
 * Own properties only: `constructor` and `__proto__` in a payload or a configuration reach nothing.
 */
export function valueAt(object: unknown, path: string): unknown {
  if (!isObject(object)) return undefined;
  if (Object.hasOwn(object, path)) return object[path];
  let dot = path.indexOf('.');
  while (dot > 0) {
    const head = path.slice(0, dot);
    if (Object.hasOwn(object, head)) return valueAt(object[head], path.slice(dot + 1));
    dot = path.indexOf('.', dot + 1);
  }
  return undefined;
}

/** Logged header, whatever the case of its name. */
export function headerIn(headers: unknown, name: string): string {
  if (!isObject(headers)) return '';
  if (Object.hasOwn(headers, name)) return textOf(headers[name]);
  for (const key in headers) {
    if (key.length === name.length && key.toLowerCase() === name) return textOf(headers[key]);
  }
  return '';
}

/** Where a parsed document came from text that may be anything. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
