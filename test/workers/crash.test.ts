import type { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Batch, encodeBatch } from '../../ingest/batch.ts';
import { createLogger } from '../../ingest/logger.ts';
import { type BatchJob, openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { Replication } from '../../ingest/replication.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import { startConsumers } from '../../workers/consume.ts';
import { startDirectOpener } from '../../workers/direct-opener.ts';
import { insertFailures } from '../../workers/metrics.ts';
import type { BatchOpener } from '../../workers/opened-batch.ts';
import { migratedStore } from '../support/migrated-store.ts';
import { PLAIN_RECORD } from '../support/plain-record.ts';
import { RedisServer } from '../support/redis-server.ts';
import { testConfig } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { everyTier, tierCounts } from '../support/tiers.ts';

const RESTARTS = 3;

const config = testConfig({ LOG_LEVEL: 'silent' });
const log = createLogger(config, 'test');
let server: RedisServer;
let store: Store;
let redis: Redis;
let opener: BatchOpener;
let queue: Queue<BatchJob>;

beforeAll(async () => {
  server = await RedisServer.create(tempFolder());
  await server.start(67_108_864);
  store = await migratedStore(config);
  redis = await connectRedis(server.url, 'worker', () => {});
  opener = await startDirectOpener(config, log);
  queue = openBatchQueue(redis, 0);
});
afterAll(async () => {
  await queue.close();
  await opener.close();
  redis.disconnect();
  await store.close();
  await server.stop();
});

async function enqueue(jobId: string, attempts?: number): Promise<void> {
  const batch = new Batch();
  batch.add(PLAIN_RECORD, '');
  const job = { rows: 1, claims: [], receivedAtMs: Date.now(), payload: await encodeBatch(batch) };
  await queue.add('batch', job, { jobId, ...(attempts && { attempts, backoff: 10 }) });
}

async function startWorker(store_ = store) {
  const connection = await connectRedis(server.url, 'worker', () => {});
  const crashes: string[] = [];
  const onCrash = (error: unknown) => void crashes.push((error as { code: string }).code);
  const parts = { store: store_, redis, replication: new Replication(redis, 0), opener, log };
  const [consumer] = startConsumers(parts, { shards: [0], config, connection, onCrash });
  const stop = async () => {
    await consumer!.worker.close();
    connection.disconnect();
  };
  return { crashes, stop, activity: consumer!.activity };
}

const left = () => queue.getJobCountByTypes('wait', 'prioritized', 'active', 'delayed', 'failed');

test('a program that does not fit the schema says so; its batch stays queued through any number of restarts, and counts once', async () => {
  await enqueue('b');
  await store.command('DETACH TABLE requests');
  for (let start = 0; start < RESTARTS; start++) {
    const { crashes, stop, activity } = await startWorker();
    await expect.poll(() => crashes).toContain('60');
    await expect.poll(() => activity.own).toBe(0);
    await stop();
    expect([(await queue.getJob('b'))?.attemptsMade, activity.finished]).toEqual([0, 0]);
  }
  await store.command('ATTACH TABLE requests');
  const { crashes, stop } = await startWorker();
  await expect.poll(left).toBe(0);
  expect([crashes, await tierCounts(store)]).toEqual([[], everyTier(1)]);
  expect(await store.query('SELECT id FROM dead_letters')).toEqual([]);
  await stop();
});

/** What a view of somebody's own may raise: tried again, and given up in the end. */
const THROW_IF = '395';
const VIOLATED_CONSTRAINT = '469';
const NOT_ENOUGH_SPACE = '243';

/** A store that never finishes a batch, and refuses the first letters with these codes. */
function troubledStore(letterCodes: string[]): Store {
  const refused = (code: string) => Promise.reject(Object.assign(new Error('refused'), { code }));
  return Object.assign(Object.create(store) as Store, {
    queryWriter: store.queryWriter.bind(store),
    insertBlock: () => refused(THROW_IF),
    insertRows: (table: string, rows: readonly object[]) => {
      const code = letterCodes.shift();
      return code === undefined ? store.insertRows(table, rows) : refused(code);
    },
  });
}

const failures = async () =>
  Object.fromEntries((await insertFailures.get()).values.map(({ labels, value }) => [labels.class, value]));

test.each([
  ['is written at once', [], [], {}],
  ['waits while the store is away', [NOT_ENOUGH_SPACE], [], { wait: 1 }],
  ['is tried again after what may pass', [THROW_IF], [], { retry: 1 }],
  ['is refused for good, and the program says so', [VIOLATED_CONSTRAINT], [VIOLATED_CONSTRAINT], { dead_letter: 1 }],
] as const)('the letter of a batch that spent its attempts %s', async (title, letterCodes, expected, counted) => {
  const before = await failures();
  await enqueue(title, 2);
  const { crashes, stop } = await startWorker(troubledStore([...letterCodes]));
  await expect.poll(left).toBe(0);
  await stop();
  expect(crashes).toEqual(expected);
  const letters = await store.query('SELECT rows, reason FROM dead_letters FINAL WHERE id = {title:String}', { title });
  expect(letters).toEqual([{ rows: 1, reason: 'gave up after 2 attempts: refused' }]);
  const { wait, retry, dead_letter } = await failures();
  // Two tries of the batch, and one more before each letter that follows a refused one.
  const tries = 2 + letterCodes.length;
  const wanted = { wait: 0, retry: 0, dead_letter: 0, ...counted };
  expect({
    wait: wait! - before.wait!,
    retry: retry! - before.retry!,
    dead_letter: dead_letter! - before.dead_letter!,
  }).toEqual({ ...wanted, retry: wanted.retry + tries });
});
