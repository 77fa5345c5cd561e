import { type EntryFormat, formatOf } from './entry-format.ts';
import type { FormatOptions } from './format.ts';
import {
  firstNumber,
  firstText,
  isObject,
  type JsonObject,
  numberOf,
  objectOf,
  textOf,
  valueAt,
} from './json-value.ts';
import { anyTimeMs, startBefore } from './log-time.ts';
import { recordOf } from './record-draft.ts';
import { type Mapped, Refusal } from './refusal.ts';

const NAMES = { status: 'response_code', timestamp: 'timestamp', latency: 'request_time' };
const KAFKA_NAMES = { ...NAMES, latency: 'request_time_ms' };
const SPLUNK_NAMES = { ...NAMES, timestamp: 'time_stamp' };
/** What Tyk writes for an API without authentication. */
const KEYLESS = '00000000';

/** Tyk Pump: the analytics record as such, as the Kafka or Splunk pump renames it, or wrapped by the stdout pump. */
export const tykEntry: EntryFormat = {
  name: 'tyk',
  isEntry: (entry) => wrappedRecord(entry) !== undefined || isRecord(entry),
  mapEntry: mapTyk,
};

function isRecord(entry: JsonObject): boolean {
  return (
    'response_code' in entry &&
    ('api_id' in entry || 'org_id' in entry || 'api_key' in entry) &&
    !('response_flags' in entry)
  );
}

/** The stdout pump's field name is configurable: any object in a log line that is a record will do. */
function wrappedRecord(entry: JsonObject): JsonObject | undefined {
  const usual = entry['tyk-analytics-record'];
  if (isObject(usual)) return usual;
  if (!('level' in entry) || 'response_code' in entry) return undefined;
  for (const name in entry) {
    const value = entry[name];
    if (isObject(value) && isRecord(value)) return value;
  }
  return undefined;
}

function noHeader(): string {
  // Headers are only inside `raw_request`, which is dropped unread: it holds whole bodies and credentials.
  return '';
}

function mapTyk(outer: JsonObject, options: FormatOptions): Mapped {
  const entry = wrappedRecord(outer) ?? outer;
  const status = numberOf(entry.response_code);
  // Tyk writes -1 where the request ended without any response; there is nothing to count as one.
  if (status === -1) return new Refusal('response_code', 'is -1: Tyk had no response to report');
  const key = textOf(entry.api_key);
  const path = textOf(entry.path);
  // With `track_path` the path is the pattern of the tracked endpoint, and raw_path what was asked for.
  const isTemplate = (entry.track_path === true || entry.track_path === 'true') && path.includes('{');
  const latencyMs = firstNumber(entry.request_time, entry.request_time_ms, objectOf(entry.latency).total);
  return recordOf(
    {
      entry,
      names: 'request_time_ms' in entry ? KAFKA_NAMES : 'time_stamp' in entry ? SPLUNK_NAMES : NAMES,
      header: noHeader,
      status,
      // Tyk takes the time when it writes the record, which is after the answer.
      timestampMs: startBefore(anyTimeMs(entry.timestamp ?? entry.time_stamp), latencyMs),
      latencyMs,
      method: textOf(entry.method),
      // `path` and `raw_path` lack the listen path where Tyk strips it; newer records also carry what the client asked for.
      path: firstText(entry.original_path, isTemplate ? entry.raw_path : path, entry.raw_path, path),
      route: isTemplate ? path : '',
      peer: firstText(entry.ip_address, entry.ip),
      requestBytes: numberOf(entry.content_length),
      userAgent: textOf(entry.user_agent),
      service: textOf(entry.api_name),
      country: textOf(valueAt(entry.geo, 'country.iso_code')),
      rawKey: key === KEYLESS ? '' : key,
    },
    options,
  );
}

export const tyk = formatOf(tykEntry);
