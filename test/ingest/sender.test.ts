import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import express from 'express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseRecord, type RecordInput } from '../../ingest/record.ts';
import {
  createSender,
  keytally,
  type MiddlewareOptions,
  type Sender,
  type SenderError,
  type SenderOptions,
} from '../../ingest/sender.ts';
import { compiledSource } from '../support/compiled-source.ts';

interface Received {
  records: (RecordInput & { key_sha256?: string })[];
  key: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** How the receiver answers one request; what it has `stored` is set apart from what merely arrived. */
type Answer = (received: Received, res: ServerResponse) => void;

const servers: Server[] = [];
const senders: Sender[] = [];
let requests: Received[];
let stored: Received[];
let answer: Answer;
let url: string;

const store: Answer = (received, res) => {
  if (!stored.some(({ key }) => key === received.key)) stored.push(received);
  reply(res, 202, { batch_id: 'b', accepted: received.records.length, rejected: 0, errors: [] });
};

function reply(res: ServerResponse, status: number, body: object = {}, headers: Record<string, string> = {}): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Answers in turn, then stores. */
function first(...answers: Answer[]): Answer {
  return (received, res) => (answers.shift() ?? store)(received, res);
}

function fails(status: number, headers: Record<string, string> = {}): Answer {
  return (_received, res) => reply(res, status, { title: `no ${status}` }, headers);
}

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeEach(async () => {
  requests = [];
  stored = [];
  answer = store;
  const receiver = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = gunzipSync(Buffer.concat(chunks)).toString();
      const records = body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as RecordInput);
      const received = { records, key: String(req.headers['idempotency-key']), headers: req.headers, body };
      requests.push(received);
      answer(received, res);
    });
  });
  url = await listen(receiver);
});

