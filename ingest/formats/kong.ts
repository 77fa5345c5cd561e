import { rateLimitIn } from '../rate-limit-headers.ts';
import { answered } from './client-gone.ts';
import { type EntryFormat, formatOf } from './entry-format.ts';
import type { FormatOptions } from './format.ts';
import { headerIn, isObject, type JsonObject, numberOf, objectOf, textOf } from './json-value.ts';
import { anyTimeMs } from './log-time.ts';
import { recordOf } from './record-draft.ts';
import type { Mapped } from './refusal.ts';

const NAMES = { status: 'response.status', timestamp: 'started_at', latency: 'latencies.request' };

/** Kong Gateway, plugins http-log, file-log, tcp-log: one object, or an array when batching is on. */
export const kongEntry: EntryFormat = {
  name: 'kong',
  isEntry: (entry) =>
    isObject(entry.request) && (isObject(entry.latencies) || ('started_at' in entry && isObject(entry.response))),
  mapEntry: mapKong,
};

function header(entry: JsonObject, name: string): string {
  return headerIn(objectOf(entry.request).headers, name);
}

function mapKong(entry: JsonObject, options: FormatOptions): Mapped {
  const request = objectOf(entry.request);
  const response = objectOf(entry.response);
  const path = textOf(request.uri);
  const service = objectOf(entry.service);
  const { status, error } = answered(numberOf(response.status));
  return recordOf(
    {
      entry,
      names: NAMES,
      header,
      status,
      timestampMs: anyTimeMs(entry.started_at),
      latencyMs: numberOf(objectOf(entry.latencies).request),
      method: textOf(request.method),
      path,
      route: routeOf(objectOf(entry.route).paths, path),
      peer: textOf(entry.client_ip),
      xForwardedFor: options.trustedProxies === undefined ? '' : header(entry, 'x-forwarded-for'),
      requestBytes: numberOf(request.size),
      responseBytes: numberOf(response.size),
      rateLimit: rateLimitIn(objectOf(response.headers), anyTimeMs(entry.started_at)),
      userAgent: header(entry, 'user-agent'),
      requestId: textOf(request.id),
      service: textOf(service.name),
      error,
      // Not `consumer`: Kong also fills it for anonymous requests, which have no credential.
      keyId: textOf(objectOf(entry.authenticated_entity).id),
    },
    options,
  );
}

/**
 * A template from the route's paths. Kong's plain paths are prefixes (`/users` also serves `/users/7`), so one counts
 * only where it is the whole path; of regular expressions only those are templates that name each variable segment.
 */
function routeOf(paths: unknown, uri: string): string {
  if (!Array.isArray(paths) || paths.length !== 1 || typeof paths[0] !== 'string' || paths[0].length > 500) return '';
  const path = paths[0];
  if (path.startsWith('~')) {
    const template = path
      .slice(1)
      .replace(/\(\?P?<(\w+)>(?:\[\^\/\]|\\[dw]|\[[\w-]+\])[+*]\)/g, '{$1}')
      .replace(/\/?\??\$$/, '');
    return /^(?:\/(?:[\w.~-]|\{\w+\})+)+$/.test(template) ? template : '';
  }
  const query = uri.indexOf('?');
  return path.includes('{') || path === (query < 0 ? uri : uri.slice(0, query)) ? path : '';
}

export const kong = formatOf(kongEntry);
