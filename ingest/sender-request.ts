import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type RateLimitInput, rateLimitIn } from './rate-limit-headers.ts';
import { RecentMap } from './recent-map.ts';
import { FIELD_LIMITS, type RecordInput } from './record.ts';
import { redactPath } from './redact.ts';
import { templateOf } from './route-template.ts';

/** A request as Express 4 and 5 hand it over; plain `node:http` requests lack the optional parts. */
export interface GatewayRequest extends IncomingMessage {
  baseUrl?: string;
  originalUrl?: string;
  route?: { path?: unknown };
  ip?: string | undefined;
}

/** What is read when the request arrives, because it may be gone when it ends. */
export interface Arrival {
  atMs: number;
  began: number;
  ip: string | undefined;
  socket: Socket;
  writtenBefore: number;
}

/** Aborted by the client before the answer was out: nginx's number for it. */
const ABORTED = 499;
const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.)/i;
const COLON = 58;
/** Patterns come from the host's source, seldom from a list it makes up at run time. */
const templates = new RecentMap<string, string>(2_000);

export function arrivalOf(req: GatewayRequest): Arrival {
  const { socket } = req;
  return {
    atMs: Date.now(),
    began: performance.now(),
    ip: plainAddress(req.ip ?? socket.remoteAddress),
    socket,
    writtenBefore: socket.bytesWritten,
  };
}

function plainAddress(ip: string | undefined): string | undefined {
  return ip?.charCodeAt(0) === COLON ? ip.replace(IPV4_IN_IPV6, '') : ip;
}

/** The record of a request that has ended, without its key. */
export function recordOf(req: GatewayRequest, res: ServerResponse, arrival: Arrival): RecordInput {
  const url = req.originalUrl ?? req.url ?? '';
  const { headers } = req;
  const requestId = headers['x-request-id'];
  const userAgent = headers['user-agent'];
  return {
    timestamp: arrival.atMs,
    method: req.method,
    path: redactPath(cut(url, FIELD_LIMITS.path)),
    route: routeOf(req),
    status: res.writableFinished ? res.statusCode : ABORTED,
    latency_ms: Math.round((performance.now() - arrival.began) * 1_000) / 1_000,
    request_bytes: contentLength(headers['content-length']),
    response_bytes: responseBytes(req, res, arrival),
    ip: arrival.ip,
    user_agent: userAgent === undefined ? undefined : cut(userAgent, FIELD_LIMITS.user_agent),
    request_id: typeof requestId === 'string' ? cut(requestId, FIELD_LIMITS.request_id) : undefined,
    rate_limit: rateLimitOf(res, arrival.atMs),
  };
}

function cut(text: string, length: number): string {
  return text.length > length ? text.slice(0, length) : text;
}

/** Looked at only where a limiter answered: copying all headers of every response would cost more than the rest. */
function rateLimitOf(res: ServerResponse, atMs: number): RateLimitInput | undefined {
  const told =
    res.hasHeader('x-ratelimit-limit') || res.hasHeader('ratelimit-policy') || res.hasHeader('ratelimit-limit');
  return told ? rateLimitIn(res.getHeaders(), atMs) : undefined;
}

/**
 * The template Express matched, as `/users/{id}`. A mount path is known only as it was requested, so its variable
 * segments are recognised by their looks. Undefined when no route matched, or several or a pattern could have:
 * the path is then grouped by the receiver.
 */
function routeOf(req: GatewayRequest): string | undefined {
  const path = req.route?.path;
  if (typeof path !== 'string') return undefined;
  const template = templates.get(path) ?? templateOfPattern(path);
  const base = req.baseUrl ? templateOf(req.baseUrl) : '/';
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
function responseBytes(req: GatewayRequest, res: ServerResponse, arrival: Arrival): number | undefined {
  if (req.method === 'HEAD' || res.statusCode === 204 || res.statusCode === 304) return 0;
  const announced = res.writableFinished ? contentLength(res.getHeader('content-length')) : undefined;
  if (announced !== undefined) return announced;
  const written = arrival.socket.bytesWritten - arrival.writtenBefore;
  const head = (res as { _header?: unknown })._header;
  const body = written - (res.headersSent && typeof head === 'string' ? head.length : 0);
  return Number.isFinite(body) && body >= 0 ? body : undefined;
}

function contentLength(header: unknown): number | undefined {
  if (header === undefined) return undefined;
  const length = Number(header);
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}
