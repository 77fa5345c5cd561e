import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openJobQueues } from '../../api/job-queues.ts';
import { createLogger } from '../../ingest/logger.ts';
import type { Redis } from '../../ingest/redis.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { memoryRatio } from '../../ingest/redis-headroom.ts';
import { shardsInUse } from '../../workers/shards-in-use.ts';
import { RedisServer } from '../support/redis-server.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { strandBatch } from '../support/strand-batch.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { tempFolder } from '../support/temp-folder.ts';

const MAX_MEMORY_BYTES = 67_108_864;
let server: RedisServer;
let successor: RedisServer | undefined;
let proxy: TcpProxy;
let redis: Redis;
let stack: Stack;
let inUse: number[];

beforeAll(async () => {
  server = await RedisServer.create(tempFolder());
  await server.start(MAX_MEMORY_BYTES);
  redis = await connectRedis(server.url, 'worker', () => {});
  await strandBatch(redis, 5);
  inUse = await shardsInUse(redis, 1);
  proxy = await TcpProxy.start(server.url);
  stack = await startStack({ REDIS_URL: proxy.url, LOG_LEVEL: 'silent' });
});
afterAll(async () => {
  await stack.stop();
  redis.disconnect();
  proxy.stop();
  await server.stop();
  await successor?.stop();
});

const post = () => stack.call('/v1/requests', { method: 'POST', body: [{ key_id: 'k', status: 200 }] });

test('a batch in a shard beyond INGEST_SHARDS is found at the start of a worker and counted', async () => {
  expect(inUse).toEqual([0, 5]);
  await stack.untilTotal('stranded', 1);
  await expect.poll(() => shardsInUse(redis, 1)).toEqual([0]);
});

test('every shard in use is a queue of the jobs page', async () => {
  const queues = openJobQueues(redis, inUse, createLogger(stack.config, 'test'));
  onTestFinished(async () => {
    for (const { queue } of queues) await queue.close();
  });
  expect(queues.filter(({ isOfBatches }) => isOfBatches).map(({ name }) => name)).toEqual(['batches-0', 'batches-5']);
});

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
  await expect.poll(async () => (await post()).status).toBe(503);
  await server.start(MAX_MEMORY_BYTES);
  await expect.poll(async () => (await post()).status).toBe(202);
  confirmed++;
  await stack.untilCounted(before!.counted + confirmed);
});

test('a host that vanishes without a word: what waits for it goes to whoever has its address then', async () => {
  const own = await TcpProxy.start(server.url);
  onTestFinished(() => own.stop());
  const connection = await connectRedis(own.url, 'producer', () => {});
  own.silence();
  expect(await connection.get('anything')).toBe(null);
  connection.disconnect();
});

test('a primary that became a replica and keeps its connections: not ready, then taken by its successor, by itself', async () => {
  successor = await RedisServer.create(tempFolder());
  await successor.start(MAX_MEMORY_BYTES);
  const admin = await connectRedis(successor.url, 'worker', () => {});
  onTestFinished(() => admin.disconnect());
  await expect.poll(async () => (await post()).status).toBe(202);
  await admin.replicaof('127.0.0.1', Number(new URL(server.url).port));
  await expect.poll(() => admin.info('replication')).toContain('master_link_status:up');
  await admin.replicaof('NO', 'ONE');
  await redis.replicaof('127.0.0.1', Number(new URL(successor.url).port));
  await expect.poll(async () => (await stack.call('/readyz')).json.failing?.redis).toContain('READONLY');
  expect((await post()).status).toBe(503);
  proxy.pointTo(successor.url);
  await expect.poll(async () => (await post()).status).toBe(202);
  await expect.poll(async () => (await stack.call('/readyz')).json.status).toBe('ready');
  const [before] = await stack.store.query<{ counted: number }>('SELECT count() AS counted FROM requests');
  expect((await post()).status).toBe(202);
  await stack.untilCounted(before!.counted + 1);
});
