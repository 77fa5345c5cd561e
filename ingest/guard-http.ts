import { type IncomingMessage, type OutgoingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** An answer to a GET, read to its end. */
export interface GetAnswer {
  status: number;
  etag: string | undefined;
  retryAfter: string | undefined;
  text: string;
}

/** A page holds 50,000 keys of up to 330 bytes. */
const MAX_TEXT = 32 * 2 ** 20;
/** Silence after which the system asks whether the other side is still there; it does so once a second. */
const KEEP_ALIVE_MS = 2_000;

/**
 * Asks once; node:http for the reason given in sender-http.ts. Each request has a connection of its own: a server that
 * is to stop waits for the open ones, and one that is asked again at once would never end. Redirects are not followed.
 *
 * @throws Error when no whole answer came in time, it was too long, or `abort` ended it
 */
export function getOnce(
  url: string,
  headers: OutgoingHttpHeaders,
  timeoutMs: number,
  abort: AbortSignal,
): Promise<GetAnswer> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, { agent: false, headers });
    let answered = false;
    const end = () => request.destroy(abort.aborted ? abort.reason : new Error(`no answer within ${timeoutMs} ms`));
    const timer = setTimeout(end, timeoutMs).unref();
    abort.addEventListener('abort', end);
    request.once('socket', (socket) => {
      // A request that waits for a change must not hold up the end of the host's process.
      socket.unref();
      // A server that vanished without a word is noticed in seconds, not when the wait is over.
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
    });
    request.once('close', () => {
      clearTimeout(timer);
      abort.removeEventListener('abort', end);
      if (!answered) reject(new Error('the connection ended before the answer'));
    });
    request.on('error', reject);
    request.once('response', (response) => {
      answered = true;
      readAnswer(response).then(resolve, reject);
    });
    if (abort.aborted) end();
    else request.end();
  });
}

async function readAnswer(response: IncomingMessage): Promise<GetAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_TEXT) throw new Error(`the answer is longer than ${MAX_TEXT} bytes`);
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    etag: response.headers.etag,
    retryAfter: response.headers['retry-after'],
    text: Buffer.concat(chunks).toString('utf8'),
  };
}
