import { rateLimitIn } from '../rate-limit-headers.ts';
import type { FormatOptions } from './format.ts';
import { firstNumber, firstText, type JsonObject, objectOf, textOf } from './json-value.ts';
import { secondsToMs, toMs } from './log-time.ts';
import type { OtlpItem } from './otlp-item.ts';
import { recordOf } from './record-draft.ts';
import type { Mapped } from './refusal.ts';

const NAMES = { status: 'http.response.status_code', timestamp: 'startTimeUnixNano', latency: 'endTimeUnixNano' };
const OLD_NAMES = { ...NAMES, status: 'http.status_code' };
const NANOSECONDS_PER_MS = 1e6;

/** Whether attributes describe an HTTP request, by today's names or those before semantic conventions 1.23. */
export function describesHttp(attributes: JsonObject): boolean {
  return (
    'http.request.method' in attributes ||
    'http.response.status_code' in attributes ||
    'http.method' in attributes ||
    'http.status_code' in attributes
  );
}

/** `http.request.header.<name>`, opt-in at the sender; older ones wrote dashes as underscores. */
function header(attributes: JsonObject, name: string): string {
  const today = textOf(attributes['http.request.header.' + name]);
  return today !== '' || !name.includes('-')
    ? today
    : textOf(attributes['http.request.header.' + name.replaceAll('-', '_')]);
}

/** `url.path` and the names of `url.query`, or what older senders put into one attribute. */
function pathOf(attributes: JsonObject): string {
  const path = textOf(attributes['url.path']);
  const query = textOf(attributes['url.query']);
  if (path !== '') return query === '' ? path : `${path}?${query}`;
  return firstText(attributes['http.target'], attributes['url.full'], attributes['http.url']);
}

function methodOf(attributes: JsonObject): string {
  const method = firstText(attributes['http.request.method'], attributes['http.method']);
  return method === '_OTHER' ? firstText(attributes['http.request.method_original'], method) : method;
}

/** Identity of a span, for counting it once. All zeros is the invalid id, the same on every span that lacks one. */
export function spanIdentity(item: OtlpItem): string {
  if (!/[1-9a-f]/.test(item.traceId) || !/[1-9a-f]/.test(item.spanId)) return '';
  return `${item.traceId.slice(0, 64)}-${item.spanId.slice(0, 32)}`;
}

/** Start of an item, epoch milliseconds. */
export function startMsOf(item: OtlpItem): number | undefined {
  // To the microsecond: a double of nanoseconds may lie just below the millisecond it stands for.
  return item.startNs === 0 ? undefined : toMs(item.startNs, NANOSECONDS_PER_MS);
}

function latencyMsOf(item: OtlpItem): number | undefined {
  if (item.endNs !== 0 && item.startNs !== 0) return toMs(item.endNs - item.startNs, NANOSECONDS_PER_MS);
  // Log records have one time; some senders add the duration in seconds.
  return secondsToMs(firstNumber(item.attributes['http.server.request.duration']));
}

/** Maps a server span, or a log record with the same attributes. */
export function mapHttpAttributes(item: OtlpItem, options: FormatOptions): Mapped {
  const { attributes } = item;
  const resource = objectOf(attributes.resource);
  return recordOf(
    {
      entry: attributes,
      names: 'http.status_code' in attributes ? OLD_NAMES : NAMES,
      header,
      status: firstNumber(attributes['http.response.status_code'], attributes['http.status_code']),
      timestampMs: startMsOf(item),
      latencyMs: latencyMsOf(item),
      method: methodOf(attributes),
      path: pathOf(attributes),
      route: textOf(attributes['http.route']),
      peer: firstText(
        ...[attributes['client.address'], attributes['http.client_ip'], attributes['network.peer.address']],
        ...[attributes['net.sock.peer.addr'], attributes['net.peer.ip']],
      ),
      xForwardedFor: options.trustedProxies === undefined ? '' : header(attributes, 'x-forwarded-for'),
      requestBytes: firstNumber(
        ...[attributes['http.request.body.size'], attributes['http.request.size']],
        attributes['http.request_content_length'],
      ),
      responseBytes: firstNumber(
        ...[attributes['http.response.body.size'], attributes['http.response.size']],
        attributes['http.response_content_length'],
      ),
      userAgent: firstText(
        attributes['user_agent.original'],
        attributes['http.user_agent'],
        header(attributes, 'user-agent'),
      ),
      requestId: spanIdentity(item),
      rateLimit: rateLimitIn(attributes, startMsOf(item), 'http.response.header.'),
      service: textOf(resource['service.name']),
      environment: firstText(resource['deployment.environment.name'], resource['deployment.environment']),
      country: textOf(attributes['geo.country.iso_code']),
      error: textOf(attributes['error.type']),
      // No convention names an API key; `enduser.id` is who called.
      keyId: firstText(attributes['api_key.id'], attributes['enduser.id'], attributes['enduser.pseudo.id']),
    },
    options,
  );
}
