import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { MAX_LIMIT, MAX_RESET_MS, MAX_WINDOW_SECONDS, type RateLimitInput } from './rate-limit-headers.ts';

/**
 * One API request as a gateway reports it: the wire contract of `POST /v1/requests`.
 * Every gateway format (`formats/*.ts`) is translated into this shape first, so that one validation,
 * one redaction and one batch path serve all of them.
 */
export interface RecordInput {
  /** Stable id of the API key. One of `key_id`, `key` and `key_sha256` is required; the first given counts. */
  key_id?: string;
  /** The raw API key. It is hashed at once, looked up, and never queued, stored or logged. */
  key?: string;
  /** SHA-256 of the raw API key, 64 hexadecimal digits: for gateways that hash at their side. */
  key_sha256?: string;
  /** Start of the request: RFC 3339 text or epoch milliseconds. Default: time of receipt. */
  timestamp?: string | number;
  method?: string;
  /** Path as requested. Query values are dropped, parameter names are kept. */
  path?: string;
  /** Route template such as `/v1/users/{id}`; derived from `path` when absent. */
  route?: string;
  /** HTTP status, 100 to 599. */
  status?: number;
  latency_ms?: number | null;
  request_bytes?: number | null;
  response_bytes?: number | null;
  ip?: string | null;
  /** ISO 3166-1 alpha-2; overrides the lookup of `ip`. */
  country?: string | null;
  user_agent?: string | null;
  request_id?: string | null;
  service?: string | null;
  environment?: string | null;
  /** Whether the gateway refused the request for its rate limit. Default: status is 429. */
  rate_limited?: boolean | null;
  /** What the platform said about its limit in the headers of the answer. The newest per key is kept. */
  rate_limit?: RateLimitInput | null;
  /** Short machine-readable reason of a failure, such as `upstream_timeout`. */
  error?: string | null;
}

/** A record that passed validation. Empty string = not reported; `latencyMs` NaN = not reported. */
export interface RequestRecord {
  keyId: string;
  timestampMs: number;
  method: string;
  path: string;
  route: string;
  status: number;
  latencyMs: number;
  requestBytes: number;
  responseBytes: number;
  ip: string;
  country: string;
  userAgent: string;
  requestId: string;
  service: string;
  environment: string;
  rateLimited: boolean;
  error: string;
  rateLimit?: RateLimitSeen | undefined;
}

/** A platform's own limit as one answer told it. */
export interface RateLimitSeen {
  limit: number;
  remaining: number;
  /** Epoch milliseconds, 0 = not said. */
  resetAtMs: number;
  /** 0 = not said. */
  windowSeconds: number;
}

/** Why a record was not accepted. `index` counts the records of the request from 0. */
export interface RecordError {
  index: number;
  field: string;
  message: string;
}

/** Accepted event times, relative to the time of receipt. */
export interface TimeWindow {
  pastMs: number;
  futureMs: number;
}

/** Longest accepted or kept text per field, in UTF-16 code units. Identity fields are refused beyond it, descriptive ones are cut. */
export const FIELD_LIMITS = {
  key_id: 200,
  key: 4096,
  method: 24,
  path: 2048,
  route: 512,
  user_agent: 512,
  request_id: 128,
  service: 100,
  environment: 40,
  error: 200,
} as const;

/** A day in milliseconds is the longest latency that is believed. */
export const MAX_LATENCY_MS = 86_400_000;
/** 2^40: one tebibyte in one request or response. */
export const MAX_BYTES = 1_099_511_627_776;

export const SHA256 = /^[0-9A-Fa-f]{64}$/;
export const METHOD = /^[A-Za-z_-]+$/;
const COUNTRY = /^[A-Za-z]{2}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused here.
const CONTROL = /[\u0000-\u001f\u007f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced here.
const CONTROL_ALL = /[\u0000-\u001f\u007f]/g;
const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})$/;

/** Thrown inside this file only; {@link parseRecord} turns it into a {@link RecordError}. */
class FieldError {
  readonly field: string;
  readonly message: string;
  constructor(field: string, message: string) {
    this.field = field;
    this.message = message;
  }
}

function fail(field: string, message: string): never {
  throw new FieldError(field, message);
}

