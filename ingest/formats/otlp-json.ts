import type { FormatPayload } from './format.ts';
import { JsonCursor } from './json-cursor.ts';
import { isObject, type JsonObject, numberOf, parseJson, textOf } from './json-value.ts';
import { MAX_VALUE_DEPTH, newAttributes, type OtlpItem, type OtlpKind, SERVER } from './otlp-item.ts';
import { Refusal } from './refusal.ts';

/** By content type, else by the first byte: a protobuf export starts with field 1 (0x0a, a line feed), JSON with `{`. */
export function isJson(payload: FormatPayload): boolean {
  if (payload.contentType === 'application/json') return true;
  if (payload.contentType.includes('protobuf')) return false;
  return /^\s*\{/.test(payload.body.subarray(0, 64).toString('latin1'));
}

/** A document is parsed in one go up to this length, some 20 ms; longer and broken ones are walked, which is slower. */
const WHOLE_LENGTH = 3 * 1024 * 1024;

interface Names {
  groups: string;
  scopes: string;
  items: string;
}
const NAMES: Readonly<Record<OtlpKind, Names>> = {
  traces: { groups: 'resourceSpans', scopes: 'scopeSpans', items: 'spans' },
  logs: { groups: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords' },
};

/** Spans or log records of an export in JSON; a refusal for what cannot be read. */
export function* otlpItemsOfJson(payload: FormatPayload, kind: OtlpKind): Generator<OtlpItem | Refusal> {
  const names = NAMES[kind];
  const text = payload.body.toString('utf8');
  const whole = text.length <= WHOLE_LENGTH ? parseJson(text) : undefined;
  if (isObject(whole) && Array.isArray(whole[names.groups])) {
    yield* itemsOfDocument(whole, names);
    return;
  }
  const cursor = new JsonCursor(text);
  if (!cursor.enterObject()) {
    yield new Refusal(names.groups, 'must be the array of an OTLP export');
    return;
  }
  for (let name = cursor.nextName(); name !== undefined; name = cursor.nextName()) {
    if (name !== names.groups) cursor.skip();
    else if (cursor.enterArray()) while (cursor.nextElement()) yield* itemsOfGroup(cursor, names);
    else {
      cursor.skip();
      yield new Refusal(names.groups, 'must be the array of an OTLP export');
    }
  }
  if (cursor.isBroken) yield new Refusal('', 'the JSON document is cut off or malformed');
}

function* itemsOfDocument(document: JsonObject, names: Names): Generator<OtlpItem | Refusal> {
  for (const group of arrayOf(document[names.groups])) {
    if (!isObject(group)) continue;
    const resource = resourceOf(group.resource);
    for (const scope of arrayOf(group[names.scopes])) {
      for (const item of arrayOf(isObject(scope) ? scope[names.items] : undefined)) yield read(item, names, resource);
    }
  }
}

function read(item: unknown, names: Names, resource: Record<string, unknown>): OtlpItem | Refusal {
  return isObject(item) ? itemOf(item, resource) : new Refusal(names.items, 'must be objects');
}

function* itemsOfGroup(cursor: JsonCursor, names: Names): Generator<OtlpItem | Refusal> {
  if (!cursor.enterObject()) {
    cursor.skip();
    return;
  }
  let resource: Record<string, unknown> | undefined;
  for (let name = cursor.nextName(); name !== undefined; name = cursor.nextName()) {
    if (name === 'resource') resource = resourceOf(cursor.value());
    else if (name === names.scopes && cursor.enterArray()) {
      resource ??= resourceAhead(cursor);
      while (cursor.nextElement()) yield* itemsOfScope(cursor, names, resource);
    } else cursor.skip();
  }
}

/** JSON has no order: the resource may stand behind its spans. The cursor is inside the array of scopes. */
function resourceAhead(cursor: JsonCursor): Record<string, unknown> {
  const ahead = cursor.clone();
  while (ahead.nextElement()) ahead.skip();
  for (let name = ahead.nextName(); name !== undefined; name = ahead.nextName()) {
    if (name === 'resource') return resourceOf(ahead.value());
    ahead.skip();
  }
  return newAttributes();
}

function resourceOf(resource: unknown): Record<string, unknown> {
  return attributesOf(isObject(resource) ? resource.attributes : undefined, 0);
}

function* itemsOfScope(
  cursor: JsonCursor,
  names: Names,
  resource: Record<string, unknown>,
): Generator<OtlpItem | Refusal> {
  if (!cursor.enterObject()) {
    cursor.skip();
    return;
  }
  for (let name = cursor.nextName(); name !== undefined; name = cursor.nextName()) {
    if (name !== names.items || !cursor.enterArray()) {
      cursor.skip();
      continue;
    }
    while (cursor.nextElement()) {
      const item = cursor.value();
      if (cursor.isBroken) return;
      yield read(item, names, resource);
    }
  }
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function itemOf(item: JsonObject, resource: Record<string, unknown>): OtlpItem {
  // The specification says integer; several exporters send the enum's name.
  const kind = item.kind === 'SPAN_KIND_SERVER' ? SERVER : (numberOf(item.kind) ?? 0);
  // Most spans of a trace are no server spans: what will be skipped is not read.
  const attributes = item.kind === undefined || kind === SERVER ? attributesOf(item.attributes, 0) : newAttributes();
  attributes.resource = resource;
  return {
    attributes,
    traceId: textOf(item.traceId).toLowerCase(),
    spanId: textOf(item.spanId).toLowerCase(),
    kind,
    startNs: numberOf(item.startTimeUnixNano ?? item.timeUnixNano ?? item.observedTimeUnixNano) ?? 0,
    endNs: numberOf(item.endTimeUnixNano) ?? 0,
    body: item.body === undefined ? undefined : anyValueOf(item.body, 0),
  };
}

function attributesOf(list: unknown, depth: number): Record<string, unknown> {
  const attributes = newAttributes();
  for (const pair of arrayOf(list)) {
    if (isObject(pair) && typeof pair.key === 'string') attributes[pair.key] = anyValueOf(pair.value, depth);
  }
  return attributes;
}

function anyValueOf(value: unknown, depth: number): unknown {
  if (!isObject(value) || depth > MAX_VALUE_DEPTH) return undefined;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.intValue !== undefined) return numberOf(value.intValue);
  if (value.doubleValue !== undefined) return numberOf(value.doubleValue);
  if (value.boolValue !== undefined) return value.boolValue;
  if (isObject(value.arrayValue)) return arrayOf(value.arrayValue.values).map((one) => anyValueOf(one, depth + 1));
  if (isObject(value.kvlistValue)) return attributesOf(value.kvlistValue.values, depth + 1);
  return undefined;
}
