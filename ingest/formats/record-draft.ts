import { clientAddress, countryFromHeaders, countryOf } from '../client-address.ts';
import type { RateLimitInput } from '../rate-limit-headers.ts';
import { FIELD_LIMITS, MAX_BYTES, MAX_LATENCY_MS, METHOD } from '../record.ts';
import { redactIdentity } from '../redact-text.ts';
import type { FormatOptions } from './format.ts';
import type { JsonObject } from './json-value.ts';
import { type HeaderReader, keyOf } from './key-source.ts';
import { type Mapped, Refusal } from './refusal.ts';

/** The gateway's own names of the fields a refusal may have to name. */
export interface DraftNames {
  status: string;
  timestamp: string;
  latency: string;
}

/** What a format read from one entry. Numbers: undefined = absent, NaN = present but not a number. Texts: '' = absent. */
export interface Draft {
  entry: JsonObject;
  names: DraftNames;
  header: HeaderReader;
  status: number | undefined;
  /** Start of the request, epoch milliseconds. */
  timestampMs: number | undefined;
  latencyMs: number | undefined;
  method: string;
  path: string;
  /** Template sent by the gateway. */
  route?: string;
  /** Address the gateway saw, with or without port. */
  peer: string;
  xForwardedFor?: string;
  requestBytes?: number | undefined;
  responseBytes?: number | undefined;
  userAgent?: string;
  requestId?: string;
  service?: string;
  environment?: string;
  country?: string;
  error?: string;
  /** undefined: status 429 decides. */
  rateLimited?: boolean;
  /** From the headers of the answer, where the gateway logs them. */
  rateLimit?: RateLimitInput | undefined;
  keyId?: string;
  rawKey?: string;
  /** SHA-256 of the raw key, where the sender hashed it. */
  keySha256?: string;
}

const NO_PROXIES: readonly string[] = [];

/**
 * Turns what a format read into a record, or says which of the gateway's fields makes that impossible.
 * Counting comes first: a wrong status, time or duration refuses the entry, because it would count wrongly;
 * a wrong address, method, country or size is left out. The bounds are those of the record's validation: what it would refuse
 * is named here in the gateway's words, or clipped.
 */
export function recordOf(draft: Draft, options: FormatOptions): Mapped {
  const { status, latencyMs, names } = draft;
  if (status === undefined) return new Refusal(names.status, 'is required');
  if (Number.isNaN(status)) return new Refusal(names.status, 'must be a number');
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    return new Refusal(names.status, `must be from 100 to 599, not ${status}`);
  }
  if (latencyMs !== undefined) {
    if (Number.isNaN(latencyMs)) return new Refusal(names.latency, 'must be a number');
    if (latencyMs < 0) return new Refusal(names.latency, 'must not be negative');
  }
  if (draft.timestampMs !== undefined && !Number.isFinite(draft.timestampMs)) {
    return new Refusal(names.timestamp, 'is not a valid time');
  }
  const { entry, header, keyId = '', rawKey = '', keySha256 = '' } = draft;
  const key = keyOf({ entry, header, keyId, rawKey, keySha256, status }, options);
  // One literal with every field: a spread would make each record a slow dictionary, a fifth of the whole time.
  return {
    key_id: key.key_id,
    key: key.key,
    key_sha256: key.key_sha256,
    timestamp: draft.timestampMs,
    method: draft.method.length <= FIELD_LIMITS.method && METHOD.test(draft.method) ? draft.method : undefined,
    path: draft.path || undefined,
    route: draft.route || undefined,
    status,
    // A connection held open for days (WebSocket) is real; the store's bound is a day.
    latency_ms: latencyMs === undefined ? undefined : Math.min(latencyMs, MAX_LATENCY_MS),
    request_bytes: bytes(draft.requestBytes),
    response_bytes: bytes(draft.responseBytes),
    ip: address(draft, options) || undefined,
    country: country(draft, options) || undefined,
    user_agent: draft.userAgent || undefined,
    request_id: draft.requestId ? redactIdentity(draft.requestId, FIELD_LIMITS.request_id) : undefined,
    service: draft.service || undefined,
    environment: draft.environment || undefined,
    rate_limited: draft.rateLimited,
    rate_limit: draft.rateLimit,
    error: draft.error || undefined,
  };
}

function bytes(value: number | undefined): number | undefined {
  return value === undefined || !(value >= 0) ? undefined : Math.min(value, MAX_BYTES);
}

function address(draft: Draft, options: FormatOptions): string {
  if (draft.peer === '' && !draft.xForwardedFor) return '';
  const trustedProxies = options.trustedProxies ?? NO_PROXIES;
  return clientAddress({ peer: draft.peer, xForwardedFor: draft.xForwardedFor ?? '', trustedProxies });
}

function country(draft: Draft, options: FormatOptions): string {
  for (const name of options.countryHeaders ?? NO_PROXIES) {
    const lower = name.toLowerCase();
    const found = countryFromHeaders({ [lower]: draft.header(draft.entry, lower) }, [lower]);
    if (found !== '') return found;
  }
  return draft.country ? countryOf(draft.country) : '';
}
