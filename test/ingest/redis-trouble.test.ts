import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Redis } from '../../ingest/redis.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { memoryRatio } from '../../ingest/redis-headroom.ts';
import { RedisServer } from '../support/redis-server.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

const MAX_MEMORY_BYTES = 67_108_864;
let server: RedisServer;
let redis: Redis;
let stack: Stack;

beforeAll(async () => {
  server = await RedisServer.create(tempFolder());
  await server.start(MAX_MEMORY_BYTES);
  redis = await connectRedis(server.url, 'worker', () => {});
  stack = await startStack({ REDIS_URL: server.url, LOG_LEVEL: 'silent' });
});
afterAll(async () => {
  await stack.stop();
  redis.disconnect();
  await server.stop();
});

const post = () => stack.call('/v1/requests', { method: 'POST', body: [{ key_id: 'k', status: 200 }] });

test('near its memory limit: 503 with Retry-After before Redis itself refuses, and back by itself', async () => {
  expect((await post()).status).toBe(202);
  for (let n = 0; memoryRatio(await redis.info('memory')) < 0.9; n++)
    await redis.set(`ballast-${n}`, 'x'.repeat(1_000_000));
  await expect.poll(async () => (await post()).status).toBe(503);
  const refused = await post();
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(refused.json.detail).toContain('memory');
  expect((await stack.call('/readyz')).json.failing).toMatchObject({ queue: expect.any(String) });
  await redis.del(...(await redis.keys('ballast-*')));
  await expect.poll(async () => (await post()).status).toBe(202);
});

test('Redis killed: 503, nothing hangs; back again: everything that was confirmed is counted', async () => {
  const [before] = await stack.store.query<{ counted: number }>('SELECT count() AS counted FROM requests');
  let confirmed = 0;
  for (let n = 0; n < 5; n++) if ((await post()).status === 202) confirmed++;
  expect(confirmed).toBe(5);
  await server.stop();
  await expect.poll(async () => (await post()).status, { timeout: 20_000 }).toBe(503);
  await server.start(MAX_MEMORY_BYTES);
  await expect.poll(async () => (await post()).status, { timeout: 30_000 }).toBe(202);
  confirmed++;
  await stack.untilCounted(before!.counted + confirmed);
});
