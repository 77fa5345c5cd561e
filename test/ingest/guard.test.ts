import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import express from 'express';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Guard, GuardError, type GuardOptions, keytally, keytallyGuard } from '../../ingest/sender.ts';
import { builtModule } from '../support/built-module.ts';
import { type Stack, startStack } from '../support/stack.ts';

const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const secretOf = (keyId: string) => `sk_live_secret_of_${keyId}`;
const SOON = { timeout: 30_000, interval: 20 };

let stack: Stack;
let token: string;
const guards: Guard[] = [];
const servers: Server[] = [];

async function listen(server: Server, port = 0): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An Express application behind a guard; `get` presents a key and tells the status of the answer. */
async function host(options: Partial<GuardOptions> = {}) {
  const errors: GuardError[] = [];
  const onError = (error: GuardError) => void errors.push(error);
  const guard = keytallyGuard({ url: stack.url, token, retryBaseMs: 20, onError, ...options });
  guards.push(guard);
  const app = express();
  app.use(guard);
  app.get('/', (_req, res) => void res.json({ ok: true }));
  const base = await listen(createServer(app));
  const get = async (headers: Record<string, string>) => (await fetch(base, { headers })).status;
  return { guard, errors, base, get, withKey: (keyId: string) => get({ 'x-api-key': secretOf(keyId) }) };
}

async function register(keyId: string): Promise<void> {
  const { status } = await stack.call(`/v1/keys/${keyId}`, { method: 'PUT', body: { sha256: sha(secretOf(keyId)) } });
  expect(status).toBe(200);
}

async function change(keyId: string, action: 'deactivate' | 'reactivate'): Promise<void> {
  const body = { reason: 'test' };
  const { status } = await stack.call(`/v1/keys/${keyId}/${action}`, { method: 'POST', body });
  expect(status).toBe(200);
}

const untilCopied = (guard: Guard) => expect.poll(() => guard.stats().confirmedAt, SOON).not.toBeNull();

beforeAll(async () => {
  stack = await startStack();
  token = await stack.token({ name: 'gateway', scopes: ['read'] });
  for (const keyId of ['good', 'walk', 'outage', 'by_id', 'wire']) await register(keyId);
});
afterEach(async () => {
  for (const server of servers) server.closeAllConnections();
  await Promise.all(guards.splice(0).map((guard) => guard.close()));
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});
afterAll(() => stack.stop());

describe('a key in its life', () => {
  test('is refused after its deactivation, and allowed again after its reactivation', async () => {
    const { guard, base, withKey } = await host();
    await untilCopied(guard);
    expect(await withKey('walk')).toBe(200);
    await change('walk', 'deactivate');
    const changedAt = performance.now();
    await expect.poll(() => withKey('walk'), SOON).toBe(401);
    console.log(`refused ${Math.round(performance.now() - changedAt)} ms after the answer to the deactivation`);
    const answer = await fetch(base, { headers: { 'x-api-key': secretOf('walk') } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail: 'the API key is inactive',
    });
    expect(await withKey('good')).toBe(200);
    await change('walk', 'reactivate');
    await expect.poll(() => withKey('walk'), SOON).toBe(200);
    expect(guard.stats().errors).toBe(0);
  });

  test('is known by another header, as a bearer token, or by the id the host knows', async () => {
    await change('by_id', 'deactivate');
    const bearer = await host({ header: 'Authorization' });
    const byId = await host({ keyId: (req) => req.headers['x-known-as'] as string | undefined });
    await untilCopied(bearer.guard);
    await untilCopied(byId.guard);
    expect(await bearer.get({ authorization: `Bearer ${secretOf('by_id')}` })).toBe(401);
    expect(await bearer.get({ 'x-api-key': secretOf('by_id') })).toBe(200);
    expect(await byId.get({ 'x-known-as': 'by_id' })).toBe(401);
    expect(await byId.get({ 'x-known-as': 'good', 'x-api-key': secretOf('by_id') })).toBe(200);
    expect(await byId.withKey('by_id')).toBe(401);
    await change('by_id', 'reactivate');
  });
});

