import { clfEntry, isClfLine } from './common-log.ts';
import { type EntryFormat, formatOf } from './entry-format.ts';
import type { FormatOptions } from './format.ts';
import { firstNumber, firstText, isObject, type JsonObject, numberOf, textOf } from './json-value.ts';
import { anyTimeMs, secondsToMs, startBefore } from './log-time.ts';
import { recordOf } from './record-draft.ts';
import { type Mapped, Refusal } from './refusal.ts';

/**
 * nginx and OpenResty: the combined line, or JSON with the variables' names (`log_format … escape=json`).
 * Also the names that the nginx and apache parsers of Fluent Bit, Fluentd and Vector give the same fields.
 */
export const nginxEntry: EntryFormat = {
  name: 'nginx',
  isEntry: (entry) =>
    ('status' in entry || 'code' in entry) &&
    !isObject(entry.request) &&
    ('request_uri' in entry || 'request_method' in entry || 'request' in entry || 'path' in entry || 'uri' in entry) &&
    ('remote_addr' in entry ||
      'request_time' in entry ||
      'request' in entry ||
      'remote' in entry ||
      'client_ip' in entry ||
      'agent' in entry),
  mapEntry: mapNginx,
  isLine: isClfLine,
  mapLine(line, options) {
    const entry = clfEntry(line);
    return entry instanceof Refusal ? entry : mapNginx(entry, options);
  },
};

/** `$http_x_api_key`, or the header's own name as a JSON key. */
function header(entry: JsonObject, name: string): string {
  const variable = variableOf(name);
  return firstText(entry['http_' + variable], Object.hasOwn(entry, name) ? entry[name] : '', own(entry, variable));
}

/** nginx' spelling of the few header names that are asked for with every record. */
const VARIABLES = new Map(
  ['x-api-key', 'apikey', 'api-key', 'authorization', 'x-forwarded-for'].map((name) => [
    name,
    name.replaceAll('-', '_'),
  ]),
);

function variableOf(name: string): string {
  return VARIABLES.get(name) ?? name.replaceAll('-', '_');
}

function own(entry: JsonObject, name: string): unknown {
  return Object.hasOwn(entry, name) ? entry[name] : '';
}

const TIME_FIELDS = ['msec', 'time_iso8601', '@timestamp', 'time_local', 'time', 'timestamp', 'ts'] as const;

/** `0.120, 0.230 : 0.004`: several upstreams tried, or passed through by redirect; `-` where one gave no answer. */
function sumOfTimes(value: unknown): number | undefined {
  const text = textOf(value);
  if (text === '') return undefined;
  let sum = 0;
  for (const part of text.split(/[,:]/, 50)) sum += numberOf(part.trim()) ?? 0;
  return sum;
}

interface RequestLine {
  method: string;
  path: string;
}

/** `GET /path HTTP/1.1`. Bytes that are no request (a TLS hello on a plain port) give neither method nor path. */
function requestLine(line: string): RequestLine {
  const first = line.indexOf(' ');
  if (first <= 0) return { method: '', path: '' };
  const last = line.lastIndexOf(' ');
  const path = last > first && line.startsWith('HTTP/', last + 1) ? line.slice(first + 1, last) : line.slice(first + 1);
  return { method: line.slice(0, first), path };
}

/** Maps an entry in nginx's names, wherever it came from. */
export function mapNginx(entry: JsonObject, options: FormatOptions): Mapped {
  const line = requestLine(textOf(entry.request));
  const timeField = TIME_FIELDS.find((name) => firstText(entry[name]) !== '') ?? 'time';
  const latencyMs = secondsToMs(firstNumber(entry.request_time) ?? sumOfTimes(entry.upstream_response_time));
  const status = firstNumber(entry.status, entry.code);
  const isAborted = status === 0;
  const forwarded = options.trustedProxies === undefined ? '' : header(entry, 'x-forwarded-for');
  return recordOf(
    {
      entry,
      names: {
        status: 'code' in entry && !('status' in entry) ? 'code' : 'status',
        timestamp: timeField,
        latency: 'request_time',
      },
      header,
      // `000`: the client was gone before there was a status. nginx itself uses 499 for that.
      status: isAborted ? 499 : status,
      // All of nginx's times are of the moment the line is written, which is the end of the request.
      timestampMs: startBefore(anyTimeMs(entry[timeField]), latencyMs),
      latencyMs,
      method: firstText(entry.request_method, entry.method, line.method),
      path: firstText(entry.request_uri, line.path, entry.uri, entry.path),
      peer: firstText(entry.remote_addr, entry.remote, entry.client_ip, entry.client),
      xForwardedFor: forwarded,
      requestBytes: numberOf(entry.request_length),
      responseBytes: firstNumber(entry.bytes_sent, entry.body_bytes_sent, entry.size),
      userAgent: firstText(entry.http_user_agent, entry.agent, entry.user_agent),
      requestId: firstText(entry.request_id, entry.req_id, entry.http_x_request_id),
      service: firstText(entry.service, entry.proxy_upstream_name, entry.server_name, entry.host, entry.http_host),
      error: isAborted ? 'client_disconnected' : '',
      // limit_req answers 503 unless told otherwise, so the status alone does not show it.
      ...(textOf(entry.limit_req_status) === 'REJECTED' ? { rateLimited: true } : undefined),
      keyId: keyIdOf(entry),
    },
    options,
  );
}

/** A key id the operator logs under a telling name, else the user of HTTP authentication where no key header is logged. */
function keyIdOf(entry: JsonObject): string {
  const named = firstText(entry.key_id, entry.api_key_id, entry.apikey_id);
  if (named !== '') return named;
  const hasKeyHeader = header(entry, 'x-api-key') !== '' || header(entry, 'apikey') !== '';
  return hasKeyHeader ? '' : firstText(entry.remote_user, entry.user);
}

export const nginx = formatOf(nginxEntry);
