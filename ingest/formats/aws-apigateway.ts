import { type EntryFormat, formatOf } from './entry-format.ts';
import type { FormatOptions } from './format.ts';
import { firstNumber, firstText, isObject, type JsonObject, textOf } from './json-value.ts';
import { anyTimeMs } from './log-time.ts';
import { recordOf } from './record-draft.ts';
import type { Mapped } from './refusal.ts';

/**
 * Access log of Amazon API Gateway: the console's JSON of REST and of HTTP APIs, plus `$context` variables under the
 * names AWS' own examples give them. Every value is text.
 */
export const awsApiGatewayEntry: EntryFormat = {
  name: 'aws-apigateway',
  isEntry: (entry) =>
    ('requestId' in entry || 'extendedRequestId' in entry) &&
    'status' in entry &&
    ('resourcePath' in entry || 'routeKey' in entry || 'httpMethod' in entry || 'requestTime' in entry),
  mapEntry: mapAws,
};

const HEADER_FIELDS: Readonly<Record<string, string>> = { 'x-api-key': 'apiKey', 'user-agent': 'userAgent' };

/** `$context` knows few headers; others may be logged under their own names. */
function header(entry: JsonObject, name: string): string {
  const field = HEADER_FIELDS[name];
  return firstText(field === undefined ? '' : entry[field], Object.hasOwn(entry, name) ? entry[name] : '');
}

const THROTTLED = new Set(['THROTTLED', 'QUOTA_EXCEEDED']);

function mapAws(entry: JsonObject, options: FormatOptions): Mapped {
  const { method, route } = routeOf(entry);
  const isEpoch = firstText(entry.requestTimeEpoch) !== '';
  const responseType = firstText(entry.responseType, entry.errorResponseType);
  const identity = isObject(entry.identity) ? entry.identity : {};
  return recordOf(
    {
      entry,
      names: { status: 'status', timestamp: isEpoch ? 'requestTimeEpoch' : 'requestTime', latency: 'responseLatency' },
      header,
      status: firstNumber(entry.status),
      timestampMs: anyTimeMs(isEpoch ? entry.requestTimeEpoch : entry.requestTime),
      latencyMs: firstNumber(entry.responseLatency),
      method: firstText(entry.httpMethod, entry.method, method),
      // The console's formats have no path at all; then the template is the best there is.
      path: firstText(entry.path, entry.rawPath, route, textOf(entry.resourcePath)),
      route,
      peer: firstText(entry.ip, entry.sourceIp, identity.sourceIp),
      responseBytes: firstNumber(entry.responseLength),
      userAgent: firstText(entry.userAgent, identity.userAgent),
      requestId: firstText(entry.requestId, entry.extendedRequestId),
      service: firstText(entry.apiName, entry.apiId, entry.domainName),
      environment: textOf(entry.stage),
      error: responseType.toLowerCase(),
      ...(THROTTLED.has(responseType) ? { rateLimited: true } : undefined),
      keyId: firstText(entry.apiKeyId, identity.apiKeyId),
      // `$context.identity.apiKey` is the secret itself.
      rawKey: firstText(entry.apiKey, identity.apiKey),
    },
    options,
  );
}

/** `resourcePath` (REST) or `routeKey` (HTTP: `GET /users/{id}`). Catch-alls (`$default`, `/{proxy+}`) say nothing. */
function routeOf(entry: JsonObject): { method: string; route: string } {
  const resource = textOf(entry.resourcePath);
  const routeKey = textOf(entry.routeKey);
  const blank = routeKey.indexOf(' ');
  const route = resource !== '' ? resource : blank > 0 ? routeKey.slice(blank + 1) : '';
  const method = blank > 0 && !routeKey.startsWith('ANY ') ? routeKey.slice(0, blank) : '';
  return { method, route: route.startsWith('/') && !route.includes('+}') ? route : '' };
}

export const awsApiGateway = formatOf(awsApiGatewayEntry);
