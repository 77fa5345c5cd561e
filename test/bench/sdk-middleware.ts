import { channel } from 'node:diagnostics_channel';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request, type Response } from 'express';
import { keytally } from '../../ingest/sender.ts';
import { leastCpuOf } from './cpu-time.ts';
import { HEADERS } from './sdk-host.ts';

const ROUNDS = 60;
const REQUESTS_PER_ROUND = 1_000;

/**
 * CPU microseconds that the middleware adds to a request, by itself: one real request and its answer, over and over.
 * Least of many short rounds. Compressing and sending, and Express' way to a middleware, are not in it.
 */
export async function middlewareMicros(): Promise<number> {
  const endless = { maxRecords: 1e9, maxBytes: 1e12, flushRecords: 1e9, flushIntervalMs: 1e8, drainTimeoutMs: 1 };
  const usage = keytally({ url: 'http://127.0.0.1:1', token: 'kt_x', service: 'orders', ...endless });
  const { req, res, end } = await oneRequest();
  const next = () => undefined;
  // As Node tells of a response that is out.
  const finished = channel('http.server.response.finish');
  const message = { request: req, response: res, socket: req.socket };
  const least = await leastCpuOf(ROUNDS, () => {
    for (let n = 0; n < REQUESTS_PER_ROUND; n++) {
      usage(req, res, next);
      finished.publish(message);
    }
  });
  await usage.close();
  end();
  return Number((least / REQUESTS_PER_ROUND).toFixed(2));
}

/** A request as Express hands it to a route, not answered yet. */
async function oneRequest(): Promise<{ req: Request; res: Response & ServerResponse; end(): void }> {
  const app = express();
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve) => {
    const client = request({ host: '127.0.0.1', port, path: '/users/17', headers: HEADERS });
    app.get('/users/:id', (req, res) => {
      res.setHeader('content-length', '53');
      res.removeAllListeners();
      const end = () => {
        client.destroy();
        server.close();
      };
      resolve({ req, res, end });
    });
    client.on('error', () => undefined).end();
  });
}
