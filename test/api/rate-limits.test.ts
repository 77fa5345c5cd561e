import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keytally } from '../../ingest/sender.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';

describe("a platform's own limit, told by its answers", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack.stop());

  const told = async (keyId: string) => (await stack.call(`/v1/keys/${keyId}`)).json?.rate_limit;

  it('is read from a Kong log and shown with the key; an older answer that arrives late changes nothing', async () => {
    const entry = (at: number, remaining: number) => ({
      request: { method: 'GET', uri: '/things' },
      response: {
        status: 200,
        headers: { 'x-ratelimit-limit-minute': '60', 'x-ratelimit-remaining-minute': String(remaining) },
      },
      latencies: { request: 5 },
      started_at: at,
      authenticated_entity: { id: 'kong-key' },
    });
    const now = Date.now();
    for (const body of [[entry(now, 6)], [entry(now - 30_000, 40)]]) {
      expect((await stack.call('/v1/ingest/kong', { method: 'POST', body })).status).toBeLessThan(300);
    }
    await stack.untilCounted(2);
    await expect.poll(async () => (await told('kong-key'))?.used_share).toBeCloseTo(0.9);
    expect(await told('kong-key')).toMatchObject({ limit: 60, remaining: 6, window_seconds: 60, reset_at: null });
    const list = (await stack.call('/v1/keys?search=kong-key')).json.data;
    expect(list[0].rate_limit).toMatchObject({ limit: 60, remaining: 6 });
  });

  it('comes by the Express middleware from whatever limiter the platform uses', async () => {
    const app = express();
    const counting = keytally({ url: stack.url, token: ADMIN_TOKEN, keyId: () => 'limited' });
    app.use(counting);
    app.use(rateLimit({ windowMs: 60_000, limit: 10, standardHeaders: 'draft-8', legacyHeaders: true }));
    app.get('/', (_req, res) => void res.send('ok'));
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    for (let n = 0; n < 3; n++) await (await fetch(`http://127.0.0.1:${port}/`)).text();
    await counting.close();
    server.close();
    await expect.poll(async () => (await told('limited'))?.remaining).toBe(7);
    const { limit, window_seconds, reset_at } = await told('limited');
    expect({ limit, window_seconds }).toEqual({ limit: 10, window_seconds: 60 });
    expect(Date.parse(reset_at)).toBeGreaterThan(Date.now());
  });

  it('is null for a key whose answers tell none', async () => {
    await stack.send([{ key_id: 'plain', status: 200 }]);
    await expect.poll(async () => (await stack.call('/v1/keys/plain')).status).toBe(200);
    expect(await told('plain')).toBeNull();
  });
});
