import { createHash } from 'node:crypto';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { parseRecord } from '../../ingest/record.ts';
import { keytally, type MiddlewareOptions, type Sender } from '../../ingest/sender.ts';

import {
  answerWith,
  expectBalanced,
  fails,
  listen,
  paths,
  type Received,
  receiveAnewForEachTest,
  requests,
  senders,
  store,
  stored,
  storedRecords,
  url,
} from '../support/record-receiver.ts';
import { untilPasses } from '../support/until-passes.ts';

receiveAnewForEachTest();

describe.each(['used', 'watching'] as const)('the middleware in an Express 5 application, %s', (way) => {
  async function host(options: Partial<MiddlewareOptions> = {}): Promise<{ base: string; middleware: Sender }> {
    const middleware = keytally({ url, token: 't', retryBaseMs: 10, drainTimeoutMs: 3_000, ...options });
    senders.push(middleware);
    const app = express();
    app.set('trust proxy', true);
    if (way === 'used') app.use(middleware);
    app.get('/users/:id', (req, res) => void res.json({ id: req.params.id }));
    app.post('/upload', express.raw({ type: () => true }), (_req, res) => void res.status(201).end());
    app.get('/stream', (_req, res) => {
      res.write('x'.repeat(1_000));
      setImmediate(() => res.end('y'.repeat(500)));
    });
    app.get('/slow', () => undefined);
    app.get('/fails', () => {
      throw new Error('host bug');
    });
    const router = express.Router();
    router.get('/items/:item', (_req, res) => void res.status(404).json({}));
    router.get('/', (_req, res) => void res.json([]));
    app.use('/orgs/:org', router);
    app.use('/v1', router);
    app.use((_error: Error, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
      res.status(500).json({});
    });
    const server = createServer(app);
    if (way === 'watching') middleware.watch(server);
    return { base: await listen(server), middleware };
  }

  async function one(middleware: Sender): Promise<Received['records'][number]> {
    await untilPasses(() => expect(middleware.stats().recorded).toBeGreaterThan(0));
    await middleware.flush();
    expect(storedRecords()).toHaveLength(1);
    return storedRecords()[0]!;
  }

  it('reports what happened, and neither the raw key nor a query value', async () => {
    const { base, middleware } = await host();
    const headers = { 'x-api-key': 'the-raw-key', 'x-forwarded-for': '203.0.113.9', 'user-agent': 'curl/8' };
    const response = await fetch(`${base}/users/17?email=a@b.example&page=2`, { headers });
    const body = await response.text();
    const record = await one(middleware);
    expect(record).toMatchObject({
      method: 'GET',
      path: '/users/17?email&page',
      route: '/users/{id}',
      status: 200,
      ip: '203.0.113.9',
      user_agent: 'curl/8',
      response_bytes: body.length,
      key_sha256: createHash('sha256').update('the-raw-key').digest('hex'),
    });
    expect(record.latency_ms).toBeGreaterThan(0);
    expect(Math.abs(Date.now() - (record.timestamp as number))).toBeLessThan(5_000);
    expect(requests[0]!.body).not.toContain('the-raw-key');
    expect(parseRecord(record, 0, Date.now(), { pastMs: 60_000, futureMs: 60_000 })).not.toHaveProperty('message');
  });

  it.each([
    ['/orgs/42/items/7', '/orgs/{id}/items/{item}', 404],
    ['/v1/items/7', '/v1/items/{item}', 404],
    ['/v1', '/v1', 200],
    ['/fails', '/fails', 500],
    ['/nowhere', undefined, 404],
  ])('knows the route of %s', async (path, route, status) => {
    const { base, middleware } = await host();
    await fetch(base + path).then((response) => response.text());
    const record = await one(middleware);
    expect(record).toMatchObject({ status, path });
    expect(record.route).toBe(route);
    expect(record.key_id).toBe('(no key)');
  });

  it('counts the bytes of bodies, announced or streamed', async () => {
    const { base, middleware } = await host();
    await fetch(`${base}/upload`, { method: 'POST', body: 'z'.repeat(321) }).then((response) => response.text());
    await fetch(`${base}/stream`).then((response) => response.text());
    await untilPasses(() => expect(middleware.stats().recorded).toBe(2));
    await middleware.flush();
    const [upload, stream] = storedRecords();
    expect(upload).toMatchObject({ status: 201, request_bytes: 321, response_bytes: 0 });
    expect(stream!.response_bytes).toBeGreaterThanOrEqual(1_500);
    expect(stream!.response_bytes).toBeLessThan(1_560);
  });

  it('reports a client that left as 499', async () => {
    const { base, middleware } = await host();
    const left = request(`${base}/slow`);
    left.on('error', () => undefined);
    left.end();
    setTimeout(() => left.destroy(), 50);
    expect(await one(middleware)).toMatchObject({ status: 499, route: '/slow' });
  });

  it('asks the host for the key, and takes a bearer token where told', async () => {
    const asked = await host({ keyId: (req) => (req.headers['x-known'] ? 'key-7' : undefined), key: 'authorization' });
    await fetch(`${asked.base}/users/1`, { headers: { 'x-known': '1' } }).then((response) => response.text());
    await fetch(`${asked.base}/users/2`, { headers: { authorization: 'Bearer abc' } }).then((response) =>
      response.text(),
    );
    await untilPasses(() => expect(asked.middleware.stats().recorded).toBe(2));
    await asked.middleware.flush();
    const [known, bearer] = storedRecords();
    expect(known).toMatchObject({ key_id: 'key-7' });
    expect(bearer).toMatchObject({ key_sha256: createHash('sha256').update('abc').digest('hex') });
  });

  it('takes the host at its word: skip, route, extend', async () => {
    const { base, middleware } = await host({
      skip: (req) => req.url === '/users/skipped',
      route: () => '/people',
      extend: () => ({ environment: 'staging', error: 'quota' }),
    });
    await fetch(`${base}/users/skipped`).then((response) => response.text());
    await fetch(`${base}/users/1`).then((response) => response.text());
    expect(await one(middleware)).toMatchObject({ route: '/people', environment: 'staging', error: 'quota' });
  });

  it("survives whatever the host's own functions throw", async () => {
    const throws = () => {
      throw new Error('host bug');
    };
    const { base, middleware } = await host({
      keyId: throws,
      key: throws,
      route: throws,
      skip: throws,
      extend: throws,
      onError: throws,
    });
    const response = await fetch(`${base}/users/1`);
    expect(response.status).toBe(200);
    expect(await one(middleware)).toMatchObject({ key_id: '(no key)', route: '/users/{id}', status: 200 });
  });

  it('counts each of many requests once while every batch fails twice', async () => {
    // Every batch is refused twice: before it is stored, and after it was stored but the answer was lost.
    const attempts = new Map<string, number>();
    answerWith((received, res) => {
      const attempt = (attempts.get(received.key) ?? 0) + 1;
      attempts.set(received.key, attempt);
      if (attempt === 1) return fails(500)(received, res);
      if (attempt > 2) return store(received, res);
      stored.push(received);
      res.destroy();
    });
    const { base, middleware } = await host({ flushRecords: 50, flushIntervalMs: 50 });
    for (let round = 0; round < 20; round++) {
      const calls = Array.from({ length: 25 }, (_, id) => fetch(`${base}/users/${round * 25 + id}`));
      await Promise.all(calls.map(async (call) => (await call).text()));
    }
    await untilPasses(() => expect(middleware.stats().recorded).toBe(500));
    await middleware.close();
    expect(new Set(paths()).size).toBe(500);
    expect(paths()).toHaveLength(500);
    expect(middleware.stats()).toMatchObject({ sent: 500, pending: 0 });
  });

  it('answers as always while the receiver is unreachable', async () => {
    const { base, middleware } = await host({
      url: 'http://127.0.0.1:1',
      flushRecords: 1,
      maxRecords: 20,
      drainTimeoutMs: 100,
    });
    for (let id = 0; id < 50; id++) {
      const response = await fetch(`${base}/users/${id}`);
      expect(await response.json()).toEqual({ id: String(id) });
    }
    await untilPasses(() => expect(middleware.stats().recorded).toBe(50));
    expect(middleware.stats()).toMatchObject({ dropped: { overflow: 30 }, pending: 20 });
    await middleware.close();
    expectBalanced(middleware);
  });

  it('has one request sent after the interval, with the time it arrived', async () => {
    const { base, middleware } = await host({ flushIntervalMs: 300 });
    const before = Date.now();
    await (await fetch(`${base}/users/1`)).text();
    const after = Date.now();
    await untilPasses(() => expect(middleware.stats()).toMatchObject({ recorded: 1, pending: 1 }));
    await untilPasses(() => expect(middleware.stats()).toMatchObject({ sent: 1, pending: 0 }));
    const { timestamp } = storedRecords()[0]!;
    expect(timestamp).toBeGreaterThanOrEqual(before - 1);
    expect(timestamp).toBeLessThanOrEqual(after + 1);
  });

  it.each([
    ['as many as make a batch are sent without waiting', { flushRecords: 7, batchRecords: 7, flushIntervalMs: 1e8 }, 7],
    ['more than are written together', { flushRecords: 600, flushIntervalMs: 1e8 }, 600],
  ])('%s', async (_, options, count) => {
    const { base, middleware } = await host(options);
    for (let id = 0; id < count; id++) await (await fetch(`${base}/users/${id}`)).text();
    await untilPasses(() => expect(middleware.stats()).toMatchObject({ sent: count, pending: 0 }));
    expect(new Set(paths()).size).toBe(count);
  });

  it.each([
    ['the connection, where no header says otherwise', {}, undefined, '127.0.0.1'],
    [
      'the client Express trusts to be behind it',
      { 'x-forwarded-for': '203.0.113.9, 10.0.0.1' },
      undefined,
      '203.0.113.9',
    ],
    ["what the host's own code put there", {}, '198.51.100.7', '198.51.100.7'],
  ])('has the address: %s', async (_, headers, ownIp, expected) => {
    const middleware = keytally({ url, token: 't' });
    senders.push(middleware);
    const app = express();
    app.set('trust proxy', true);
    app.use((req, _res, next) => {
      if (ownIp !== undefined) Object.defineProperty(req, 'ip', { value: ownIp });
      next();
    });
    if (way === 'used') app.use(middleware);
    app.get('/', (_req, res) => void res.end());
    const server = createServer(app);
    if (way === 'watching') middleware.watch(server);
    await (await fetch(await listen(server), { headers: headers as Record<string, string> })).text();
    expect((await one(middleware)).ip).toBe(expected);
  });

  it('counts a request of which no record can be made, and goes on', async () => {
    const errors: string[] = [];
    const middleware = keytally({ url, token: 't', onError: (error) => errors.push(error.message) });
    senders.push(middleware);
    const app = express();
    app.use((req, _res, next) => {
      if (req.url === '/bad') Object.defineProperty(req, 'ip', { value: 7 });
      next();
    });
    if (way === 'used') app.use(middleware);
    app.get('/{*path}', (_req, res) => void res.end());
    const server = createServer(app);
    if (way === 'watching') middleware.watch(server);
    const base = await listen(server);
    for (const path of ['/bad', '/good']) await (await fetch(base + path)).text();
    await untilPasses(() => expect(middleware.stats().recorded).toBe(2));
    await middleware.flush();
    expect(paths()).toEqual(['/good']);
    expect(middleware.stats()).toMatchObject({ recorded: 2, sent: 1, dropped: { rejected: 1 }, pending: 0 });
    expect(errors).toEqual(['a request could not be read']);
  });

  it('is not troubled by a request that is no HTTP', async () => {
    const { base, middleware } = await host();
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    socket.resume().end('nonsense\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(middleware.stats().recorded).toBe(0);
  });
});

describe('watching a server', () => {
  const usage = (options: Partial<MiddlewareOptions> = {}) => {
    const middleware = keytally({ url, token: 't', ...options });
    senders.push(middleware);
    return middleware;
  };
  const get = async (target: string) => (await fetch(target, { headers: { 'x-api-key': 'k' } })).text();

  it('reports requests that no framework sees, and keeps the host as it was after its end', async () => {
    const middleware = usage();
    const server = createServer((req, res) => void res.writeHead(req.url === '/no' ? 404 : 200).end('abc'));
    const stop = middleware.watch(server);
    const base = await listen(server);
    for (const path of ['/yes', '/no']) expect(await get(base + path)).toBe('abc');
    stop();
    stop();
    await get(`${base}/after`);
    await untilPasses(() => expect(middleware.stats().recorded).toBe(2));
    await middleware.flush();
    expect(storedRecords().map(({ path, status }) => [path, status])).toEqual([
      ['/yes', 200],
      ['/no', 404],
    ]);
    expect(server.listenerCount('request')).toBe(1);
  });

  it('counts a request once that its middleware sees as well, and a server once that it is told of twice', async () => {
    const middleware = usage();
    const app = express();
    app.use(middleware);
    app.get('/once', (_req, res) => void res.end());
    const server = createServer(app);
    middleware.watch(server);
    middleware.watch(server);
    await get(`${await listen(server)}/once`);
    await untilPasses(() => expect(middleware.stats().recorded).toBeGreaterThan(0));
    await middleware.close();
    expect(middleware.stats()).toMatchObject({ recorded: 1, sent: 1 });
    expect(server.listenerCount('request')).toBe(1);
  });
});
