import { apacheEntry } from './apache.ts';
import { apisixEntry } from './apisix.ts';
import { awsApiGatewayEntry } from './aws-apigateway.ts';
import { caddyEntry } from './caddy.ts';
import type { EntryFormat } from './entry-format.ts';
import { envoyEntry } from './envoy.ts';
import { parseLogged } from './escaped-bytes.ts';
import type { FormatOptions } from './format.ts';
import { isObject, type JsonObject } from './json-value.ts';
import { keytallyEntry } from './keytally-record.ts';
import { kongEntry } from './kong.ts';
import { anyTimeMs } from './log-time.ts';
import { nginxEntry } from './nginx.ts';
import type { Entry } from './payload-entries.ts';
import { type Mapped, Refusal } from './refusal.ts';
import { traefikEntry } from './traefik.ts';
import { tykEntry } from './tyk.ts';

/**
 * Formats that one entry gives away, the most particular first: what Kong and Traefik send has names nobody else has,
 * nginx' names are used by many. Lines of nginx and Apache are the same text; they are called nginx here.
 */
const ENTRY_FORMATS: readonly EntryFormat[] = [
  ...[kongEntry, caddyEntry, apisixEntry, traefikEntry, tykEntry, envoyEntry, awsApiGatewayEntry],
  ...[keytallyEntry, nginxEntry, apacheEntry],
];

/** The format found for the entries before: payloads rarely mix, so it is asked first. */
export interface Memory {
  last: EntryFormat | undefined;
}

/** Fields in which shippers put the line they read: Fluent Bit, Vector, GELF, journald. */
const LINE_FIELDS = ['log', 'message', 'short_message', 'MESSAGE', 'body'];
/** Fields in which shippers put the time they read it. */
const TIME_FIELDS = ['date', 'timestamp', '@timestamp', 'time'];
/** A log line in JSON in a log line in JSON: twice happens (container runtime, then shipper), more is hostile. */
const MAX_DEPTH = 4;
/** `2026-01-02T03:04:05.6Z stdout F `: how container runtimes prefix each line. */
const RUNTIME_PREFIX = /^\d{4}-\d{2}-\d{2}T[\d:.]{8,18}(?:Z|[+-]\d{2}:\d{2}) (?:stdout|stderr) [FP] /;

export function formatOfObject(entry: JsonObject, memory: Memory): EntryFormat | undefined {
  if (memory.last?.isEntry(entry)) return memory.last;
  return ENTRY_FORMATS.find((format) => format.isEntry(entry));
}

export function formatOfLine(line: string, memory: Memory): EntryFormat | undefined {
  if (memory.last?.isLine?.(line)) return memory.last;
  return ENTRY_FORMATS.find((format) => format.isLine?.(line));
}

/** Whether an object carries a line or an object in a field of a shipper. */
export function wrappedIn(entry: JsonObject): string | JsonObject | undefined {
  for (const name of LINE_FIELDS) {
    const value = entry[name];
    if ((typeof value === 'string' && value !== '') || isObject(value)) return value;
  }
  return undefined;
}

/**
 * Maps an entry whose format is not known beforehand: recognised by its fields, or unwrapped and then recognised.
 * The time at which the shipper read it is used only where the gateway's own is missing.
 */
export function mapRecognised(entry: Entry, options: FormatOptions, memory: Memory, depth = 0): Mapped {
  if (entry instanceof Refusal) return entry;
  if (typeof entry === 'string') return mapLine(entry, options, memory, depth);
  const format = formatOfObject(entry, memory);
  if (format !== undefined) {
    memory.last = format;
    return withTime(format.mapEntry(entry, options), entry);
  }
  const inner = depth < MAX_DEPTH ? wrappedIn(entry) : undefined;
  if (inner === undefined) return new Refusal('', 'is an entry of no known format');
  return withTime(mapRecognised(inner, options, memory, depth + 1), entry);
}

function mapLine(text: string, options: FormatOptions, memory: Memory, depth: number): Mapped {
  const prefix = text.charCodeAt(4) === 45 ? RUNTIME_PREFIX.exec(text) : null;
  const line = (prefix === null ? text : text.slice(prefix[0].length)).trim();
  if (line.startsWith('{')) {
    const value = depth < MAX_DEPTH ? parseLogged(line) : undefined;
    return isObject(value)
      ? mapRecognised(value, options, memory, depth + 1)
      : new Refusal('', 'the line is not valid JSON');
  }
  const format = formatOfLine(line, memory);
  if (format?.mapLine === undefined) return new Refusal('', 'is a line of no known log format');
  memory.last = format;
  return format.mapLine(line, options);
}

function withTime(mapped: Mapped, envelope: JsonObject): Mapped {
  if (typeof mapped !== 'object' || mapped instanceof Refusal || mapped.timestamp !== undefined) return mapped;
  for (const name of TIME_FIELDS) {
    const ms = shipperTimeMs(envelope[name]);
    // Traefik over OTLP has written year 1 here: a time before 1970 is none.
    if (ms !== undefined && ms > 0) {
      mapped.timestamp = ms;
      break;
    }
  }
  return mapped;
}

/** Fluent Bit's java_sql_timestamp, `2026-01-15 10:00:00.000123`, is UTC without saying so. */
function shipperTimeMs(value: unknown): number | undefined {
  const isBare = typeof value === 'string' && /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,9})?$/.test(value);
  return anyTimeMs(isBare ? value + 'Z' : value);
}
