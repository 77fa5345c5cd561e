import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ReceivedPost {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface HttpReceiver {
  port: number;
  posts: ReceivedPost[];
  /** Sockets that were opened, whether or not a request came. */
  connections: number;
}

type Answer = (response: ServerResponse, request: ReceivedPost) => void;

/** A real HTTP (or HTTPS) server on the loopback for one test; it keeps what it is sent. */
export async function startHttpReceiver(
  answer: Answer = (response) => void response.writeHead(204).end(),
  tls?: { key: string; cert: string },
): Promise<HttpReceiver> {
  const receiver: HttpReceiver = { port: 0, posts: [], connections: 0 };
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const post = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') };
      receiver.posts.push(post);
      answer(response, post);
    });
  };
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.on('connection', () => void receiver.connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.port = (server.address() as AddressInfo).port;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return receiver;
}
