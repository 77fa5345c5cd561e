import { type Queue, Worker } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeBatch } from '../../ingest/batch.ts';
import { BatchCleaner } from '../../ingest/clean-batch.ts';
import { Gatherer, type Origin } from '../../ingest/gatherer.ts';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { createLogger } from '../../ingest/logger.ts';
import { ParsedRecords } from '../../ingest/parsed-records.ts';
import { BATCH_QUEUE, type BatchJob, openBatchQueue, shardPrefix } from '../../ingest/queue.ts';
import { parseRecord } from '../../ingest/record.ts';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { RouteLimit } from '../../ingest/route-limit.ts';
import { testConfig } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

let server: LocalRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
  redis = await connectRedis(server.url, 'worker', () => {});
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const origin = (organizationId: string, isWaitedFor = true): Origin => ({
  organizationId,
  claim: undefined,
  isWaitedFor,
  uniqueCaller: '',
  isTimeless: false,
});

function gathererOf(queue: Queue<BatchJob>, lingerMs: number): Gatherer {
  const cleaner = new BatchCleaner(new RouteLimit(200), { match: () => '' });
  return new Gatherer([queue], { confirm: async () => {} }, cleaner, lingerMs, createLogger(testConfig(), 'test'));
}

function records(keyId: string, count: number): ParsedRecords {
  const parsed = parseRecord({ key_id: keyId, status: 200 }, 0, Date.now(), { pastMs: 1e9, futureMs: 1e9 });
  if (!('record' in parsed)) throw new Error(parsed.message);
  const all = new ParsedRecords(count);
  for (let n = 0; n < count; n++) all.add(parsed);
  return all;
}

test('beside an organization that sends a hundred times as much, a batch of the others is taken before its backlog', async () => {
  const queue = openBatchQueue(redis, 0);
  const gatherer = gathererOf(queue, 50);
  // The first requests tell who sends how much; from then on the heavy one's batches are bulk.
  await gatherer.add(records('light', 300), origin('light'));
  await gatherer.add(records('heavy', 30_000), origin('heavy'));
  for (let n = 0; n < 8; n++) await gatherer.add(records('heavy', 10_000), origin('heavy'));
  await gatherer.add(records('light', 3), origin('light'));
  await gatherer.add(records('light', 4), origin('light'));
  const taken: { key: string; rows: number }[] = [];
  const worker = new Worker<BatchJob>(
    BATCH_QUEUE,
    async ({ data }) => void taken.push({ key: (await decodeBatch(data.payload)).keyId.at(0), rows: data.rows }),
    { connection: redis, prefix: shardPrefix(0), concurrency: 1 },
  );
  await expect.poll(() => taken.length).toBe(12);
  expect(taken.slice(0, 3).map(({ key, rows }) => [key, rows])).toEqual([
    ['light', 300],
    ['light', 3],
    ['light', 4],
  ]);
  expect(taken.slice(3).map(({ key }) => key)).toEqual(Array.from({ length: 9 }, () => 'heavy'));
  expect(taken.reduce((sum, { rows }) => sum + rows, 0)).toBe(300 + 30_000 + 80_000 + 7);
  await worker.close();
  await gatherer.close();
  await queue.close();
});

/** The first batch after a pause is looked at after a fifth of it, then after a whole one. */
const LINGER_MS = 2_000;

/** Resolves when the gatherer has looked at a batch whose time was up, and has decided: it asks the queue what waits. */
function nextLook(queue: Queue<BatchJob>): Promise<void> {
  const count = queue.getJobCountByTypes.bind(queue);
  return new Promise((resolve) => {
    queue.getJobCountByTypes = async (...types) => {
      const waiting = await count(...types);
      setImmediate(resolve);
      return waiting;
    };
  });
}

/** Whether a request that comes after the first look at a batch still gets into it. */
async function isStillGathered(company: boolean, isWaitedFor: boolean, waiting: number): Promise<boolean> {
  const queue = openBatchQueue(redis, 0);
  await queue.obliterate({ force: true });
  const payload = { rows: 0 } as never;
  for (let n = 0; n < waiting; n++) await queue.add('batch', { rows: 1, claims: [], receivedAtMs: 0, payload });
  const gatherer = gathererOf(queue, LINGER_MS);
  const send = () => gatherer.add(records('k', 1), origin('', isWaitedFor));
  const looked = nextLook(queue);
  const first = send();
  if (company) void send();
  await looked;
  const last = send();
  await gatherer.close();
  await queue.close();
  return (await first) === (await last);
}

test.each([
  ['alone, it is handed over', false, false, 0, false],
  ['in company, while nobody waits for the answer, it goes on', true, false, 0, true],
  ['in company of one who waits, it is handed over', true, true, 0, false],
  ['behind a batch that no worker has taken, it goes on, whoever waits', false, true, 1, true],
])('a batch whose time is up: %s', async (_, company, isWaitedFor, waiting, expected) => {
  expect(await isStillGathered(company, isWaitedFor, waiting)).toBe(expected);
});

test('many requests in one batch: each gets its id, and the lists of their records are let go of', async () => {
  const queue = openBatchQueue(redis, 0);
  const gatherer = gathererOf(queue, 50);
  const lists = Array.from({ length: 100 }, (_, n) => records(`key-${n}`, 2));
  const ids = await Promise.all(lists.map((list) => gatherer.add(list, origin('many'))));
  expect(new Set(ids).size).toBe(1);
  expect(lists.every((list) => list.rows === 0)).toBe(true);
  expect((await queue.getJob(ids[0]!))!.data.rows).toBe(200);
  await gatherer.close();
  await queue.obliterate({ force: true });
  await queue.close();
});
