import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type RateLimitInput, rateLimitIn } from './rate-limit-headers.ts';
import { RecentMap } from './recent-map.ts';
import { FIELD_LIMITS, type RecordInput } from './record.ts';
import { redactPath } from './redact-path.ts';
import { ResponseHead } from './response-head.ts';
import { templateOf } from './route-template.ts';

/** A request as Express 4 and 5 hand it over; plain `node:http` requests lack the optional parts. */
export interface GatewayRequest extends IncomingMessage {
  baseUrl?: string;
  originalUrl?: string;
  route?: { path?: unknown };
  ip?: string | undefined;
}

/**
 * What is read when the request arrives, because it may be gone when it ends. Each look into `req` and `res` costs up to half a
 * microsecond (see response-ends.ts): nothing is asked twice.
 */
export interface Arrival {
  /** On the clock of `performance.now()`, milliseconds. */
  began: number;
  req: GatewayRequest;
  res: ServerResponse;
  headers: IncomingHttpHeaders;
  ip: string | undefined;
  /** Before its framework saw it, which may know better whose address it is. */
  isEarly: boolean;
  /** Of an early one; else it is asked at its end. */
  method: string | undefined;
  url: string | undefined;
  socket: Socket;
  writtenBefore: number;
}

/**
 * A request as it was found at its end, to be made a record a little later, together with others: what runs once per
 * request runs with cold caches in a busy host (docs/benchmarks.md, SDK).
 */
export interface EndedRequest {
  /** On the clock of `performance.now()`, milliseconds. */
  began: number;
  ended: number;
  method: string | undefined;
  /** Without secrets. */
  path: string;
  /** Where its router is mounted, and the pattern Express matched there. */
  baseUrl: string | undefined;
  pattern: unknown;
  status: number;
  requestLength: string | undefined;
  responseBytes: number | undefined;
  ip: string | undefined;
  userAgent: string | undefined;
  requestId: string | string[] | undefined;
  rateLimit: RateLimitInput | undefined;
  /** Route that the host itself named. */
  route: string | undefined;
  keyId: string | undefined;
  /** Raw; undefined where the digest stands. */
  key: string | undefined;
  keySha256: string | undefined;
}

/** Aborted by the client before the answer was out: nginx's number for it. */
const ABORTED = 499;
const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.)/i;
const COLON = 58;
/** Patterns come from the host's source, seldom from a list it makes up at run time. */
const templates = new RecentMap<string, string>(2_000);

export function arrivalOf(req: GatewayRequest, res: ServerResponse): Arrival {
  const { socket, headers } = req;
  return {
    began: performance.now(),
    req,
    res,
    headers,
    ip: addressOf(req, socket, headers),
    isEarly: false,
    method: undefined,
    url: undefined,
    socket,
    writtenBefore: socket.bytesWritten,
  };
}

/** The same before a framework saw it. Apart: requests have one shape there, which V8 knows. */
export function earlyArrivalOf(req: GatewayRequest, res: ServerResponse): Arrival {
  const { socket, headers, method, url } = req;
  return {
    began: performance.now(),
    req,
    res,
    headers,
    ip: socket.remoteAddress,
    isEarly: true,
    method,
    url,
    socket,
    writtenBefore: socket.bytesWritten,
  };
}

/** Express works out its `ip` anew at every look; without the header it looks into, that is always the connection's. */
function addressOf(req: GatewayRequest, socket: Socket, headers: IncomingHttpHeaders): string | undefined {
  return (isConnection(req, headers) ? undefined : req.ip) ?? socket.remoteAddress;
}

function isConnection(req: GatewayRequest, headers: IncomingHttpHeaders): boolean {
  return headers['x-forwarded-for'] === undefined && !Object.hasOwn(req, 'ip');
}

/** At its end: what was found at its arrival, or what its framework has made of it since. */
function endAddressOf({ req, ip, isEarly, headers }: Arrival): string | undefined {
  return isEarly && !isConnection(req, headers) ? (req.ip ?? ip) : ip;
}

function plainAddress(ip: string | undefined): string | undefined {
  return ip?.charCodeAt(0) === COLON ? ip.replace(IPV4_IN_IPV6, '') : ip;
}

/**
 * Reads a request that has ended. What it holds of secrets goes at once, everything else is worked out later. Its key is not known yet.
 * @param isFinished the answer is out; else its client left before
 */
