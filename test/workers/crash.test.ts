import { expect, test } from 'vitest';
import { Batch, encodeBatch } from '../../ingest/batch.ts';
import { createLogger } from '../../ingest/logger.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { Replication } from '../../ingest/replication.ts';
import { startConsumers } from '../../workers/consume.ts';
import { startDirectOpener } from '../../workers/direct-opener.ts';
import { migratedStore } from '../support/migrated-store.ts';
import { PLAIN_RECORD } from '../support/plain-record.ts';
import { RedisServer } from '../support/redis-server.ts';
import { testConfig } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { everyTier, tierCounts } from '../support/tiers.ts';

const RESTARTS = 3;

test('a program that does not fit the schema says so; its batch stays queued through any number of restarts, and counts once', async () => {
  const server = await RedisServer.create(tempFolder());
  await server.start(67_108_864);
  const config = testConfig({ LOG_LEVEL: 'silent' });
  const store = await migratedStore(config);
  const log = createLogger(config, 'test');
  const redis = await connectRedis(server.url, 'worker', () => {});
  const opener = await startDirectOpener(config, log);
  const parts = { store, redis, replication: new Replication(redis, 0), opener, log };
  const queue = openBatchQueue(redis, 0);
  const batch = new Batch();
  batch.add(PLAIN_RECORD, '');
  await queue.add(
    'batch',
    { rows: 1, claims: [], receivedAtMs: Date.now(), payload: await encodeBatch(batch) },
    { jobId: 'b' },
  );
  const startWorker = async () => {
    const connection = await connectRedis(server.url, 'worker', () => {});
    const crashes: string[] = [];
    const onCrash = (error: unknown) => void crashes.push((error as { code: string }).code);
    const [consumer] = startConsumers(parts, { config, connection, onCrash });
    const stop = async () => {
      await consumer!.worker.close();
      connection.disconnect();
    };
    return { crashes, stop, activity: consumer!.activity };
  };
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
  await expect.poll(() => queue.getJobCountByTypes('wait', 'active', 'delayed', 'failed')).toBe(0);
  expect([crashes, await tierCounts(store)]).toEqual([[], everyTier(1)]);
  expect(await store.query('SELECT id FROM dead_letters')).toEqual([]);
  await stop();
  await queue.close();
  await opener.close();
  redis.disconnect();
  await store.close();
  await server.stop();
});
