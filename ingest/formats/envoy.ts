import { type EntryFormat, formatOf } from './entry-format.ts';
import { envoyErrorOf, isEnvoyRateLimited } from './envoy-flags.ts';
import type { FormatOptions } from './format.ts';
import { firstText, type JsonObject, numberOf, textOf } from './json-value.ts';
import { anyTimeMs } from './log-time.ts';
import { recordOf } from './record-draft.ts';
import { type Mapped, Refusal, SKIPPED } from './refusal.ts';

const NAMES = { status: 'response_code', timestamp: 'start_time', latency: 'duration' };

/**
 * Envoy, Envoy Gateway, Istio and others built on it: JSON (text values or typed) and the default text line.
 * Key names are the operator's choice; read are those of Envoy Gateway (dashes) and of Istio (underscores).
 */
export const envoyEntry: EntryFormat = {
  name: 'envoy',
  isEntry: (entry) =>
    'response_code' in entry &&
    ('response_flags' in entry ||
      'start_time' in entry ||
      'x-envoy-origin-path' in entry ||
      'upstream_cluster' in entry),
  mapEntry: mapEnvoy,
  isLine: (line) => LINE_START.test(line),
  mapLine: mapEnvoyLine,
};

/** A header logged under its own name, with dashes or underscores. */
function header(entry: JsonObject, name: string): string {
  if (Object.hasOwn(entry, name)) return textOf(entry[name]);
  const variable = name.replaceAll('-', '_');
  return Object.hasOwn(entry, variable) ? textOf(entry[variable]) : '';
}

function mapEnvoy(entry: JsonObject, options: FormatOptions): Mapped {
  const method = firstText(entry.method, entry[':method'], entry.request_method);
  const status = numberOf(entry.response_code);
  // A TCP listener logs connections in the same format: code 0 and no method.
  if (status === 0 && method === '') return SKIPPED;
  const flags = textOf(entry.response_flags);
  const isAborted = status === 0;
  const routeName = textOf(entry.route_name);
  const rateLimited = isEnvoyRateLimited(flags);
  return recordOf(
    {
      entry,
      names: NAMES,
      header,
      // 0: the client went away before a response began; counted under nginx's status for that.
      status: isAborted ? 499 : status,
      timestampMs: anyTimeMs(entry.start_time),
      latencyMs: numberOf(entry.duration),
      method,
      path: firstText(entry['x-envoy-origin-path'], entry['x-envoy-original-path'], entry.path, entry[':path']),
      // A route's name is usually that of a resource; only one written like a path is a template.
      route: routeName.startsWith('/') ? routeName : '',
      // Envoy has already applied its own rules on forwarded addresses to this one.
      peer: firstText(entry.downstream_remote_address, entry.downstream_direct_remote_address),
      xForwardedFor: header(entry, 'x-forwarded-for'),
      requestBytes: numberOf(entry.bytes_received),
      responseBytes: numberOf(entry.bytes_sent),
      userAgent: header(entry, 'user-agent'),
      requestId: firstText(header(entry, 'x-request-id'), entry.request_id),
      service: firstText(entry.upstream_cluster, entry[':authority'], entry.authority),
      error: envoyErrorOf(flags, isAborted),
      ...(rateLimited ? { rateLimited } : undefined),
      keyId: firstText(entry.key_id, entry.api_key_id, entry['x-api-key-id'], entry['x-consumer-id']),
    },
    options,
  );
}

const LINE_START = /^\[\d{4}-\d{2}-\d{2}T[\d:.]{8,18}Z\] "/;

/** Words of a line, quoted ones as a whole; nothing in the default format escapes a quote. */
const WORD = /"([^"]*)(?:"|$)|(\S+)/g;

/**
 * `[START] "METHOD PATH PROTOCOL" code flags received sent duration upstream "XFF" "UA" "id" "authority" "host"`;
 * Istio's default puts details, termination and transport failure behind the flags.
 */
function mapEnvoyLine(line: string, options: FormatOptions): Mapped {
  const close = line.indexOf(']');
  if (!LINE_START.test(line)) return new Refusal('', 'is no line of Envoy’s default format');
  const words: string[] = [];
  for (const found of line.slice(close + 1, close + 9000).matchAll(WORD)) {
    if (words.push(found[1] ?? found[2] ?? '') === 20) break;
  }
  const request = (words[0] ?? '').split(' ');
  // Istio: code flags details termination "transport failure" received …
  const shift = /^\d+$/.test(words[3] ?? '') ? 0 : 3;
  const field = (index: number): string => words[index + shift] ?? '';
  return mapEnvoy(
    {
      start_time: line.slice(1, close),
      method: request[0],
      path: request[1],
      response_code: words[1],
      response_flags: words[2],
      bytes_received: field(3),
      bytes_sent: field(4),
      duration: field(5),
      'x-forwarded-for': field(7),
      'user-agent': field(8),
      'x-request-id': field(9),
      authority: field(10),
      // The default line has no downstream address; Istio's has it, three words behind the upstream host.
      ...(shift === 3 ? { upstream_cluster: field(12), downstream_remote_address: field(15) } : undefined),
    },
    options,
  );
}

export const envoy = formatOf(envoyEntry);
