import { addTo, emptyResult, finish, heldBy, STEP_ENTRIES } from './entry-format.ts';
import type { Format, FormatOptions, FormatPayload, Steps } from './format.ts';
import { describesHttp, mapHttpAttributes, spanIdentity, startMsOf } from './http-attributes.ts';
import { firstText, isObject, type JsonObject } from './json-value.ts';
import { rfc3339Ms } from './log-time.ts';
import { type OtlpItem, type OtlpKind, SERVER } from './otlp-item.ts';
import { isJson, otlpItemsOfJson } from './otlp-json.ts';
import { otlpItemsOfProtobuf } from './otlp-protobuf.ts';
import { formatOfLine, formatOfObject, type Memory, mapRecognised } from './recognition.ts';
import { type Mapped, Refusal, SKIPPED } from './refusal.ts';

type MapItem = (item: OtlpItem, options: FormatOptions, memory: Memory) => Mapped;

/** Only SERVER spans are requests that came in; one request makes many other spans. */
function mapSpan(item: OtlpItem, options: FormatOptions): Mapped {
  return item.kind === SERVER && describesHttp(item.attributes) ? mapHttpAttributes(item, options) : SKIPPED;
}

/**
 * A log record: HTTP attributes, a gateway's own fields as attributes (Traefik, Envoy), or its line or JSON as body.
 * All other log records are an application's messages and no requests.
 */
function mapLogRecord(item: OtlpItem, options: FormatOptions, memory: Memory): Mapped {
  const { attributes, body } = item;
  if (describesHttp(attributes)) return mapHttpAttributes(item, options);
  let mapped: Mapped = SKIPPED;
  if (formatOfObject(attributes, memory) !== undefined) {
    dropForeignTime(attributes);
    mapped = mapRecognised(attributes, options, memory);
  } else if (isKnownBody(body, memory)) mapped = mapRecognised(body, options, memory);
  if (typeof mapped !== 'object' || mapped instanceof Refusal) return mapped;
  mapped.timestamp ??= startMsOf(item);
  mapped.request_id ||= spanIdentity(item) || undefined;
  mapped.service ||= firstText((attributes.resource as JsonObject)['service.name']) || undefined;
  return mapped;
}

/** Traefik writes its time attributes in Go's notation over OTLP, and `time` without fractions; the record's own is better. */
function dropForeignTime(attributes: Record<string, unknown>): void {
  const start = attributes.StartUTC;
  if (typeof start !== 'string' || !Number.isNaN(rfc3339Ms(start))) return;
  for (const name of ['StartUTC', 'StartLocal', 'time']) attributes[name] = undefined;
}

function isKnownBody(body: unknown, memory: Memory): body is JsonObject | string {
  if (typeof body === 'string') return body.startsWith('{') || formatOfLine(body, memory) !== undefined;
  return isObject(body) && formatOfObject(body, memory) !== undefined;
}

function otlpFormat(name: string, kind: OtlpKind, mapItem: MapItem, jsonMark: string): Format {
  function* steps(payload: FormatPayload, options: FormatOptions): Steps {
    const result = emptyResult();
    const memory: Memory = { last: undefined };
    let index = 0;
    const items = isJson(payload) ? otlpItemsOfJson(payload, kind) : otlpItemsOfProtobuf(payload.body, kind);
    for (const item of items) {
      addTo(result, item instanceof Refusal ? item : mapItem(item, options, memory), index++);
      if (index % STEP_ENTRIES === 0) yield heldBy(result);
    }
    return result;
  }
  return {
    name,
    steps,
    parse: (payload, options) => finish(steps(payload, options)),
    recognises(payload) {
      if (isJson(payload)) return payload.body.subarray(0, 65_536).toString('latin1').includes(`"${jsonMark}"`);
      // In protobuf, traces and logs look alike; the address they were posted to tells them apart.
      return payload.contentType.includes('protobuf') && kind === 'traces';
    },
  };
}

/** `POST /v1/traces` of OTLP/HTTP, protobuf or JSON. */
export const otlpTraces = otlpFormat('otlp-traces', 'traces', mapSpan, 'resourceSpans');

/** `POST /v1/logs` of OTLP/HTTP, protobuf or JSON. */
export const otlpLogs = otlpFormat('otlp-logs', 'logs', mapLogRecord, 'resourceLogs');
