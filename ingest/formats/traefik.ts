import { rateLimitIn } from '../rate-limit-headers.ts';
import { answered } from './client-gone.ts';
import { clfEntry, isClfLine } from './common-log.ts';
import { type EntryFormat, formatOf } from './entry-format.ts';
import type { FormatOptions } from './format.ts';
import { firstText, type JsonObject, numberOf, textOf } from './json-value.ts';
import { anyTimeMs, toMs } from './log-time.ts';
import { mapNginx } from './nginx.ts';
import { recordOf } from './record-draft.ts';
import { type Mapped, Refusal } from './refusal.ts';

const NAMES = { status: 'DownstreamStatus', timestamp: 'StartUTC', latency: 'Duration' };
const NANOSECONDS_PER_MS = 1e6;

/** Traefik's access log with `format: json`; its default text (common log with a tail) is read as well. */
export const traefikEntry: EntryFormat = {
  name: 'traefik',
  isEntry: (entry) => 'DownstreamStatus' in entry || ('RequestPath' in entry && 'RequestMethod' in entry),
  mapEntry: mapTraefik,
  isLine: (line) => TAIL.test(line.slice(-400)) && isClfLine(line),
  mapLine: mapTraefikLine,
};

/** Traefik keeps the spelling of a header as it came, and writes `request_<Name>`. */
function header(entry: JsonObject, name: string): string {
  const wanted = 'request_' + name;
  for (const field in entry) {
    if (field.length === wanted.length && field.toLowerCase() === wanted) return textOf(entry[field]);
  }
  return '';
}

function mapTraefik(entry: JsonObject, options: FormatOptions): Mapped {
  const { status, error } = answerOf(entry);
  return recordOf(
    {
      entry,
      names: NAMES,
      header,
      status,
      // `time` is when the line was written: the end.
      timestampMs: anyTimeMs(entry.StartUTC ?? entry.StartLocal),
      latencyMs: toMs(numberOf(entry.Duration), NANOSECONDS_PER_MS),
      method: textOf(entry.RequestMethod),
      path: textOf(entry.RequestPath),
      peer: firstText(entry.ClientHost, entry.ClientAddr),
      xForwardedFor: options.trustedProxies === undefined ? '' : header(entry, 'x-forwarded-for'),
      requestBytes: numberOf(entry.RequestContentSize),
      responseBytes: numberOf(entry.DownstreamContentSize),
      rateLimit: rateLimitIn(entry, anyTimeMs(entry.StartUTC ?? entry.StartLocal), 'downstream_'),
      userAgent: header(entry, 'user-agent'),
      requestId: header(entry, 'x-request-id') || spanOf(entry),
      service: firstText(entry.ServiceName, entry.RouterName),
      // Without an upstream's status the answer is Traefik's own: no server was up, or none answered.
      error: status !== undefined && status >= 500 && !numberOf(entry.OriginStatus) ? 'no_upstream_response' : error,
      keyId: textOf(entry.ClientUsername),
    },
    options,
  );
}

/** Of a connection that was handed over Traefik itself saw no answer, but the upstream's (101). */
function answerOf(entry: JsonObject): ReturnType<typeof answered> {
  const status = numberOf(entry.DownstreamStatus);
  const ofOrigin = numberOf(entry.OriginStatus) ?? 0;
  return answered(status === 0 && ofOrigin >= 100 ? ofOrigin : status);
}

/** With tracing on, the span of the request: the same id that OTLP traces of it have. */
function spanOf(entry: JsonObject): string {
  const traceId = textOf(entry.TraceId);
  const spanId = textOf(entry.SpanId);
  return traceId === '' || spanId === '' ? '' : `${traceId}-${spanId}`;
}

/** Behind the combined format: request count, "router", "server URL", duration. */
const TAIL = / \d{1,20} "([^"]{0,300})" "[^"]{0,300}" (\d{1,15})ms$/;

function mapTraefikLine(line: string, options: FormatOptions): Mapped {
  const entry = clfEntry(line);
  if (entry instanceof Refusal) return entry;
  const mapped = mapNginx(entry, options);
  const tail = TAIL.exec(line.slice(-700));
  if (tail !== null && typeof mapped === 'object' && !(mapped instanceof Refusal)) {
    mapped.latency_ms = Math.min(Number(tail[2]), 86_400_000);
    const router = textOf(tail[1]);
    if (router !== '') mapped.service = router;
  }
  return mapped;
}

export const traefik = formatOf(traefikEntry);
