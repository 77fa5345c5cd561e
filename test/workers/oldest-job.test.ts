import { type JobsOptions, type Queue, Worker } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readQueueHealth } from '../../api/queries/queue-health.ts';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { type BatchJob, openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { LOOKED_AT_JOBS, oldestWaitingBatch } from '../../workers/oldest-job.ts';
import { tempFolder } from '../support/temp-folder.ts';

const BATCH: BatchJob = { rows: 0, claims: [], receivedAtMs: 0, payload: '' };
const HOUR_MS = 3_600_000;

let redisServer: LocalRedis;
let redis: Redis;
let shards: Queue<BatchJob>[];
let nowMs: number;

beforeAll(async () => {
  redisServer = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
  redis = await connectRedis(redisServer.url, 'worker', () => {});
});
afterAll(async () => {
  redis.disconnect();
  await redisServer.stop();
});
beforeEach(() => {
  nowMs = Date.now();
  shards = [openBatchQueue(redis, 0), openBatchQueue(redis, 1)];
});
afterEach(async () => {
  for (const queue of shards) {
    await queue.obliterate({ force: true });
    await queue.close();
  }
});

type Waiting = JobsOptions & { shard?: number; agoMs: number };
const bulk = { priority: 1 };
const add = ({ shard = 0, agoMs, ...options }: Waiting) =>
  shards[shard]!.add('batch', BATCH, { ...options, timestamp: nowMs - agoMs });

const cases: [what: string, jobs: Waiting[], oldestAgoMs: number | undefined][] = [
  ['nothing waits', [], undefined],
  ['one batch', [{ agoMs: 5_000 }], 5_000],
  ['only batches of a bulk sender', [{ ...bulk, agoMs: 60_000 }], 60_000],
  ['batches of a bulk sender are older', [{ agoMs: 1_000 }, { ...bulk, agoMs: 60_000 }], 60_000],
  [
    'a bulk batch that was tried before stands behind',
    [
      { ...bulk, agoMs: 1_000 },
      { ...bulk, agoMs: 90_000 },
    ],
    90_000,
  ],
  ['a batch that was tried before stands behind', [{ agoMs: 1_000 }, { agoMs: 90_000 }], 90_000],
  [
    'the oldest is tried again last',
    [
      { delay: HOUR_MS, agoMs: 1_000 },
      { delay: 2 * HOUR_MS, agoMs: 90_000 },
    ],
    90_000,
  ],
  ['on another shard', [{ agoMs: 1_000 }, { ...bulk, shard: 1, agoMs: 90_000 }], 90_000],
];

test.each(cases)('oldest batch that is not counted yet: %s', async (_, jobs, oldestAgoMs) => {
  for (const job of jobs) await add(job);
  expect(await oldestWaitingBatch(redis, shards)).toBe(oldestAgoMs === undefined ? undefined : nowMs - oldestAgoMs);
});

test('of a long backlog both ends are seen', async () => {
  const more = (count: number) =>
    shards[0]!.addBulk(
      Array.from({ length: count }, () => ({
        name: 'batch',
        data: BATCH,
        opts: { ...bulk, timestamp: nowMs - 1_000 },
      })),
    );
  await more(LOOKED_AT_JOBS * 2);
  await add({ ...bulk, agoMs: 30_000 });
  await more(LOOKED_AT_JOBS - 1);
  expect(await oldestWaitingBatch(redis, shards)).toBe(nowMs - 30_000);
});

test('one that is being inserted counts, one that failed for good does not', async () => {
  await add({ agoMs: 9_000, attempts: 1 });
  const connection = await connectRedis(redisServer.url, 'worker', () => {});
  const worker = new Worker(shards[0]!.name, null, { connection, prefix: shards[0]!.opts.prefix! });
  const job = (await worker.getNextJob('token'))!;
  expect(await oldestWaitingBatch(redis, shards)).toBe(nowMs - 9_000);
  await job.moveToFailed(new Error('refused'), 'token');
  expect(await oldestWaitingBatch(redis, shards)).toBeUndefined();
  await worker.close();
  connection.disconnect();
});

test('the health of a queue tells of batches of a bulk sender, not of those that wait on purpose', async () => {
  const health = () => readQueueHealth(redis, 'batches', shards[0]!);
  await add({ delay: HOUR_MS, agoMs: 2 * HOUR_MS });
  expect(await health()).toMatchObject({ waiting: 0, delayed: 1, oldest_waiting_ms: 0 });
  await add({ ...bulk, agoMs: HOUR_MS });
  const { waiting, oldest_waiting_ms } = await health();
  expect([waiting, Math.floor(oldest_waiting_ms / HOUR_MS)]).toEqual([1, 1]);
});
