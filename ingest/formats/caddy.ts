import { rateLimitIn } from '../rate-limit-headers.ts';
import { answered } from './client-gone.ts';
import { type EntryFormat, formatOf } from './entry-format.ts';
import type { FormatOptions } from './format.ts';
import { firstText, headerIn, isObject, type JsonObject, numberOf, objectOf, textOf } from './json-value.ts';
import { anyTimeMs, secondsToMs, startBefore } from './log-time.ts';
import { recordOf } from './record-draft.ts';
import { type Mapped, SKIPPED } from './refusal.ts';

const NAMES = { status: 'status', timestamp: 'ts', latency: 'duration' };
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Caddy's JSON access log (`log` directive). */
export const caddyEntry: EntryFormat = {
  name: 'caddy',
  isEntry: (entry) =>
    isObject(entry.request) &&
    ('resp_headers' in entry || 'ts' in entry || textOf(entry.logger).startsWith('http.log.access')),
  mapEntry: mapCaddy,
};

function header(entry: JsonObject, name: string): string {
  return headerIn(objectOf(entry.request).headers, name);
}

/** Seconds as a number by default; `duration_format` also makes text such as `1.2ms` or `1m3.5s`. */
function durationMs(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/[a-zµ]$/.test(value) || value.length > 40) return secondsToMs(numberOf(value));
  if (!/^(?:\d{1,12}(?:\.\d{1,12})?(?:ns|us|µs|ms|s|m|h))+$/.test(value)) return Number.NaN;
  let ms = 0;
  for (const [, amount, unit] of value.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g))
    ms += Number(amount) * UNIT_MS[unit as string]!;
  return Math.round(ms * 1000) / 1000;
}

function mapCaddy(entry: JsonObject, options: FormatOptions): Mapped {
  // Caddy writes its own messages to the same sink unless told otherwise.
  if (!isObject(entry.request) && entry.status === undefined && 'level' in entry) return SKIPPED;
  const request = objectOf(entry.request);
  const latencyMs = durationMs(entry.duration);
  const { status, error } = answered(numberOf(entry.status));
  return recordOf(
    {
      entry,
      names: NAMES,
      header,
      status,
      // `ts` is when the line was written: the end of the request.
      timestampMs: startBefore(anyTimeMs(entry.ts), latencyMs),
      latencyMs,
      method: textOf(request.method),
      path: textOf(request.uri),
      peer: firstText(request.client_ip, request.remote_ip, request.remote_addr),
      xForwardedFor: options.trustedProxies === undefined ? '' : header(entry, 'x-forwarded-for'),
      requestBytes: numberOf(entry.bytes_read),
      responseBytes: numberOf(entry.size),
      rateLimit: rateLimitIn(objectOf(entry.resp_headers), anyTimeMs(entry.ts)),
      userAgent: header(entry, 'user-agent'),
      requestId: firstText(entry.uuid, header(entry, 'x-request-id')),
      service: textOf(request.host),
      error,
      keyId: textOf(entry.user_id),
    },
    options,
  );
}

export const caddy = formatOf(caddyEntry);
