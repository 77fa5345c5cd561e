import { rateLimitIn } from '../rate-limit-headers.ts';
import { answered } from './client-gone.ts';
import { type EntryFormat, formatOf } from './entry-format.ts';
import type { FormatOptions } from './format.ts';
import { firstText, headerIn, isObject, type JsonObject, numberOf, objectOf, textOf } from './json-value.ts';
import { anyTimeMs } from './log-time.ts';
import { mapNginx } from './nginx.ts';
import { recordOf } from './record-draft.ts';
import type { Mapped } from './refusal.ts';

const NAMES = { status: 'response.status', timestamp: 'start_time', latency: 'latency' };

/** Apache APISIX, plugins http-logger, file-logger and the like: an array, one element, or one object per line. */
export const apisixEntry: EntryFormat = {
  name: 'apisix',
  isEntry: (entry) =>
    isObject(entry.request) &&
    isObject(entry.response) &&
    ('apisix_latency' in entry || 'start_time' in entry || 'route_id' in entry),
  mapEntry: mapApisix,
};

function header(entry: JsonObject, name: string): string {
  return headerIn(objectOf(entry.request).headers, name);
}

function mapApisix(entry: JsonObject, options: FormatOptions): Mapped {
  // A custom `log_format` replaces all fields by names of nginx variables.
  if (!isObject(entry.response) && !isObject(entry.request)) return mapNginx(entry, options);
  const request = objectOf(entry.request);
  const response = objectOf(entry.response);
  const { status, error } = answered(numberOf(response.status));
  return recordOf(
    {
      entry,
      names: NAMES,
      header,
      status,
      timestampMs: anyTimeMs(entry.start_time),
      latencyMs: numberOf(entry.latency),
      method: textOf(request.method),
      path: firstText(request.uri, request.url),
      peer: textOf(entry.client_ip),
      xForwardedFor: options.trustedProxies === undefined ? '' : header(entry, 'x-forwarded-for'),
      requestBytes: numberOf(request.size),
      responseBytes: numberOf(response.size),
      rateLimit: rateLimitIn(objectOf(response.headers), anyTimeMs(entry.start_time)),
      userAgent: header(entry, 'user-agent'),
      // Only with `log_format_extra` or the request-id plugin.
      requestId: firstText(entry.request_id, header(entry, 'x-request-id')),
      service: firstText(entry.service_name, entry.service_id),
      error,
      keyId: textOf(objectOf(entry.consumer).username),
    },
    options,
  );
}

export const apisix = formatOf(apisixEntry);