export function endOf(arrival: Arrival, isFinished: boolean): EndedRequest {
  const { req, res, headers } = arrival;
  const method = arrival.method ?? req.method;
  const head = headOf(res);
  const status = isFinished && head ? head.status : ABORTED;
  return {
    began: arrival.began,
    ended: performance.now(),
    method,
    path: redactPath(cut(arrival.url ?? req.originalUrl ?? req.url ?? '', FIELD_LIMITS.path)),
    baseUrl: req.baseUrl,
    pattern: req.route?.path,
    status,
    requestLength: headers['content-length'],
    responseBytes: hasNoBody(method, status) ? 0 : responseBytes(arrival, head, isFinished),
    ip: endAddressOf(arrival),
    userAgent: headers['user-agent'],
    requestId: headers['x-request-id'],
    rateLimit: rateLimitOf(head),
    route: undefined,
    keyId: undefined,
    key: undefined,
    keySha256: undefined,
  };
}

/** Undefined before it is sent. Responses of HTTP/1 keep theirs; the name they have it by is none of Node's documented ones, but as old as they are. */
function headOf(res: ServerResponse): ResponseHead | undefined {
  const { _header: text } = res as { _header?: unknown };
  if (typeof text === 'string') return new ResponseHead(text);
  return text !== null ? ResponseHead.of(res.statusCode, res.getHeaders()) : undefined;
}

function hasNoBody(method: string | undefined, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

/** Of now: `performance.timeOrigin` knows nothing of corrections to the system's time since the process began. */
export function clockOrigin(): number {
  return Date.now() - performance.now();
}

/** @param originMs what the clock of `performance.now()` counts from, epoch milliseconds: see {@link clockOrigin} */
export function recordOf(ended: EndedRequest, originMs: number): RecordInput {
  const { userAgent, requestId } = ended;
  return {
    timestamp: Math.round(originMs + ended.began),
    method: ended.method,
    path: ended.path,
    route: ended.route ?? routeOf(ended),
    status: ended.status,
    latency_ms: Math.round((ended.ended - ended.began) * 1_000) / 1_000,
    request_bytes: contentLength(ended.requestLength),
    response_bytes: ended.responseBytes,
    ip: plainAddress(ended.ip),
    user_agent: userAgent === undefined ? undefined : cut(userAgent, FIELD_LIMITS.user_agent),
    request_id: typeof requestId === 'string' ? cut(requestId, FIELD_LIMITS.request_id) : undefined,
    rate_limit: ended.rateLimit,
    key_id: ended.keyId,
    key: ended.key,
    key_sha256: ended.keySha256,
  };
}

function cut(text: string, length: number): string {
  return text.length > length ? text.slice(0, length) : text;
}

function rateLimitOf(head: ResponseHead | undefined): RateLimitInput | undefined {
  const headers = head?.headersOfLimiter;
  return headers && rateLimitIn(headers, Date.now());
}

/**
 * The template Express matched, as `/users/{id}`. A mount path is known only as it was requested, so its variable
 * segments are recognised by their looks. Undefined when no route matched, or several or a pattern could have:
 * the path is then grouped by the receiver.
 */
function routeOf({ pattern, baseUrl }: EndedRequest): string | undefined {
  if (typeof pattern !== 'string') return undefined;
  const template = templates.get(pattern) ?? templateOfPattern(pattern);
  const base = baseUrl ? templateOf(baseUrl) : '/';
  const route = base === '/' ? template : base + template;
  // A router's own route is `/`.
  const whole = route.length > 1 && route.endsWith('/') ? route.slice(0, -1) : route;
  return whole.length > FIELD_LIMITS.route ? whole.slice(0, FIELD_LIMITS.route) : whole;
}

function templateOfPattern(pattern: string): string {
  const template = pattern
    // Express 5 marks optional parts with braces, Express 4 parameters with a pattern and a question mark.
    .replace(/[{}]/g, '')
    .replace(/:"?(\w+)"?(?:\([^)]*\))?\??/g, '{$1}')
    .replace(/\*(\w+)/g, '{$1}');
  templates.set(pattern, template);
  return template;
}

/** Bytes of the body. What went over the connection counts where no length was announced (streams, compression). */
function responseBytes(
  { socket, writtenBefore }: Arrival,
  head: ResponseHead | undefined,
  isFinished: boolean,
): number | undefined {
  const announced = isFinished ? head?.contentLength : undefined;
  if (announced !== undefined) return announced;
  const body = socket.bytesWritten - writtenBefore - (head?.length ?? 0);
  return Number.isFinite(body) && body >= 0 ? body : undefined;
}

function contentLength(header: unknown): number | undefined {
  if (header === undefined) return undefined;
  const length = Number(header);
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}