/** Descriptive text: cut to its limit, control characters replaced, absent = ''. */
function text(value: unknown, field: keyof typeof FIELD_LIMITS): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') fail(field, `must be a string, not ${typeName(value)}`);
  const cut = value.length > FIELD_LIMITS[field] ? value.slice(0, FIELD_LIMITS[field]) : value;
  return CONTROL.test(cut) ? cut.replace(CONTROL_ALL, ' ') : cut;
}

/** Text that names a thing: refused when too long or unprintable, because a cut name would be another name. */
function identity(value: unknown, field: 'key_id' | 'key'): string {
  if (typeof value !== 'string') fail(field, `must be a string, not ${typeName(value)}`);
  if (value.length === 0) fail(field, 'must not be empty');
  if (value.length > FIELD_LIMITS[field]) fail(field, `must have at most ${FIELD_LIMITS[field]} characters`);
  if (CONTROL.test(value)) fail(field, 'must not contain control characters');
  return value;
}

function typeName(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

function timestamp(value: unknown, nowMs: number, window: TimeWindow): number {
  if (value === undefined || value === null) return nowMs;
  let ms: number;
  if (typeof value === 'number') ms = value;
  else if (typeof value === 'string' && RFC3339.test(value)) ms = Date.parse(value);
  else fail('timestamp', 'must be RFC 3339 with a time zone, or epoch milliseconds');
  if (!Number.isFinite(ms)) fail('timestamp', 'is not a valid time');
  if (ms < nowMs - window.pastMs) {
    fail('timestamp', `is older than the accepted ${Math.round(window.pastMs / 86_400_000)} days`);
  }
  if (ms > nowMs + window.futureMs) {
    fail('timestamp', `is more than ${Math.round(window.futureMs / 60_000)} minutes in the future`);
  }
  return Math.floor(ms);
}

function number(value: unknown, field: string, absent: number, max: number): number {
  if (value === undefined || value === null) return absent;
  if (typeof value !== 'number' || !Number.isFinite(value)) fail(field, `must be a number, not ${typeName(value)}`);
  if (value < 0) fail(field, 'must not be negative');
  if (value > max) fail(field, `must be at most ${max}`);
  return value;
}

function status(value: unknown): number {
  if (value === undefined || value === null) fail('status', 'is required');
  if (typeof value !== 'number' || !Number.isInteger(value)) fail('status', 'must be an integer from 100 to 599');
  if (value < 100 || value > 599) fail('status', `must be from 100 to 599, not ${value}`);
  return value;
}

function method(value: unknown): string {
  if (value === undefined || value === null || value === '') return '';
  if (typeof value !== 'string') fail('method', `must be a string, not ${typeName(value)}`);
  if (value.length > FIELD_LIMITS.method || !METHOD.test(value)) fail('method', 'must be an HTTP method name');
  return value.toUpperCase();
}

function ip(value: unknown): string {
  if (value === undefined || value === null || value === '') return '';
  if (typeof value !== 'string' || isIP(value) === 0) fail('ip', 'must be an IPv4 or IPv6 address without port');
  return withoutZone(value);
}

/** The zone of a link-local address (`fe80::1%eth0`) names a network card of one machine; Node writes it into `remoteAddress`. */
export function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}

function country(value: unknown): string {
  if (value === undefined || value === null || value === '') return '';
  if (typeof value !== 'string' || !COUNTRY.test(value)) fail('country', 'must be an ISO 3166-1 alpha-2 code');
  return value.toUpperCase();
}

function flag(value: unknown, field: string, absent: boolean): boolean {
  if (value === undefined || value === null) return absent;
  if (typeof value !== 'boolean') fail(field, `must be true or false, not ${typeName(value)}`);
  return value;
}

function rateLimit(value: unknown): RateLimitSeen {
  if (typeof value !== 'object' || Array.isArray(value))
    fail('rate_limit', `must be an object, not ${typeName(value)}`);
  const input = value as { [K in keyof RateLimitInput]: unknown };
  const limit = number(input.limit, 'rate_limit.limit', 0, MAX_LIMIT);
  if (limit < 1) fail('rate_limit.limit', 'must be at least 1');
  if (input.remaining === undefined || input.remaining === null) fail('rate_limit.remaining', 'is required');
  return {
    limit: Math.floor(limit),
    remaining: Math.floor(number(input.remaining, 'rate_limit.remaining', 0, MAX_LIMIT)),
    resetAtMs: Math.floor(number(input.reset_at, 'rate_limit.reset_at', 0, MAX_RESET_MS)),
    windowSeconds: Math.floor(number(input.window_seconds, 'rate_limit.window_seconds', 0, MAX_WINDOW_SECONDS)),
  };
}

