import type { QueryParams } from './store.ts';

const PLACEHOLDER = /\{(\w+):([A-Za-z0-9(), '/_]+)\}/g;

/**
 * The statement with its values in the place of their `{name:Type}`, each as a literal of that type. For the embedded engine alone:
 * its connection binds values process-wide, so it runs statements that have any strictly one after another, and one slow question
 * of the worker would hold up every page. A value is never looked at again once it is in place.
 * @throws TypeError for a missing value, or one that is neither text, number, boolean nor a list of these
 */
export function bindValues(sql: string, params: QueryParams): string {
  return sql.replace(PLACEHOLDER, (_, name: string, type: string) => {
    if (!Object.hasOwn(params, name)) throw new TypeError(`${name}: no value for this parameter`);
    return literalOf(name, params[name], type.trim());
  });
}

/** A literal, and the conversion that the engine itself wraps around a bound parameter. */
function literalOf(name: string, value: unknown, type: string): string {
  if (!Array.isArray(value)) {
    const text = scalar(name, value, true);
    return type === 'String' ? text : `_CAST(${text}, ${quotedText(type)})`;
  }
  const quoted = type.includes('String');
  return `_CAST([${value.map((item) => scalar(name, item, quoted)).join(', ')}], ${quotedText(type)})`;
}

function scalar(name: string, value: unknown, quoted: boolean): string {
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  if (!isNumber && typeof value !== 'string' && typeof value !== 'boolean') {
    throw new TypeError(`${name}: a parameter must be text, a finite number, true, false or a list of these`);
  }
  return isNumber && !quoted ? String(value) : quotedText(String(value));
}

/** Text as the engine reads it: only the quote and the backslash mean anything inside quotes, and no byte 0 travels in a statement. */
export function quotedText(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}
