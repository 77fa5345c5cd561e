import { RecentMap } from './recent-map.ts';
import type { RecordInput } from './record.ts';
import { KeyDigests } from './sender-key.ts';

/** Values of one field remembered ready for the line; longer ones are seldom seen twice. */
const MAX_REMEMBERED = 500;
const MAX_REMEMBERED_LENGTH = 256;

/** Printable ASCII without quote and backslash: as it is in JSON. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** What the lines of one sender have in common. */
export interface LineSettings {
  /** Write `key_sha256` in place of `key`. */
  keyHash: boolean;
  service?: string | undefined;
  environment?: string | undefined;
}

/**
 * Writes records as lines of NDJSON, once and at once: nothing of a record outlives the call, so it costs the host
 * no garbage that has to be kept, and no long turn of its event loop later.
 */
export class LineWriter {
  readonly #settings: LineSettings;
  readonly #method = new RecurringText('method');
  readonly #route = new RecurringText('route');
  readonly #ip = new RecurringText('ip');
  readonly #userAgent = new RecurringText('user_agent');
  readonly #keyId = new RecurringText('key_id');
  readonly #service = new RecurringText('service');
  readonly #environment = new RecurringText('environment');
  readonly #digests = new KeyDigests();
  #lastMs = Number.NaN;
  #lastTime = '';

  constructor(settings: LineSettings) {
    this.#settings = settings;
  }

  /**
   * Fields that Keytally does not know are left out. A wrong type is written as it is: the receiver says what is wrong.
   *
   * @param record its time of receipt would be wrong by the time it got there: without `timestamp` it gets this moment
   * @throws Error when a field cannot be written as JSON, or the key is no text
   */
  lineOf(record: RecordInput): string {
    const { service, environment } = this.#settings;
    return (
      this.#time(record.timestamp ?? Date.now()) +
      this.#method.of(record.method) +
      this.#route.of(record.route) +
      this.#service.of(record.service === undefined ? service : record.service) +
      this.#environment.of(record.environment === undefined ? environment : record.environment) +
      text(',"path":', record.path) +
      number(',"status":', record.status) +
      latency(record.latency_ms) +
      number(',"request_bytes":', record.request_bytes) +
      number(',"response_bytes":', record.response_bytes) +
      this.#ip.of(record.ip) +
      this.#userAgent.of(record.user_agent) +
      text(',"request_id":', record.request_id) +
      rare(record) +
      this.#key(record) +
      '}\n'
    );
  }

  /** A key as its record will have it, for a record that is written later. */
  digestOf(key: string): string {
    return this.#digests.of(key);
  }

  /** Thousands of requests share a handful of milliseconds. */
  #time(timestamp: string | number): string {
    if (timestamp === this.#lastMs) return this.#lastTime;
    const time = '{"timestamp":' + (Number.isFinite(timestamp) ? timestamp : (JSON.stringify(timestamp) ?? 'null'));
    if (typeof timestamp === 'number') {
      this.#lastMs = timestamp;
      this.#lastTime = time;
    }
    return time;
  }

  #key(record: RecordInput): string {
    const id = this.#keyId.of(record.key_id);
    if (record.key === undefined || record.key === null) return id + text(',"key_sha256":', record.key_sha256);
    if (!this.#settings.keyHash) return id + text(',"key":', record.key) + text(',"key_sha256":', record.key_sha256);
    return `${id},"key_sha256":"${this.digestOf(record.key)}"`;
  }
}

/** Members of a record that few requests have. */
function rare(record: RecordInput): string {
  const { country, rate_limited, rate_limit, error } = record;
  if (country === undefined && rate_limited === undefined && rate_limit === undefined && error === undefined) return '';
  return (
    text(',"country":', country) +
    any(',"rate_limited":', rate_limited) +
    any(',"rate_limit":', rate_limit) +
    text(',"error":', error)
  );
}

/** A field whose values come again and again: each is made ready once. */
class RecurringText {
  readonly #lead: string;
  readonly #ready = new RecentMap<string, string>(MAX_REMEMBERED);
  /** Often the value of the record before: comparing two texts costs less than looking one up, which makes its hash first. */
  #last: string | undefined;
  #lastReady = '';

  constructor(name: string) {
    this.#lead = `,"${name}":`;
  }

  of(value: unknown): string {
    if (value === undefined) return '';
    if (value === this.#last) return this.#lastReady;
    if (typeof value !== 'string' || value.length > MAX_REMEMBERED_LENGTH) return text(this.#lead, value);
    this.#lastReady = this.#ready.get(value) ?? this.#make(value);
    this.#last = value;
    return this.#lastReady;
  }

  #make(value: string): string {
    const made = copyOf(text(this.#lead, value));
    this.#ready.set(copyOf(value), made);
    return made;
  }
}

/** In one piece of its own: a text cut out of a header would keep the whole header, a composed one its parts. */
function copyOf(value: string): string {
  return Buffer.from(value).toString();
}

function text(lead: string, value: unknown): string {
  if (typeof value !== 'string') return any(lead, value);
  return PLAIN.test(value) ? `${lead}"${value}"` : lead + JSON.stringify(value);
}

function number(lead: string, value: unknown): string {
  return typeof value === 'number' && Number.isFinite(value) ? lead + value : any(lead, value);
}

/** Microseconds as two whole numbers: writing a fraction takes V8 five times as long. */
function latency(ms: unknown): string {
  if (typeof ms !== 'number' || !(ms >= 0 && ms < 1e6)) return number(',"latency_ms":', ms);
  const micros = Math.round(ms * 1_000);
  if (micros / 1_000 !== ms) return `,"latency_ms":${ms}`;
  const whole = Math.floor(ms);
  return `,"latency_ms":${whole}.${String(1_000 + micros - whole * 1_000).slice(1)}`;
}

/** Absent and null say the same on the wire. */
function any(lead: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  const json = JSON.stringify(value) as string | undefined;
  return json === undefined ? '' : lead + json;
}