/** Result of {@link parseRecord}: a record whose `keyId` may still have to be looked up by its key's hash. */
export interface ParsedRecord {
  /** Position in the request, from 0. */
  index: number;
  record: RequestRecord;
  /** SHA-256 of the raw key, lower-case hex; '' when the record named its key id. */
  keySha256: string;
}

/**
 * Validates one record of the wire contract.
 * Unknown fields are ignored, so that a gateway may send more than is counted.
 *
 * @param nowMs time of receipt, epoch milliseconds
 * @returns the record, or the first field that is wrong and why (`index` as given)
 */
export function parseRecord(
  value: unknown,
  index: number,
  nowMs: number,
  window: TimeWindow,
): ParsedRecord | RecordError {
  try {
    return parseFields(value, index, nowMs, window);
  } catch (error) {
    if (error instanceof FieldError) return { index, field: error.field, message: error.message };
    throw error;
  }
}

function parseFields(value: unknown, index: number, nowMs: number, window: TimeWindow): ParsedRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail('', `record must be a JSON object, not ${typeName(value)}`);
  }
  const input = value as { [K in keyof RecordInput]: unknown };
  const named = input.key_id !== undefined && input.key_id !== null;
  const keySha256 = named ? '' : hashOfKey(input.key, input.key_sha256);
  const code = status(input.status);
  const record: RequestRecord = {
    keyId: named ? identity(input.key_id, 'key_id') : '',
    timestampMs: timestamp(input.timestamp, nowMs, window),
    method: method(input.method),
    path: text(input.path, 'path'),
    route: text(input.route, 'route'),
    status: code,
    latencyMs: number(input.latency_ms, 'latency_ms', Number.NaN, MAX_LATENCY_MS),
    requestBytes: Math.floor(number(input.request_bytes, 'request_bytes', 0, MAX_BYTES)),
    responseBytes: Math.floor(number(input.response_bytes, 'response_bytes', 0, MAX_BYTES)),
    ip: ip(input.ip),
    country: country(input.country),
    userAgent: text(input.user_agent, 'user_agent'),
    requestId: text(input.request_id, 'request_id'),
    service: text(input.service, 'service'),
    environment: text(input.environment, 'environment'),
    rateLimited: flag(input.rate_limited, 'rate_limited', code === 429),
    error: text(input.error, 'error'),
    rateLimit: input.rate_limit === undefined || input.rate_limit === null ? undefined : rateLimit(input.rate_limit),
  };
  return { index, record, keySha256 };
}

function hashOfKey(key: unknown, sha256: unknown): string {
  if (key !== undefined && key !== null) return digestOfKey(key);
  if (sha256 === undefined || sha256 === null) fail('key_id', 'is required (or key, or key_sha256)');
  return givenDigest(sha256);
}

function digestOfKey(key: unknown): string {
  return createHash('sha256').update(identity(key, 'key')).digest('hex');
}

function givenDigest(sha256: unknown): string {
  if (typeof sha256 !== 'string' || !SHA256.test(sha256)) fail('key_sha256', 'must be 64 hexadecimal digits');
  return sha256.toLowerCase();
}

/** What each field of text is kept as. Throw where {@link parseRecord} refuses it. */
export const TEXT_FIELDS = {
  key_id: (value: string) => identity(value, 'key_id'),
  key: digestOfKey,
  key_sha256: givenDigest,
  method,
  path: (value: string) => text(value, 'path'),
  route: (value: string) => text(value, 'route'),
  ip,
  country,
  user_agent: (value: string) => text(value, 'user_agent'),
  request_id: (value: string) => text(value, 'request_id'),
  service: (value: string) => text(value, 'service'),
  environment: (value: string) => text(value, 'environment'),
  error: (value: string) => text(value, 'error'),
} as const satisfies Partial<Record<keyof RecordInput, (value: string) => string>>;

/** Tells the two results of {@link parseRecord} apart. */
export function isRecordError(parsed: ParsedRecord | RecordError): parsed is RecordError {
  return 'message' in parsed;
}
