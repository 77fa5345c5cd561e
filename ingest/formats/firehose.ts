import { gunzipSync } from 'node:zlib';
import { addTo, emptyResult, finish, heldBy, STEP_ENTRIES } from './entry-format.ts';
import type { Format, FormatOptions, FormatPayload, FormatResult, Steps } from './format.ts';
import { isObject, type JsonObject, numberOf, parseJson, textOf } from './json-value.ts';
import { entriesOf } from './payload-entries.ts';
import { type Memory, mapRecognised } from './recognition.ts';
import { type Mapped, Refusal, SKIPPED } from './refusal.ts';

/** Most that the records of one request may unpack to: 64 times Firehose's largest buffer would be a bomb. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
/** Deflate makes no more than this of a byte. */
const MAX_UNPACKING_TIMES = 1032;
const REQUEST_ID_HEADER = 'x-amz-firehose-request-id';

/** State of reading one request. */
interface Delivery {
  result: FormatResult;
  memory: Memory;
  options: FormatOptions;
  index: number;
  unpackedBytes: number;
}

/** Raw bytes of a record: base 64, and gzip where CloudWatch Logs made it. */
function unpack(data: unknown, delivery: Delivery): Buffer | Refusal {
  if (typeof data !== 'string') return new Refusal('data', 'must be base64 text');
  const bytes = Buffer.from(data, 'base64');
  if (bytes.length === 0 && data !== '') return new Refusal('data', 'is not base64');
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const unpacked = isGzip ? gunzip(bytes, delivery) : bytes;
  if (unpacked === undefined) return new Refusal('data', 'is not valid gzip, or unpacks to too much');
  delivery.unpackedBytes += unpacked.length;
  return delivery.unpackedBytes > MAX_UNPACKED_BYTES ? new Refusal('data', 'unpacks to too much') : unpacked;
}

/** What fails was unpacked up to there as well: it is charged with the most that it can have cost, or many of them would cost many times the limit. */
function gunzip(bytes: Buffer, delivery: Delivery): Buffer | undefined {
  const left = MAX_UNPACKED_BYTES - delivery.unpackedBytes;
  if (left <= 0) return undefined;
  try {
    return gunzipSync(bytes, { maxOutputLength: left });
  } catch {
    delivery.unpackedBytes += Math.min(left, bytes.length * MAX_UNPACKING_TIMES);
    return undefined;
  }
}

function* readRecord(record: unknown, delivery: Delivery): Generator<number, void> {
  const bytes = isObject(record) ? unpack(record.data, delivery) : new Refusal('records', 'must be objects');
  if (bytes instanceof Refusal) {
    if (count(bytes, delivery)) yield heldBy(delivery.result);
    return;
  }
  for (const entry of entriesOf(bytes.toString('utf8'))) {
    if (isObject(entry) && !(entry instanceof Refusal) && 'messageType' in entry && 'logGroup' in entry) {
      yield* readSubscription(entry, delivery);
    } else if (count(mapRecognised(entry, delivery.options, delivery.memory), delivery)) yield heldBy(delivery.result);
  }
}

/** A CloudWatch Logs subscription: many log events in one record, and control messages that only test the way. */
function* readSubscription(message: JsonObject, delivery: Delivery): Generator<number, void> {
  if (message.messageType !== 'DATA_MESSAGE' || !Array.isArray(message.logEvents)) {
    if (count(SKIPPED, delivery)) yield heldBy(delivery.result);
    return;
  }
  for (const event of message.logEvents) {
    if (count(isObject(event) ? mapEvent(event, delivery) : new Refusal('logEvents', 'must be objects'), delivery))
      yield heldBy(delivery.result);
  }
}

function mapEvent(event: JsonObject, delivery: Delivery): Mapped {
  const mapped = mapRecognised(textOf(event.message), delivery.options, delivery.memory);
  if (typeof mapped !== 'object' || mapped instanceof Refusal) return mapped;
  const timeMs = numberOf(event.timestamp);
  if (mapped.timestamp === undefined && timeMs !== undefined && Number.isFinite(timeMs)) mapped.timestamp = timeMs;
  // Every log event has an id of its own: a line without a request id still counts once.
  mapped.request_id ||= textOf(event.id).slice(0, 128) || undefined;
  return mapped;
}

/** @returns whether it is time for a turn of the event loop */
function count(mapped: Mapped, delivery: Delivery): boolean {
  addTo(delivery.result, mapped, delivery.index++);
  return delivery.index % STEP_ENTRIES === 0;
}

function* steps(payload: FormatPayload, options: FormatOptions): Steps {
  const result = emptyResult();
  const body = parseJson(payload.body.toString('utf8'));
  const requestId = payload.headers[REQUEST_ID_HEADER] || (isObject(body) ? textOf(body.requestId) : '');
  if (requestId !== '') result.requestId = requestId.slice(0, 128);
  if (!isObject(body) || !Array.isArray(body.records)) {
    addTo(result, new Refusal('records', 'must be the array of a Firehose HTTP delivery'), 0);
    return result;
  }
  const delivery: Delivery = { result, memory: { last: undefined }, options, index: 0, unpackedBytes: 0 };
  for (const record of body.records) yield* readRecord(record, delivery);
  return result;
}

/** Amazon Data Firehose to an HTTP endpoint. What the records hold is recognised per entry. */
export const firehose: Format = {
  name: 'firehose',
  steps,
  parse: (payload, options) => finish(steps(payload, options)),
  recognises(payload) {
    if (payload.headers[REQUEST_ID_HEADER] !== undefined) return true;
    const start = payload.body.subarray(0, 4096).toString('latin1');
    return /^\s*\{/.test(start) && /"records"\s*:\s*\[\s*\{\s*"data"\s*:\s*"/.test(start);
  },
};

/** Body of the reply. Firehose counts anything else as a failure and sends the same request again. */
export interface FirehoseReply {
  requestId: string;
  /** Epoch milliseconds. */
  timestamp: number;
  errorMessage?: string;
}

/**
 * @param requestId the one of the delivery, unchanged
 * @param errorMessage with a 4xx or 5xx only; cut to the 8192 characters Firehose keeps
 */
export function firehoseReply(requestId: string, nowMs: number, errorMessage?: string): FirehoseReply {
  const reply: FirehoseReply = { requestId, timestamp: nowMs };
  return errorMessage === undefined ? reply : { ...reply, errorMessage: errorMessage.slice(0, 8192) };
}
