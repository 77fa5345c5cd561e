import type { Format, FormatOptions, FormatPayload, FormatResult, Steps } from './format.ts';
import { isObject, type JsonObject } from './json-value.ts';
import { type Entry, entriesOf } from './payload-entries.ts';
import { type Mapped, Refusal, SKIPPED } from './refusal.ts';

/** A format whose payloads are lists of independent entries, told by one entry alone. */
export interface EntryFormat {
  name: string;
  /** Whether an object is an entry of this format: by field names no other format has. */
  isEntry(entry: JsonObject): boolean;
  mapEntry(entry: JsonObject, options: FormatOptions): Mapped;
  /** Whether a line of text is of this format. */
  isLine?(line: string): boolean;
  mapLine?(line: string, options: FormatOptions): Mapped;
}

/** Entries mapped between two turns of the event loop: a few milliseconds of work. */
export const STEP_ENTRIES = 1000;
/** Characters looked at to recognise a payload. */
const RECOGNISE_LENGTH = 64 * 1024;

export function emptyResult(): FormatResult {
  return { records: [], indexes: [], rejects: [], skipped: 0 };
}

export function addTo(result: FormatResult, mapped: Mapped, index: number): void {
  if (mapped === SKIPPED) result.skipped++;
  else if (mapped instanceof Refusal) result.rejects.push({ index, field: mapped.field, message: mapped.message });
  else {
    result.records.push(mapped);
    result.indexes.push(index);
  }
}

/** Entries that take memory: those by design not counted leave nothing behind. */
export function heldBy({ records, rejects }: FormatResult): number {
  return records.length + rejects.length;
}

/** Runs steps to their end, for callers with small payloads. */
export function finish(steps: Steps): FormatResult {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** One entry through one format. */
function mapEntry(format: EntryFormat, entry: Entry, options: FormatOptions): Mapped {
  if (entry instanceof Refusal) return entry;
  if (typeof entry !== 'string') return format.mapEntry(entry, options);
  if (format.mapLine) return format.mapLine(entry, options);
  return new Refusal('', 'must be a JSON object, not a line of text');
}

const firstEntries = new WeakMap<FormatPayload, { entry: Entry | undefined }>();

/** First entry of a payload without reading all of it; remembered, because every format is asked in turn. */
export function firstEntry(payload: FormatPayload): Entry | undefined {
  const known = firstEntries.get(payload);
  if (known !== undefined) return known.entry;
  const text = payload.body.subarray(0, RECOGNISE_LENGTH).toString('utf8');
  const { value } = entriesOf(text).next();
  const entry = value instanceof Refusal ? undefined : (value as Entry | undefined);
  firstEntries.set(payload, { entry });
  return entry;
}

/** The format of payloads that hold any number of such entries. */
export function formatOf(format: EntryFormat): Format {
  function* steps(payload: FormatPayload, options: FormatOptions): Steps {
    const result = emptyResult();
    let index = 0;
    for (const entry of entriesOf(payload.body.toString('utf8'))) {
      addTo(result, mapEntry(format, entry, options), index++);
      if (index % STEP_ENTRIES === 0) yield heldBy(result);
    }
    return result;
  }
  return {
    name: format.name,
    steps,
    parse: (payload, options) => finish(steps(payload, options)),
    recognises(payload) {
      const entry = firstEntry(payload);
      if (typeof entry === 'string') return format.isLine?.(entry) ?? false;
      return isObject(entry) && format.isEntry(entry as JsonObject);
    },
  };
}
