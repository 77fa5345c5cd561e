import type { FormatPayload } from './format.ts';
import { isObject, type JsonObject, numberOf, parseJson, textOf } from './json-value.ts';
import { MAX_VALUE_DEPTH, newAttributes, type OtlpItem, type OtlpKind } from './otlp-item.ts';
import { Refusal } from './refusal.ts';

/** By content type, else by the first byte: a protobuf export starts with field 1 (0x0a, a line feed), JSON with `{`. */
export function isJson(payload: FormatPayload): boolean {
  if (payload.contentType === 'application/json') return true;
  if (payload.contentType.includes('protobuf')) return false;
  return /^\s*\{/.test(payload.body.subarray(0, 64).toString('latin1'));
}

/** Spans or log records of an export in JSON; a refusal for what cannot be read. */
export function* otlpItemsOfJson(payload: FormatPayload, kind: OtlpKind): Generator<OtlpItem | Refusal> {
  const [resourceField, scopeField, itemField] =
    kind === 'traces' ? ['resourceSpans', 'scopeSpans', 'spans'] : ['resourceLogs', 'scopeLogs', 'logRecords'];
  const body = parseJson(payload.body.toString('utf8'));
  if (
    !isObject(body) ||
    (body[resourceField as string] !== undefined && !Array.isArray(body[resourceField as string]))
  ) {
    yield new Refusal(resourceField as string, 'must be the array of an OTLP export');
    return;
  }
  for (const group of arrayOf(body[resourceField as string])) {
    if (!isObject(group)) continue;
    const resource = attributesOf(isObject(group.resource) ? group.resource.attributes : undefined, 0);
    for (const scope of arrayOf(group[scopeField as string])) {
      for (const item of arrayOf(isObject(scope) ? scope[itemField as string] : undefined)) {
        yield isObject(item) ? itemOf(item, resource) : new Refusal(itemField as string, 'must be objects');
      }
    }
  }
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function itemOf(item: JsonObject, resource: Record<string, unknown>): OtlpItem {
  const attributes = attributesOf(item.attributes, 0);
  attributes.resource = resource;
  const kind = numberOf(item.kind);
  return {
    attributes,
    traceId: textOf(item.traceId).toLowerCase(),
    spanId: textOf(item.spanId).toLowerCase(),
    // The specification says integer; several exporters send the enum's name.
    kind: item.kind === 'SPAN_KIND_SERVER' ? 2 : (kind ?? 0),
    startNs: numberOf(item.startTimeUnixNano ?? item.timeUnixNano ?? item.observedTimeUnixNano) ?? 0,
    endNs: numberOf(item.endTimeUnixNano) ?? 0,
    body: anyValueOf(item.body, 0),
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
