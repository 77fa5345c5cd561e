import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { raw } from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONNECTION_LIMITS, createApp, type Listening, listen } from '../../ingest/http-server.ts';
import { createLogger } from '../../ingest/logger.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let impatient: Listening;
beforeAll(async () => {
  stack = await startStack({ INGEST_MAX_BODY_BYTES: '1048576' });
  const app = createApp({
    log: createLogger({ LOG_LEVEL: 'silent' }, 'test'),
    checks: {},
    routers: [raw({ type: () => true })],
    trustedProxies: [],
  });
  const limits = { ...CONNECTION_LIMITS, headersTimeoutMs: 300, requestTimeoutMs: 600, checkEveryMs: 100 };
  impatient = await listen(app, '127.0.0.1', 0, limits);
});
afterAll(async () => {
  await impatient.close();
  await stack.stop();
});

/** Writes pieces with pauses, the last of them again and again, until the server closes; what it said. */
function dribble(port: number, pieces: readonly string[], pauseMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let said = '';
    let at = 0;
    const timer = setInterval(() => socket.write(pieces[Math.min(at++, pieces.length - 1)]!), pauseMs);
    socket.on('data', (chunk) => (said += chunk.toString()));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearInterval(timer);
      resolve(said);
    });
  });
}

const portOf = (url: string) => Number(new URL(url).port);

describe('a slow client is cut off', () => {
  test('headers that never end (slowloris)', async () => {
    const said = await dribble(impatient.port, ['GET / HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n', 'X-A: b\r\n'], 50);
    expect(said).toMatch(/^HTTP\/1\.1 408/);
  });

  test('a body that never ends', async () => {
    const start = 'POST /v1/requests HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n';
    expect(await dribble(impatient.port, [start, 'x'], 50)).toMatch(/^HTTP\/1\.1 408/);
  });

  test('as the program runs: found within seconds of the limit', () => {
    expect(CONNECTION_LIMITS).toMatchObject({ headersTimeoutMs: 10_000, checkEveryMs: 2_000 });
  });
});

describe('sizes', () => {
  test('headers beyond 16 KiB: 431', async () => {
    const said = await dribble(
      portOf(stack.url),
      [`GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`],
      20,
    );
    expect(said).toMatch(/^HTTP\/1\.1 431/);
  });

  test('a body beyond the limit: 413, told before it is sent', async () => {
    expect((await stack.call('/v1/requests', { method: 'POST', body: 'x'.repeat(1_100_000) })).status).toBe(413);
    expect((await stack.call('/v1/keys/a', { method: 'PUT', body: { name: 'x'.repeat(1_100_000) } })).status).toBe(413);
  });

  test.each([
    ['gzip of 400 MB of zeros', 400],
    ['gzip of 50 MB of zeros', 50],
  ])('a decompression bomb: %s ends at the limit of the unpacked body', async (_title, megabytes) => {
    const bomb = gzipSync(Buffer.alloc(megabytes * 1_000_000), { level: 9 });
    const before = process.memoryUsage().rss;
    const headers = { 'Content-Encoding': 'gzip', 'Content-Type': 'application/json' };
    for (const path of ['/v1/requests', '/v1/ingest/kong', '/v1/traces']) {
      const { status } = await stack.call(path, { method: 'POST', body: bomb, headers });
      expect([path, status]).toEqual([path, 413]);
    }
    console.info(
      `${bomb.length} bytes of gzip: ${Math.round((process.memoryUsage().rss - before) / 1e6)} MB more memory`,
    );
  });

  test('a bomb inside a bomb is only unpacked once', async () => {
    const nested = gzipSync(gzipSync(Buffer.alloc(50_000_000)));
    const { status } = await stack.call('/v1/requests', {
      method: 'POST',
      body: nested,
      headers: { 'Content-Encoding': 'gzip' },
    });
    expect(status).toBe(400);
  });

  test('deeply nested JSON is refused and nothing breaks', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    for (const path of ['/v1/requests', '/v1/ingest/kong']) {
      const { status } = await stack.call(path, { method: 'POST', body: deep });
      expect([path, status]).toEqual([path, 400]);
    }
  });
});

describe('what every answer says to a browser', () => {
  test.each(['/healthz', '/v1/keys', '/docs', '/nowhere', '/v1/requests'])('%s', async (path) => {
    const { headers } = await stack.call(path, { token: '' });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('strict-transport-security')).toContain('max-age=');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  test('no other origin may read: no CORS header unless CORS_ORIGINS names it', async () => {
    for (const method of ['GET', 'OPTIONS']) {
      const headers = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'GET' };
      const answer = await stack.call('/v1/keys', { method, headers });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});
