import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type AllowedRanges, bareHost, guardedLookup, RefusedTarget, refusalOf } from './address-guard.ts';

/** Settings of every HTTP attempt. */
export interface PostOptions {
  allowed: AllowedRanges;
  /** From the first packet to the head of the answer; Standard Webhooks advises 15 to 30 s. */
  timeoutMs: number;
  /** Instead of the system's look-up and certificate authorities; for tests. */
  lookup?: LookupFunction;
  ca?: string;
}

/** The head of an answer; its body is never kept. */
export interface PostAnswer {
  status: number;
  retryAfter: string | undefined;
}

/** The whole attempt took longer than allowed. */
export class PostTimeout extends Error {
  override readonly name = 'PostTimeout';
}

/** More of an answer is not read before the connection is closed: the status has said it all. */
const MAX_ANSWER_BYTES = 4_096;
/** Nor for longer, so that an answer that drips ends. */
const DRAIN_MS = 1_000;
/** A head beyond it is refused by node (HPE_HEADER_OVERFLOW). */
const MAX_HEAD_BYTES = 16_384;

/**
 * One POST over a connection of its own. Redirects are not followed, no proxy is used, the answer's body is thrown away.
 * @throws {RefusedTarget} when the address may not be called
 * @throws {PostTimeout} when no answer began in time
 * @throws errors of node's sockets and TLS, told by `code`
 */
export async function post(
  target: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  options: PostOptions,
): Promise<PostAnswer> {
  const url = new URL(target);
  const host = bareHost(url);
  // The socket looks names up, but not addresses.
  const refused = isIP(host) === 0 ? undefined : refusalOf(url, [host], options.allowed);
  if (refused) throw new RefusedTarget(refused);
  return new Promise((resolve, reject) => {
    const request = open(url, headers, body, options);
    // Sockets have time limits for silence only: a receiver that drips would hold the worker for ever.
    const timer = setTimeout(() => request.destroy(new PostTimeout('no answer in time')), options.timeoutMs);
    request.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.once('response', (response) => {
      clearTimeout(timer);
      drain(request, response);
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
    });
    request.end(body);
  });
}

function open(url: URL, headers: Readonly<Record<string, string>>, body: string, options: PostOptions): ClientRequest {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return send(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'User-Agent': 'Keytally/1',
      ...headers,
    },
    // No pool: a kept connection would skip the look-up and with it the guard.
    agent: false,
    lookup: guardedLookup(url, options.allowed, options.lookup),
    maxHeaderSize: MAX_HEAD_BYTES,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
}

/** Lets a short answer end in peace, so that the receiver sees no broken connection, and ends a long one. */
function drain(request: ClientRequest, response: IncomingMessage): void {
  let bytes = 0;
  const timer = setTimeout(() => request.destroy(), DRAIN_MS);
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) request.destroy();
  });
  response.once('close', () => clearTimeout(timer));
  // The outcome stands; what breaks afterwards is of no interest.
  response.on('error', () => {});
  request.on('error', () => {});
}
