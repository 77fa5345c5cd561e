import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { redisLines, restoreRedisLine } from '../../workers/backup-redis.ts';
import { Random } from '../support/random.ts';
import { RedisCluster } from '../support/redis-cluster.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { everyTier, tierCounts } from '../support/tiers.ts';
import { generateTraffic } from '../support/traffic.ts';

const MASTERS = 3;
const SENDERS = 4;
const RECORDS_PER_POST = 500;
/** The master of the second third of the slots has the key index, tokens, claims and one shard of the queue. */
const BUSIEST = 1;

let cluster: RedisCluster;
let stack: Stack;
let redis: Redis;

beforeAll(async () => {
  cluster = await RedisCluster.start(tempFolder(), MASTERS);
  const env = { REDIS_URL: cluster.url, INGEST_SHARDS: String(MASTERS), LOG_LEVEL: 'silent' };
  stack = await startStack(env);
  redis = await connectRedis(cluster.url, 'worker', () => {});
});
afterAll(async () => {
  redis?.disconnect();
  await stack?.stop();
  await cluster?.stop();
});

async function waitingBatches(): Promise<number> {
  let waiting = 0;
  for (let shard = 0; shard < MASTERS; shard++) {
    const queue = openBatchQueue(redis, shard);
    const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
    waiting += Object.values(counts).reduce((sum, count) => sum + count, 0);
    await queue.close();
  }
  return waiting;
}

test('shards of the queue, index, claims and sessions on several masters: all that uses Redis works', async () => {
  await stack.call('/v1/keys/one', { method: 'PUT', body: { sha256: sha('raw') } });
  const soon = new Date(Date.now() + 1_000).toISOString();
  await stack.call('/v1/keys/soon', { method: 'PUT', body: { expires_at: soon } });
  for (let n = 0; n < 6; n++) {
    await stack.send([{ key: 'raw', status: 200 }], { headers: { 'Idempotency-Key': `post-${n % 3}` } });
  }
  const spans = { method: 'POST', body: cloudEvents(3) };
  await Promise.all([stack.call('/v1/ingest/cloudevents', spans), stack.call('/v1/ingest/cloudevents', spans)]);
  const session = await stack.call('/v1/session', { method: 'POST', body: { token: ADMIN_TOKEN } });
  const cookie = session.headers.get('set-cookie')?.split(';')[0] ?? '';
  expect((await stack.call('/v1/keys', { token: '', headers: { cookie } })).status).toBe(200);
  const { redis: health } = (await stack.call('/v1/system')).json;
  const infos = await Promise.all((redis as Cluster).nodes('master').map((node) => node.info('memory')));
  const used = infos.reduce((sum, info) => sum + Number(/^used_memory:(\d+)/m.exec(info)![1]), 0);
  console.info(`${used} bytes on ${infos.length} masters, told ${health.used_memory_bytes}`);
  // One node has well under half of it.
  expect(health.used_memory_bytes / used).toBeGreaterThan(0.8);
  expect(health.used_memory_bytes / used).toBeLessThan(1.25);
  const { headers } = await stack.call('/v1/keys/denied');
  const options = { headers: { 'If-None-Match': headers.get('etag')! } };
  const waiting = stack.call('/v1/keys/denied?wait=20', options);
  await stack.call('/v1/keys/one/deactivate', { method: 'POST', body: { reason: 'test' } });
  expect((await waiting).status).toBe(200);
  await expect.poll(async () => (await stack.call('/v1/keys/soon')).json.status).toBe('expired');
  await expect.poll(waitingBatches).toBe(0);
  const rows = await stack.store.query('SELECT key_id, count() AS n FROM requests GROUP BY key_id ORDER BY key_id');
  expect(rows).toEqual([
    { key_id: 'event', n: 3 },
    { key_id: 'one', n: 3 },
  ]);
  expect(Math.min(...(await cluster.keysPerMaster()))).toBeGreaterThan(0);
});

test('a backup holds what Redis alone knows of every master', async () => {
  const tags = Array.from({ length: 16 }, (_, n) => `{keytally-ids-${n}}:saved`);
  const claims = Array.from({ length: 3_000 }, (_, n) => `{keytally}:claim:saved-${n}`);
  await Promise.all([...tags, ...claims].map((key) => redis.set(key, key, 'EX', 3_600)));
  const masters = (redis as Cluster).nodes('master');
  const kept = (keys: string[]) => keys.filter((key) => /^\{keytally(-ids-\d+)?\}:.*saved/.test(key)).length;
  const held = await Promise.all(masters.map(async (node) => kept(await node.keys('*'))));
  expect(Math.min(...held)).toBeGreaterThan(0);
  const saved = new Map<string, string>();
  for await (const line of redisLines(redis, [])) if ('key' in line) saved.set(line.key, line.value);
  expect([...tags, ...claims].filter((key) => !saved.has(key))).toEqual([]);
  expect(saved.has('{keytally}:keys:owner')).toBe(true);
  await Promise.all(tags.map((key) => redis.del(key)));
  const line = { key: tags[0]!, value: saved.get(tags[0]!)!, ttlMs: 60_000 };
  expect(await restoreRedisLine(line, { redis, queues: [], store: stack.store })).toBe('key');
  expect(await redis.get(tags[0]!)).toBe(tags[0]);
  await Promise.all(claims.map((key) => redis.del(key)));
});

test('a master killed with -9 under load: its replica takes over, every confirmed record is counted once', async () => {
  const before = (await tierCounts(stack.store)).requests!;
  const random = new Random(20_261_121);
  let confirmed = 0;
  let refused = 0;
  let sending = true;
  const sender = async (name: number) => {
    for (let post = 0; sending; post++) {
      const now = Date.now();
      const body = generateTraffic(random, RECORDS_PER_POST, 7, now - 3_600_000, now);
      const headers = { 'Idempotency-Key': `load-${name}-${post}` };
      // As a sender does: the same records under the same key until they are taken.
      for (;;) {
        const { status } = await stack.call('/v1/requests', { method: 'POST', body, headers });
        if (status === 202) break;
        refused++;
        await sleep(100);
      }
      confirmed += RECORDS_PER_POST;
    }
  };
  const senders = Array.from({ length: SENDERS }, (_, name) => sender(name));
  await sleep(1_000);
  await cluster.killMaster(BUSIEST);
  await expect.poll(() => cluster.hasTakenOver(BUSIEST)).toBe(true);
  const atFailover = confirmed;
  await expect.poll(() => confirmed).toBeGreaterThan(atFailover + SENDERS * RECORDS_PER_POST);
  sending = false;
  await Promise.all(senders);
  await expect.poll(waitingBatches).toBe(0);
  console.log(`${confirmed} records confirmed, ${refused} posts refused for a while, one of ${MASTERS} masters killed`);
  expect(await tierCounts(stack.store)).toEqual(everyTier(before + confirmed));
});

function sha(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Events whose ids tell a repeat. */
function cloudEvents(count: number): object[] {
  return Array.from({ length: count }, (_, n) => ({
    specversion: '1.0',
    type: 'com.example.request',
    source: '/gateway',
    id: `event-${n}`,
    time: '2026-11-21T10:00:00Z',
    data: { key_id: 'event', status: 200, request_id: `request-${n}` },
  }));
}
