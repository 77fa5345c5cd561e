import { redactIdentity } from '../redact-text.ts';
import { addTo, emptyResult, finish, firstEntry, heldBy, STEP_ENTRIES } from './entry-format.ts';
import { type Format, type FormatOptions, type FormatPayload, NO_KEY, type Steps } from './format.ts';
import { isObject, type JsonObject, parseJson, textOf, valueAt } from './json-value.ts';
import { type KeyIdentity, keyIdentity } from './key-source.ts';
import { mapKeytally } from './keytally-record.ts';
import { rfc3339Ms } from './log-time.ts';
import { entriesOf } from './payload-entries.ts';
import { formatOfObject, type Memory, mapRecognised } from './recognition.ts';
import { type Mapped, Refusal } from './refusal.ts';

const REQUIRED = ['id', 'source', 'type'] as const;
/** Longest data accepted in base 64: what a log line or record could need, and little more. */
const MAX_BASE64_LENGTH = 1_000_000;

/** One event in its JSON form: its attributes, and the request in `data`. */
function mapEvent(event: JsonObject, options: FormatOptions, memory: Memory): Mapped {
  for (const name of REQUIRED) {
    if (textOf(event[name]) === '') return new Refusal(name, 'is required in a CloudEvent');
  }
  const version = textOf(event.specversion);
  if (!version.startsWith('1.')) return new Refusal('specversion', 'must be 1.0');
  const timeMs = event.time === undefined || event.time === null ? undefined : rfc3339Ms(textOf(event.time));
  if (Number.isNaN(timeMs)) return new Refusal('time', 'is not a valid time');
  const mapped = mapData(dataOf(event), options, memory);
  if (mapped instanceof Refusal)
    return new Refusal(mapped.field === '' ? 'data' : `data.${mapped.field}`, mapped.message);
  if (typeof mapped !== 'object') return mapped;
  mapped.timestamp ??= timeMs;
  // The pair is what makes an event a duplicate, whatever id the request itself had.
  mapped.request_id = redactIdentity(`${textOf(event.source)}#${textOf(event.id)}`);
  if (mapped.key_id === NO_KEY) Object.assign(mapped, keyOfEvent(event, options));
  return mapped;
}

function dataOf(event: JsonObject): unknown {
  const base64 = event.data_base64;
  if (event.data !== undefined || typeof base64 !== 'string' || base64.length > MAX_BASE64_LENGTH) return event.data;
  return Buffer.from(base64, 'base64').toString('utf8');
}

/** A gateway's record or line, or else Keytally's own names. */
function mapData(data: unknown, options: FormatOptions, memory: Memory): Mapped {
  const value = typeof data === 'string' && data.trimStart().startsWith('{') ? parseJson(data) : data;
  if (typeof value === 'string') return mapRecognised(value, options, memory);
  if (!isObject(value)) return new Refusal('', 'must be an object that describes a request');
  return formatOfObject(value, memory) === undefined
    ? mapKeytally(value, options)
    : mapRecognised(value, options, memory);
}

/** The event's `subject` (OpenMeter's customer), or the operator's fields in the event itself. */
function keyOfEvent(event: JsonObject, options: FormatOptions): KeyIdentity {
  for (const { field } of options.keySources) {
    const value = field === undefined ? '' : textOf(valueAt(event, field));
    if (value !== '') return keyOnly(value);
  }
  const subject = options.keySources.length === 0 ? textOf(event.subject) : '';
  return subject === '' ? { key_id: NO_KEY } : keyOnly(subject);
}

function keyOnly(value: string): KeyIdentity {
  const identity = keyIdentity(value);
  // A raw key must not stand beside the `key_id` that says there is none.
  return identity.key_id === undefined ? { ...identity, key_id: undefined } : identity;
}

/** Binary mode: attributes in `ce-` headers, the body is the data. */
function eventOfHeaders(payload: FormatPayload): JsonObject {
  const event: Record<string, unknown> = {};
  for (const name of ['id', 'source', 'type', 'specversion', 'time', 'subject']) {
    const value = payload.headers[`ce-${name}`];
    if (value !== undefined) event[name] = decodeHeader(value);
  }
  const text = payload.body.toString('utf8');
  event.data = parseJson(text) ?? text;
  return event;
}

/** Header values are percent-encoded beyond printable ASCII. */
function decodeHeader(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function isBinary(payload: FormatPayload): boolean {
  return payload.headers['ce-specversion'] !== undefined || payload.headers['ce-id'] !== undefined;
}

function* steps(payload: FormatPayload, options: FormatOptions): Steps {
  const result = emptyResult();
  const memory: Memory = { last: undefined };
  if (isBinary(payload)) {
    addTo(result, mapEvent(eventOfHeaders(payload), options, memory), 0);
    return result;
  }
  let index = 0;
  for (const entry of entriesOf(payload.body.toString('utf8'))) {
    const isEvent = typeof entry === 'object' && !(entry instanceof Refusal);
    const refusal = entry instanceof Refusal ? entry : new Refusal('', 'must be a CloudEvent in JSON');
    addTo(result, isEvent ? mapEvent(entry, options, memory) : refusal, index++);
    if (index % STEP_ENTRIES === 0) yield heldBy(result);
  }
  return result;
}

/** CloudEvents 1.0 over HTTP: structured, batch and binary mode. */
export const cloudevents: Format = {
  name: 'cloudevents',
  hasUniqueIds: true,
  steps,
  parse: (payload, options) => finish(steps(payload, options)),
  recognises(payload) {
    if (isBinary(payload) || payload.contentType.startsWith('application/cloudevents')) return true;
    const entry = firstEntry(payload);
    return isObject(entry) && !(entry instanceof Refusal) && 'specversion' in entry && 'source' in entry;
  },
};
