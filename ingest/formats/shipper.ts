import { addTo, emptyResult, finish, firstEntry, heldBy, STEP_ENTRIES } from './entry-format.ts';
import type { Format, FormatOptions, FormatPayload, Steps } from './format.ts';
import { isObject, type JsonObject } from './json-value.ts';
import { type Entry, entriesOf } from './payload-entries.ts';
import { formatOfObject, type Memory, mapRecognised, wrappedIn } from './recognition.ts';
import { Refusal } from './refusal.ts';

/** Fields into which `payload_prefix` and the like wrap a whole batch. */
const BATCH_FIELDS = ['data', 'records', 'logs', 'events', 'items'];
const MSGPACK = new Set(['application/msgpack', 'application/x-msgpack']);

/** The entries of a payload, with a batch wrapped into one object taken apart. */
function* shippedEntries(text: string): Generator<Entry> {
  for (const entry of entriesOf(text)) {
    const batch = isObject(entry) && !(entry instanceof Refusal) ? batchIn(entry) : undefined;
    if (batch === undefined) yield entry;
    else for (const element of batch) yield elementEntry(element);
  }
}

function batchIn(entry: JsonObject): readonly unknown[] | undefined {
  for (const name of BATCH_FIELDS) {
    const value = entry[name];
    if (Array.isArray(value) && (value.length === 0 || isObject(value[0]))) return value;
  }
  return undefined;
}

function elementEntry(element: unknown): Entry {
  if (isObject(element) || typeof element === 'string') return element;
  return new Refusal('', 'an entry must be a JSON object or a log line');
}

/** Maps every entry by what it looks like. */
export function* shippedSteps(payload: FormatPayload, options: FormatOptions): Steps {
  const result = emptyResult();
  if (MSGPACK.has(payload.contentType)) {
    addTo(result, new Refusal('', 'MessagePack is not accepted: set the output to json, json_lines or json_stream'), 0);
    return result;
  }
  const memory: Memory = { last: undefined };
  let index = 0;
  for (const entry of shippedEntries(payload.body.toString('utf8'))) {
    addTo(result, mapRecognised(entry, options, memory), index++);
    if (index % STEP_ENTRIES === 0) yield heldBy(result);
  }
  return result;
}

/** First entry, taken out of a batch in one object. */
function firstShipped(payload: FormatPayload): Entry | undefined {
  const entry = firstEntry(payload);
  if (!isObject(entry)) return entry;
  const batch = batchIn(entry as JsonObject);
  return batch === undefined || batch.length === 0 ? entry : elementEntry(batch[0]);
}

/**
 * A log shipper: it forwards what it read from somebody else's log, so the format is found per entry.
 *
 * @param isOwn whether an entry has the marks of this shipper
 */
export function shipperFormat(name: string, isOwn: (entry: JsonObject) => boolean): Format {
  return {
    name,
    steps: shippedSteps,
    parse: (payload, options) => finish(shippedSteps(payload, options)),
    recognises(payload) {
      const entry = firstShipped(payload);
      if (!isObject(entry) || entry instanceof Refusal || !isOwn(entry)) return false;
      return formatOfObject(entry, { last: undefined }) !== undefined || wrappedIn(entry) !== undefined;
    },
  };
}