afterEach(async () => {
  for (const server of servers) server.closeAllConnections();
  await Promise.all(senders.splice(0).map((sender) => sender.close()));
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

function sender(options: Partial<SenderOptions> = {}): Sender {
  const created = createSender({ url, token: 'kt_test', retryBaseMs: 10, drainTimeoutMs: 3_000, ...options });
  senders.push(created);
  return created;
}

function record(id: number): RecordInput {
  return { key_id: 'key-1', status: 200, method: 'GET', path: `/things/${id}` };
}

function fill(target: Sender, count: number, from = 0): void {
  for (let id = from; id < from + count; id++) target.record(record(id));
}

const storedRecords = () => stored.flatMap(({ records }) => records);
const paths = () => storedRecords().map(({ path }) => path);

/** Every record has exactly one fate. */
function expectBalanced(target: Sender): void {
  const { recorded, sent, dropped, pending } = target.stats();
  expect(recorded).toBe(sent + dropped.overflow + dropped.rejected + dropped.failed + dropped.closed + pending);
}

describe('batches', () => {
  it('go out when enough records wait, compressed, with token and Idempotency-Key', async () => {
    const target = sender({ flushRecords: 100, flushIntervalMs: 60_000, service: 'shop', environment: 'staging' });
    fill(target, 99);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(requests).toHaveLength(0);
    fill(target, 1, 99);
    await vi.waitFor(() => expect(target.stats().sent).toBe(100));
    expect(requests).toHaveLength(1);
    expect(requests[0]!.headers).toMatchObject({ authorization: 'Bearer kt_test', 'content-encoding': 'gzip' });
    expect(requests[0]!.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(requests[0]!.records[0]).toMatchObject({ service: 'shop', environment: 'staging', path: '/things/0' });
    expectBalanced(target);
  });

  it('go out after the interval with the time the record was taken', async () => {
    const target = sender({ flushIntervalMs: 100 });
    const before = Date.now();
    fill(target, 3);
    const after = Date.now();
    await vi.waitFor(() => expect(target.stats().sent).toBe(3));
    const time = storedRecords()[0]!.timestamp as number;
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(after);
  });

  it('are bounded, in order of recording, and complete', async () => {
    const target = sender({ batchRecords: 300, concurrency: 1 });
    fill(target, 10_000);
    await target.flush();
    expect(Math.max(...stored.map(({ records }) => records.length))).toBeLessThanOrEqual(300);
    expect(paths()).toEqual(Array.from({ length: 10_000 }, (_, id) => `/things/${id}`));
    expect(target.stats()).toMatchObject({ sent: 10_000, pending: 0 });
  });

  it('pass the validation of the record contract', async () => {
    const target = sender();
    target.record({ key: 'secret-key', status: 204, path: '/a' });
    await target.flush();
    const parsed = parseRecord(storedRecords()[0], 0, Date.now(), { pastMs: 60_000, futureMs: 60_000 });
    expect(parsed).not.toHaveProperty('message');
    expect(requests[0]!.body).not.toContain('secret-key');
    expect(storedRecords()[0]!.key_sha256).toBe(createHash('sha256').update('secret-key').digest('hex'));
  });

  it('carry the raw key only when asked to', async () => {
    const target = sender({ keyHash: false });
    target.record({ key: 'secret-key', status: 204 });
    await target.flush();
    expect(storedRecords()[0]).toMatchObject({ key: 'secret-key' });
    expect(storedRecords()[0]).not.toHaveProperty('key_sha256');
  });

  it('let the host answer while they are written', async () => {
    const target = sender({ flushRecords: 100_000, maxRecords: 100_000, batchRecords: 50_000, maxBytes: 2 ** 30 });
    fill(target, 50_000);
    let longest = 0;
    let last = performance.now();
    const ticks = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const encoded = target.flush();
    await vi
      .waitFor(() => expect(requests.length).toBeGreaterThan(0), { timeout: 10_000, interval: 5 })
      .finally(() => {
        clearInterval(ticks);
      });
    await encoded;
    expect(target.stats().sent).toBe(50_000);
    // The receiver shares this loop and parses 50,000 lines at once, so this is only a guard against blocking for good.
    expect(longest).toBeLessThan(1_000);
  });
});

describe('a receiver in trouble', () => {
  it.each([500, 503, 408])('answering %i gets the same batch under the same key again', async (status) => {
    answer = first(fails(status), fails(status));
    const target = sender();
    fill(target, 5);
    await target.flush();
    expect(requests).toHaveLength(3);
    expect(new Set(requests.map(({ key }) => key)).size).toBe(1);
    expect(new Set(requests.map(({ body }) => body)).size).toBe(1);
    expect(target.stats()).toMatchObject({ sent: 5, pending: 0, retries: 2 });
  });

  it('answering 429 is left alone as long as it asks for', async () => {
    answer = first(fails(429, { 'retry-after': '1' }));
    const target = sender();
    fill(target, 5);
    const began = performance.now();
    await target.flush();
    expect(performance.now() - began).toBeGreaterThan(950);
    expect(target.stats().sent).toBe(5);
  });

  it('not answering in time is asked again, and what it stored is not counted twice', async () => {
    // Stores, but the answer never arrives: the classic unknown outcome.
    answer = first((received) => stored.push(received));
    const target = sender({ timeoutMs: 150 });
    fill(target, 5);
    await target.flush();
    expect(requests).toHaveLength(2);
    expect(paths()).toHaveLength(5);
    expect(target.stats()).toMatchObject({ sent: 5, retries: 1 });
  });

  it('breaking the connection is asked again', async () => {
    answer = first((_received, res) => res.destroy());
    const target = sender();
    fill(target, 5);
    await target.flush();
    expect(target.stats()).toMatchObject({ sent: 5, retries: 1 });
  });

  it('answering 413 gets halves under keys of their own, and only the record that is too large is lost', async () => {
    const errors: SenderError[] = [];
    answer = (received, res) => {
      const tooLarge = received.records.length > 3 || received.records.some(({ path }) => path === '/things/6');
      (tooLarge ? fails(413) : store)(received, res);
    };
    const target = sender({ onError: (error) => errors.push(error) });
    fill(target, 10);
    await target.flush();
    expect(paths().sort()).toEqual([0, 1, 2, 3, 4, 5, 7, 8, 9].map((id) => `/things/${id}`));
    expect(new Set(requests.map(({ key }) => key)).size).toBe(requests.length);
    expect(requests.every(({ key }) => key.startsWith(requests[0]!.key))).toBe(true);
    expect(target.stats()).toMatchObject({ sent: 9, dropped: { rejected: 1 }, pending: 0 });
    expect(errors).toMatchObject([{ records: 1, status: 413 }]);
  });

  it.each([400, 404, 302])('answering %i is not asked again', async (status) => {
    answer = fails(status, { location: '/elsewhere' });
    const errors: SenderError[] = [];
    const target = sender({ onError: (error) => errors.push(error) });
    fill(target, 5);
    await target.flush();
    expect(requests).toHaveLength(1);
    expect(target.stats()).toMatchObject({ sent: 0, dropped: { rejected: 5 }, pending: 0, retries: 0 });
    expect(errors).toMatchObject([{ records: 5, status }]);
  });

  it.each([401, 403])('answering %i is reported once, not for every batch', async (status) => {
    answer = fails(status);
    const errors: SenderError[] = [];
    const target = sender({ batchRecords: 2, onError: (error) => errors.push(error) });
    fill(target, 10);
    await target.flush();
    expect(requests).toHaveLength(5);
    expect(errors).toHaveLength(1);
    expect(target.stats().dropped.rejected).toBe(10);
  });

  it('rejecting some records has them counted', async () => {
    const body = { accepted: 3, rejected: 2, errors: [{ index: 1, field: 'status', message: 'is required' }] };
    answer = (_received, res) => reply(res, 202, body);
    const errors: SenderError[] = [];
    const target = sender({ onError: (error) => errors.push(error) });
    fill(target, 5);
    await target.flush();
    expect(target.stats()).toMatchObject({ sent: 3, dropped: { rejected: 2 }, pending: 0 });
    expect(errors[0]!.message).toBe('record 1: status is required');
  });

  it('that is away for too long loses the batch, counted', async () => {
    answer = fails(503);
    const target = sender({ retryForMs: 100 });
    fill(target, 5);
    await vi.waitFor(() => expect(target.stats()).toMatchObject({ dropped: { failed: 0 }, pending: 5 }));
    await target.flush();
    expect(target.stats()).toMatchObject({ sent: 0, dropped: { failed: 5 }, pending: 0 });
  });
});

describe('bounds', () => {
  it('drop the new record when too many are held, and count it', async () => {
    const errors: SenderError[] = [];
    const held: ServerResponse[] = [];
    answer = (_received, res) => void held.push(res);
    const target = sender({ maxRecords: 100, flushRecords: 50, onError: (error) => errors.push(error) });
    fill(target, 250);
    expect(target.stats()).toMatchObject({ recorded: 250, dropped: { overflow: 150 }, pending: 100 });
    expect(errors).toHaveLength(1);
    await vi.waitFor(() => expect(held).toHaveLength(2));
    answer = store;
    for (const res of held) reply(res, 202, { accepted: 50, rejected: 0 });
    await target.flush();
    fill(target, 10, 1_000);
    await target.flush();
    expect(paths()).toEqual(Array.from({ length: 10 }, (_, id) => `/things/${1_000 + id}`));
    expect(target.stats()).toMatchObject({ sent: 110, dropped: { overflow: 150 }, pending: 0 });
    expectBalanced(target);
  });

  it('hold for bytes as well as for records', () => {
    const target = sender({ maxBytes: 100_000, flushIntervalMs: 60_000 });
    for (let id = 0; id < 100; id++) target.record({ ...record(id), path: `/${'x'.repeat(2_000)}` });
    const { pending, dropped } = target.stats();
    expect(pending).toBeGreaterThan(10);
    expect(pending).toBeLessThan(30);
    expect(dropped.overflow).toBe(100 - pending);
  });

  it('keep what is no record and what cannot be written away from the others', async () => {
    const target = sender();
    const loop: Record<string, unknown> = { key_id: 'key-1', status: 200 };
    loop.self = loop;
    target.record(null as unknown as RecordInput);
    target.record(loop as RecordInput);
    target.record({ key_id: 'key-1', status: 200n as unknown as number });
    target.record({ key: 7 as unknown as string, status: 200 });
    fill(target, 2);
    await target.flush();
    expect(paths()).toEqual(['/things/0', '/things/1']);
    expect(target.stats()).toMatchObject({ sent: 2, dropped: { rejected: 4 }, pending: 0 });
  });

  it('refuse wrong options at the start', () => {
    expect(() => createSender({ url: 'nowhere', token: 't' })).toThrow('url must be an address');
    expect(() => createSender({ url: 'ftp://host', token: 't' })).toThrow('http://');
    expect(() => createSender({ url, token: '' })).toThrow('token is required');
    expect(() => createSender({ url, token: 't', maxRecords: 0 })).toThrow('maxRecords must be a positive number');
  });
});

describe('the end', () => {
  it('sends what is held at close and takes nothing afterwards', async () => {
    const target = sender({ flushIntervalMs: 60_000 });
    fill(target, 42);
    await target.close();
    expect(target.stats()).toMatchObject({ sent: 42, pending: 0 });
    target.record(record(43));
    await target.close();
    expect(target.stats()).toMatchObject({ recorded: 43, sent: 42, dropped: { closed: 1 } });
  });

  it('waits for an unreachable receiver no longer than told, and counts what was lost', async () => {
    const target = sender({ url: 'http://127.0.0.1:1', drainTimeoutMs: 200, flushRecords: 5, batchRecords: 5 });
    fill(target, 50);
    const began = performance.now();
    await target.close();
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(target.stats()).toMatchObject({ sent: 0, dropped: { failed: 50 }, pending: 0 });
    expectBalanced(target);
  });

  it('gives up a receiver that hangs', async () => {
    answer = () => undefined;
    const target = sender({ drainTimeoutMs: 200 });
    fill(target, 5);
    await target.close();
    expect(target.stats()).toMatchObject({ sent: 0, dropped: { failed: 5 }, pending: 0 });
  });
});

describe('the end of the process', () => {
  let compiled: string;
  let child: ChildProcess | undefined;

  afterEach(() => {
    child?.kill('SIGKILL');
    rmSync(compiled, { recursive: true, force: true });
  });

  /** Runs a program that records and has nothing more to do; returns how long it lived and what it printed. */
  async function run(target: string): Promise<{ code: number | null; ms: number; output: string }> {
    compiled = compiledSource('ingest/sender.ts');
    const source = `
      import { createSender } from ${JSON.stringify(pathToFileURL(join(compiled, 'ingest/sender.js')).href)};
      const sender = createSender({ url: ${JSON.stringify(target)}, token: 't', drainTimeoutMs: 400, retryBaseMs: 20 });
      for (let id = 0; id < 7; id++) sender.record({ key_id: 'k', status: 200, path: '/things/' + id });
      process.on('exit', () => console.log(JSON.stringify(sender.stats())));`;
    const began = performance.now();
    const program = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child = program;
    let output = '';
    program.stdout.on('data', (chunk: Buffer) => (output += chunk));
    const code = await new Promise<number | null>((resolve) => program.once('close', resolve));
    return { code, ms: performance.now() - began, output };
  }

  it('sends what is held', async () => {
    const { code, output } = await run(url);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ sent: 7, pending: 0 });
    expect(paths()).toHaveLength(7);
  });

  it('is not held up by an unreachable receiver', async () => {
    const { code, ms, output } = await run('http://127.0.0.1:1');
    expect(code).toBe(0);
    expect(ms).toBeLessThan(5_000);
    expect(JSON.parse(output)).toMatchObject({ sent: 0 });
  });
});

describe('the middleware in an Express 5 application', () => {
  async function host(options: Partial<MiddlewareOptions> = {}): Promise<{ base: string; middleware: Sender }> {
    const middleware = keytally({ url, token: 't', retryBaseMs: 10, drainTimeoutMs: 3_000, ...options });
    senders.push(middleware);
    const app = express();
    app.set('trust proxy', true);
    app.use(middleware);
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
    return { base: await listen(createServer(app)), middleware };
  }

  async function one(middleware: Sender): Promise<Received['records'][number]> {
    await vi.waitFor(() => expect(middleware.stats().recorded).toBeGreaterThan(0));
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
    await vi.waitFor(() => expect(middleware.stats().recorded).toBe(2));
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
    await vi.waitFor(() => expect(asked.middleware.stats().recorded).toBe(2));
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
    answer = (received, res) => {
      const attempt = (attempts.get(received.key) ?? 0) + 1;
      attempts.set(received.key, attempt);
      if (attempt === 1) return fails(500)(received, res);
      if (attempt > 2) return store(received, res);
      stored.push(received);
      res.destroy();
    };
    const { base, middleware } = await host({ flushRecords: 50, flushIntervalMs: 50 });
    for (let round = 0; round < 20; round++) {
      const calls = Array.from({ length: 25 }, (_, id) => fetch(`${base}/users/${round * 25 + id}`));
      await Promise.all(calls.map(async (call) => (await call).text()));
    }
    await vi.waitFor(() => expect(middleware.stats().recorded).toBe(500));
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
    await vi.waitFor(() => expect(middleware.stats().recorded).toBe(50));
    expect(middleware.stats()).toMatchObject({ dropped: { overflow: 30 }, pending: 20 });
    await middleware.close();
    expectBalanced(middleware);
  });

  it('is not troubled by a request that is no HTTP', async () => {
    const { base, middleware } = await host();
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    socket.resume().end('nonsense\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(middleware.stats().recorded).toBe(0);
  });
});