test('refusals are counted as requests of their key, by the sender in front', async () => {
  await register('counted');
  await change('counted', 'deactivate');
  const sender = keytally({ url: stack.url, token: await stack.token({ name: 'usage', scopes: ['ingest'] }) });
  const guard = keytallyGuard({ url: stack.url, token });
  guards.push(guard);
  const base = await listen(createServer(express().use(sender).use(guard)));
  await untilCopied(guard);
  expect((await fetch(base, { headers: { 'x-api-key': secretOf('counted') } })).status).toBe(401);
  await expect.poll(() => sender.stats().recorded, SOON).toBe(1);
  await sender.close();
  const counted = async () => (await stack.call('/v1/keys/counted')).json.last_used?.status;
  await expect.poll(counted, SOON).toBe(401);
});

/** Keytally behind a server that notes what passes, and can be switched off. */
async function observed() {
  const seen: string[] = [];
  const forward = (req: IncomingMessage, res: ServerResponse) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks);
      seen.push(`${req.method} ${req.url} ${req.rawHeaders.join(' ')} ${body}`);
      const onward = request(stack.url + req.url, { method: req.method!, headers: req.headers }, (answer) => {
        res.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(res);
      });
      res.once('close', () => onward.destroy());
      onward.on('error', () => res.destroy()).end(body);
    });
  };
  let server = createServer(forward);
  const url = await listen(server);
  const off = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const on = async () => {
    server = createServer(forward);
    await listen(server, Number(new URL(url).port));
  };
  return { seen, url, off, on };
}

test('an outage of Keytally: the copy goes on to hold, and catches up afterwards', async () => {
  const { url, off, on } = await observed();
  await change('outage', 'deactivate');
  const { guard, errors, withKey } = await host({ url });
  await expect.poll(() => withKey('outage'), SOON).toBe(401);
  await off();
  await expect.poll(() => guard.stats().errors, SOON).toBeGreaterThan(2);
  expect([await withKey('outage'), await withKey('good')]).toEqual([401, 200]);
  expect(errors[0]).toBeInstanceOf(GuardError);
  await change('outage', 'reactivate');
  expect(await withKey('outage')).toBe(401);
  await on();
  await expect.poll(() => withKey('outage'), SOON).toBe(200);
});

test('nothing but GETs without key material leave the process', async () => {
  const { url, seen } = await observed();
  const { withKey } = await host({ url });
  expect(await withKey('wire')).toBe(200);
  await change('wire', 'deactivate');
  await expect.poll(() => withKey('wire'), SOON).toBe(401);
  await withKey('good');
  expect(seen.length).toBeGreaterThan(0);
  for (const text of seen) expect(text).toMatch(/^GET \/v1\/keys\/denied\?wait=25 /);
  for (const keyId of ['wire', 'good']) {
    expect(seen.join('\n')).not.toContain(secretOf(keyId));
    expect(seen.join('\n').toLowerCase()).not.toContain(sha(secretOf(keyId)));
  }
  await change('wire', 'reactivate');
});

describe('a good key is never blocked', () => {
  test.each([
    ['nobody listens', () => 'http://127.0.0.1:1'],
    ['the token is wrong', () => stack.url],
    ['the address is another', () => `${stack.url}/elsewhere`],
  ])('%s', async (_name, url) => {
    const { guard, withKey } = await host({ url: url(), token: 'kt_wrong' });
    expect(await withKey('good')).toBe(200);
    await expect.poll(() => guard.stats().errors, SOON).toBeGreaterThan(0);
    expect([await withKey('good'), guard.stats().confirmedAt]).toEqual([200, null]);
  });

  test.each<[string, (res: ServerResponse) => void]>([
    ['a page of a proxy', (res) => void res.end('<html>maintenance</html>')],
    ['JSON of another kind', (res) => void res.end('{"data":{"all":true}}')],
    ['a list of something else', (res) => void res.end('{"data":[null,7],"next_cursor":null}')],
    ['a page that comes again and again', (res) => void res.end('{"data":[],"next_cursor":"x"}')],
    ['a redirect', (res) => void res.writeHead(302, { location: stack.url }).end()],
    ['304 to a first question', (res) => void res.writeHead(304).end()],
    ['half an answer', (res) => void res.writeHead(200, { 'content-length': 99 }).write('{', () => res.destroy())],
    ['no answer', () => undefined],
  ])('%s', async (_name, answer) => {
    const url = await listen(createServer((_req, res) => answer(res)));
    const { guard, withKey } = await host({ url, timeoutMs: 200 });
    expect(await withKey('good')).toBe(200);
    await expect.poll(() => guard.stats().errors, SOON).toBeGreaterThan(0);
    expect([await withKey('good'), guard.stats().keys]).toEqual([200, 0]);
  });

  test("the host's own functions fail: the request goes on, the failure is counted", async () => {
    const throws = () => {
      throw new Error('host bug');
    };
    const { guard, get } = await host({ keyId: throws, onError: throws });
    expect(await get({})).toBe(200);
    expect(guard.stats().errors).toBe(1);
  });
});

