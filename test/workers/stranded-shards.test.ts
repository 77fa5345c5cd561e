import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { readProgress } from '../../workers/alerts/evaluation/progress.ts';
import { settledUntil } from '../../workers/alerts/evaluation/settled.ts';
import { runSlot, UNSCHEDULED } from '../support/evaluated-stack.ts';
import { runLifecycleSlot } from '../support/lifecycle-slot.ts';
import { RedisServer } from '../support/redis-server.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { strandBatch } from '../support/strand-batch.ts';
import { tempFolder } from '../support/temp-folder.ts';

const NEVER = '0 0 1 1 *';
const HOUR_MS = 3_600_000;
/** Beyond INGEST_SHARDS, which is 1. */
const SHARD = 5;
let server: RedisServer;
let redis: Redis;
let stack: Stack;
let receivedAtMs: number;

beforeAll(async () => {
  server = await RedisServer.create(tempFolder());
  await server.start(268_435_456);
  redis = await connectRedis(server.url, 'worker', () => {});
  receivedAtMs = Date.now() - HOUR_MS;
  // As one that failed and is tried again much later: the worker knows of it and does not take it yet.
  await strandBatch(redis, SHARD, { timestamp: receivedAtMs, delay: 24 * HOUR_MS });
  stack = await startStack({ ...UNSCHEDULED, KEY_POLICY_CRON: NEVER, REDIS_URL: server.url });
});
afterAll(async () => {
  await stack.stop();
  redis.disconnect();
  await server.stop();
});

/** One that means a key which was never used. */
async function makePolicy(): Promise<string> {
  await stack.store.command(
    `INSERT INTO keys (key_id, name, organization_id, status, created_at, version, updated_at, registered_at)
     SELECT 'idle', 'Idle', 'acme', 'active', now64(3) - toIntervalDay(900), 1, now64(3), now64(3) - toIntervalDay(200)`,
  );
  // While nobody reports anything, a policy stops for that.
  await stack.send([{ key_id: 'heard', status: 200 }]);
  await stack.untilTotal('heard', 1);
  const settings = { never_used_days: 90 };
  const body = { name: 'unused', kind: 'unused', enabled: true, organization_id: 'acme', settings };
  return (await stack.call('/v1/policies', { method: 'POST', body })).json.policy_id;
}

test('policies and the evaluation of alerts wait for what lies in a shard beyond INGEST_SHARDS, and go on once it is counted', async () => {
  const policyId = await makePolicy();
  const newestRun = async () => (await stack.call(`/v1/policies/${policyId}/runs`)).json.data[0];
  const judgedUntil = (ms: number) => settledUntil(ms, undefined, stack.config.ALERT_SETTLE_SECONDS * 1_000);
  const nowMs = Date.now();
  await runLifecycleSlot(redis, 'policies', nowMs);
  expect(await newestRun()).toMatchObject({
    ...{ outcome: 'stopped', matched: 1, changed: 0 },
    detail: expect.stringMatching(/^records that were received \d+ minutes ago are not counted yet/),
  });
  await runSlot(redis, 'buckets', nowMs);
  expect(await readProgress(stack.store, 'buckets')).toBe(judgedUntil(receivedAtMs));

  const queue = openBatchQueue(redis, SHARD);
  await (await queue.getJob('stranded'))!.promote();
  await expect.poll(async () => queue.getJob('stranded')).toBeUndefined();
  await queue.close();
  await runLifecycleSlot(redis, 'policies', nowMs + 1_000);
  expect(await newestRun()).toMatchObject({ outcome: 'done', matched: 1, changed: 1 });
  await runSlot(redis, 'buckets', nowMs);
  expect(await readProgress(stack.store, 'buckets')).toBe(judgedUntil(nowMs));
});
