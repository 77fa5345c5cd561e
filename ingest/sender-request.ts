import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type RateLimitInput, rateLimitIn } from './rate-limit-headers.ts';
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

export function arrivalOf(req: GatewayRequest): Arrival {
  const { socket } = req;
  return {
    atMs: Date.now(),
    began: performance.now(),
    ip: (req.ip ?? socket.remoteAddress)?.replace(IPV4_IN_IPV6, ''),
    socket,
    writtenBefore: socket.bytesWritten,
  };
}

/** The record of a request that has ended, without its key. */
export function recordOf(req: GatewayRequest, res: ServerResponse, arrival: Arrival): RecordInput {
  const url = req.originalUrl ?? req.url ?? '';
  const requestId = req.headers['x-request-id'];
  return {
    timestamp: arrival.atMs,
    method: req.method,
    path: redactPath(url.slice(0, FIELD_LIMITS.path)),
    route: routeOf(req),
    status: res.writableFinished ? res.statusCode : ABORTED,
    latency_ms: Math.round((performance.now() - arrival.began) * 1_000) / 1_000,
    request_bytes: contentLength(req.headers['content-length']),
    response_bytes: responseBytes(req, res, arrival),
    ip: arrival.ip,
    user_agent: req.headers['user-agent']?.slice(0, FIELD_LIMITS.user_agent),
    request_id: typeof requestId === 'string' ? requestId.slice(0, FIELD_LIMITS.request_id) : undefined,
    rate_limit: rateLimitOf(res, arrival.atMs),
  };
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
  const base = req.baseUrl ? templateOf(req.baseUrl) : '';
  const template = path
    // Express 5 marks optional parts with braces, Express 4 parameters with a pattern and a question mark.
    .replace(/[{}]/g, '')
    .replace(/:"?(\w+)"?(?:\([^)]*\))?\??/g, '{$1}')
    .replace(/\*(\w+)/g, '{$1}');
  return ((base === '/' ? '' : base) + template).replace(/(.)\/$/, '$1').slice(0, FIELD_LIMITS.route);
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
  const length = Number(header);
  return header !== undefined && Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}
