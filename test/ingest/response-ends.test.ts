import { AsyncLocalStorage } from 'node:async_hooks';
import { hasSubscribers } from 'node:diagnostics_channel';
import { createServer, type RequestListener } from 'node:http';
import { connect as connect2, createServer as createServer2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type GatewayRequest, keytally, type Middleware, type MiddlewareOptions } from '../../ingest/sender.ts';
import {
  expectBalanced,
  listen,
  receiveAnewForEachTest,
  senders,
  storedRecords,
  url,
} from '../support/record-receiver.ts';
import { untilPasses } from '../support/until-passes.ts';

receiveAnewForEachTest();

type Answer = (path: string, res: Parameters<RequestListener>[1]) => void;

function middlewareOf(options: Partial<MiddlewareOptions> = {}): Middleware {
  const middleware = keytally({ url, token: 't', ...options });
  senders.push(middleware);
  return middleware;
}

/** A server without Express: one middleware, one answer. */
function host(middleware: Middleware, answer: Answer): Promise<string> {
  return listen(createServer((req, res) => middleware(req, res, () => answer(req.url!, res))));
}

async function recorded(middleware: Middleware, count: number) {
  await untilPasses(() => expect(middleware.stats().recorded).toBe(count));
  await middleware.flush();
  return storedRecords();
}

async function expectEnds(middleware: Middleware, ends: readonly [path: string, status: number][]): Promise<void> {
  const records = await recorded(middleware, ends.length);
  expect(records.map(({ path, status }) => [path, status])).toEqual(ends);
}

/** Requests that one client sends in a row on one connection, without waiting for an answer. */
function inARow(base: string, paths: readonly string[]) {
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`).join(''));
  return socket.resume();
}

describe('the end of a request', () => {
  it('is that of its own response when several wait on one connection', async () => {
    const middleware = middlewareOf();
    let slow: (() => void) | undefined;
    const base = await host(middleware, (path, res) => {
      res.statusCode = Number(path.slice(1));
      if (path === '/201') slow = () => res.end('slow');
      else res.end();
      if (path === '/204') slow!();
    });
    const socket = inARow(base, ['/201', '/404', '/204']);
    await expectEnds(middleware, [
      ['/201', 201],
      ['/404', 404],
      ['/204', 204],
    ]);
    socket.destroy();
  });

  it('comes for all that wait on a connection when the client leaves', async () => {
    const middleware = middlewareOf();
    let open = 0;
    const base = await host(middleware, (path, res) => {
      if (path === '/answered') res.end();
      else open++;
    });
    const socket = inARow(base, ['/answered', '/first', '/second']);
    await untilPasses(() => expect(open).toBe(2));
    await untilPasses(() => expect(middleware.stats().recorded).toBe(1));
    socket.destroy();
    await expectEnds(middleware, [
      ['/answered', 200],
      ['/first', 499],
      ['/second', 499],
    ]);
  });

  it('comes for more requests of a connection than are kept for it', async () => {
    const middleware = middlewareOf();
    const waiting: (() => void)[] = [];
    const base = await host(middleware, (_, res) => void waiting.push(() => res.end()));
    const socket = inARow(
      base,
      Array.from({ length: 150 }, (_, n) => `/${n}`),
    );
    await untilPasses(() => expect(waiting).toHaveLength(150));
    for (const answer of waiting) answer();
    const records = await recorded(middleware, 150);
    socket.destroy();
    expect(new Set(records.map(({ path }) => path)).size).toBe(150);
    expect(records.every(({ status }) => status === 200)).toBe(true);
  });

  it('comes once for each request of a connection that is used again and again', async () => {
    const middleware = middlewareOf();
    const base = await host(middleware, (_, res) => void res.end('yes'));
    for (let n = 0; n < 20; n++) await (await fetch(`${base}/${n}`)).text();
    const records = await recorded(middleware, 20);
    expect(records.map(({ path }) => path)).toEqual(Array.from({ length: 20 }, (_, n) => `/${n}`));
    expect(records.every(({ response_bytes }) => response_bytes === 3)).toBe(true);
  });

  it('comes for each sender of a host, of its own requests only', async () => {
    const [all, some] = [middlewareOf(), middlewareOf()];
    const base = await listen(
      createServer((req, res) => {
        all(req, res, () => (req.url === '/both' ? some(req, res, () => res.end()) : res.end()));
      }),
    );
    for (const path of ['/one', '/both', '/other']) await (await fetch(base + path)).text();
    await untilPasses(() => expect([all.stats().recorded, some.stats().recorded]).toEqual([3, 1]));
  });

  it("asks the host in the request's own context", async () => {
    const context = new AsyncLocalStorage<string>();
    const middleware = middlewareOf({ extend: () => ({ service: context.getStore() ?? 'none' }) });
    const base = await listen(
      createServer((req, res) => {
        context.run(req.url!, () => middleware(req, res, () => void setTimeout(() => res.end(), 5)));
      }),
    );
    await Promise.all(['/a', '/b', '/c'].map(async (path) => (await fetch(base + path)).text()));
    for (const { path, service } of await recorded(middleware, 3)) expect(service).toBe(path);
  });

  it('reads a limiter and a length that were written with the head', async () => {
    const middleware = middlewareOf();
    const base = await host(middleware, (_, res) => {
      res.writeHead(429, { 'Content-Length': 2, 'X-RateLimit-Limit': 50, 'X-RateLimit-Remaining': 0 });
      res.end('no');
    });
    await (await fetch(base)).text();
    const [record] = await recorded(middleware, 1);
    expect(record).toMatchObject({ status: 429, response_bytes: 2, rate_limit: { limit: 50, remaining: 0 } });
  });

  it('comes over HTTP/2 too', async () => {
    const middleware = middlewareOf();
    const server = createServer2((req, res) => {
      middleware(req as unknown as GatewayRequest, res as never, () => {
        res.writeHead(202, { 'content-length': 4, 'ratelimit-limit': '9', 'ratelimit-remaining': '8' }).end('four');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = connect2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.request({ ':path': '/two' }).resume();
    const [record] = await recorded(middleware, 1);
    client.destroy();
    server.close();
    expect(record).toMatchObject({
      path: '/two',
      status: 202,
      response_bytes: 4,
      rate_limit: { limit: 9, remaining: 8 },
    });
  });

  it('is told of after the sender was closed, and nothing stays behind', async () => {
    const middleware = middlewareOf();
    const waiting: (() => void)[] = [];
    const base = await host(middleware, (_, res) => void waiting.push(() => res.end()));
    const answer = fetch(base);
    await untilPasses(() => expect(waiting).toHaveLength(1));
    await middleware.close();
    expect(hasSubscribers('http.server.response.finish')).toBe(true);
    waiting[0]!();
    await (await answer).text();
    expect(hasSubscribers('http.server.response.finish')).toBe(false);
    const late = fetch(base, { headers: { connection: 'close' } });
    await untilPasses(() => expect(waiting).toHaveLength(2));
    expect(hasSubscribers('http.server.response.finish')).toBe(false);
    waiting[1]!();
    await (await late).text();
    await untilPasses(() => expect(middleware.stats().dropped.closed).toBe(2));
    expectBalanced(middleware);
  });

  it('costs a connection one listener, however many requests it has', async () => {
    const middleware = middlewareOf();
    const listeners: number[] = [];
    const server = createServer((req, res) => {
      middleware(req, res, () => void res.end());
      listeners.push(req.socket.listenerCount('close'));
    });
    const base = await listen(server);
    for (let n = 0; n < 5; n++) await (await fetch(base)).text();
    expect(new Set(listeners).size).toBe(1);
  });
});