describe('a foreign server', () => {
  /** Serves these keys in pages of two. */
  const listOf = (keyIds: readonly string[]) =>
    createServer((req, res) => {
      const from = Number(new URL(req.url!, 'http://x').searchParams.get('cursor') ?? 0);
      const page = keyIds.slice(from, from + 2);
      const data = page.map((keyId) => ({ key_id: keyId, sha256: sha(secretOf(keyId)), status: 'expired' }));
      const more = from + 2 < keyIds.length ? String(from + 2) : null;
      res.writeHead(200, { etag: '"1"' }).end(JSON.stringify({ data, next_cursor: more }));
    });

  test('all pages are read', async () => {
    const url = await listen(listOf(['a', 'b', 'c', 'd', 'e']));
    const { guard, withKey } = await host({ url });
    await expect.poll(() => guard.stats().keys, SOON).toBe(5);
    expect([await withKey('a'), await withKey('e'), await withKey('good')]).toEqual([401, 401, 200]);
  });

  test('more keys than are held: the rest is let through, and said once', async () => {
    const url = await listen(listOf(['a', 'b', 'c', 'd', 'e']));
    const { guard, errors, withKey } = await host({ url, maxKeys: 3 });
    await expect.poll(() => guard.stats().keys, SOON).toBe(3);
    expect([await withKey('c'), await withKey('d')]).toEqual([401, 200]);
    expect(errors.map((error) => error.message)).toEqual([
      'more than 3 keys are denied; those beyond it are let through',
    ]);
  });

  test('one that answers at once is not asked without pause', async () => {
    let asked = 0;
    const server = createServer((_req, res) => {
      asked++;
      res.writeHead(200, { etag: `"${asked}"` }).end('{"data":[],"next_cursor":null}');
    });
    const { guard } = await host({ url: await listen(server) });
    await expect.poll(() => asked, SOON).toBeGreaterThan(1);
    await guard.close();
    const before = asked;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(asked).toBe(before);
    expect(asked).toBeLessThan(20);
  });
});

test('a server that stops is not held up by a guard that asks again', async () => {
  let asked = 0;
  const server = createServer((req, res) => {
    asked++;
    const list = '{"data":[],"next_cursor":null}';
    if (!req.headers['if-none-match']) res.writeHead(200, { etag: '"1"' }).end(list);
    else setTimeout(() => res.writeHead(304).end(), 1_500);
  });
  const url = await listen(server);
  await host({ url });
  await expect.poll(() => asked, SOON).toBe(2);
  await new Promise((resolve) => server.close(resolve));
});

test('a process that has nothing more to do ends, while the guard waits for a change', async () => {
  const silent: Socket[] = [];
  const server = createServer();
  server.on('connection', (socket: Socket) => silent.push(socket));
  const url = await listen(server);
  const entry = pathToFileURL(builtModule('ingest/sender.ts')).href;
  const code = `import { keytallyGuard } from '${entry}';
    keytallyGuard({ url: '${url}', token: 'kt_x' });
    setTimeout(() => console.log('done'), 300);`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000 });
  expect((await run).stdout).toBe('done\n');
  expect(silent).toHaveLength(1);
});

test.each<[string, object]>([
  ['url', { url: 'keytally.example.com', token: 'kt_x' }],
  ['token', { url: 'http://127.0.0.1', token: '' }],
  ['header', { url: 'http://127.0.0.1', token: 'kt_x', header: 'two words' }],
  ['maxKeys', { url: 'http://127.0.0.1', token: 'kt_x', maxKeys: 0 }],
])('a wrong %s is said at the start', (name, options) => {
  expect(() => keytallyGuard(options as GuardOptions)).toThrow(new RegExp(`^keytallyGuard: ${name}`));
});
