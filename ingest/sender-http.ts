import { Agent as HttpAgent, type IncomingMessage, type OutgoingHttpHeaders, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

/** An answer, read to its end. */
export interface HttpAnswer {
  status: number;
  statusText: string;
  retryAfter: string | undefined;
  /** Beginning of the body. */
  text: string;
}

/** Keeps connections to one server open. */
export interface HttpConnection {
  /** Sends a POST; rejects when no whole answer came in time or `abort` ended it. Redirects are not followed. */
  post(headers: OutgoingHttpHeaders, body: Buffer, timeoutMs: number, abort: AbortSignal): Promise<HttpAnswer>;
  /** Closes the connections that wait for reuse. */
  close(): void;
}

/** An answer to thousands of records names a hundred errors at most; what is longer comes from somebody else. */
const MAX_TEXT = 65_536;

/**
 * Opens connections as they are needed. Not `fetch`: its first call loads for 30 to 140 ms (measured, Node 20), which
 * the host's requests of that moment would wait for.
 */
export function connectionTo(url: string, maxSockets: number): HttpConnection {
  const secure = url.startsWith('https:');
  const options = { keepAlive: true, maxSockets };
  const agent = secure ? new HttpsAgent(options) : new HttpAgent(options);
  const open = secure ? requestHttps : requestHttp;
  return {
    post: (headers, body, timeoutMs, abort) =>
      new Promise((resolve, reject) => {
        const request = open(url, { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } });
        let answered = false;
        const end = () => request.destroy(abort.aborted ? abort.reason : new Error(`no answer within ${timeoutMs} ms`));
        const timer = setTimeout(end, timeoutMs).unref();
        abort.addEventListener('abort', end);
        // How long the host's process waits at its end is for flush() to say, not for a receiver that does not answer.
        request.once('socket', (socket) => socket.unref());
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
        else request.end(body);
      }),
    close: () => agent.destroy(),
  };
}

async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  let text = '';
  response.setEncoding('utf8');
  // To the end even when it is long: only a connection that was read empty can be used again.
  for await (const chunk of response) if (text.length < MAX_TEXT) text += chunk;
  return {
    status: response.statusCode ?? 0,
    statusText: response.statusMessage ?? '',
    retryAfter: response.headers['retry-after'],
    text,
  };
}
