import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Queue, Worker } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BATCH_QUEUE, type BatchJob, openBatchQueue, shardPrefix } from '../../ingest/queue.ts';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { backup, restore } from '../../workers/backup.ts';
import { endAbandonedHold, holdBatches } from '../../workers/batch-hold.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { withinStores } from '../support/backup-stores.ts';
import { RedisServer } from '../support/redis-server.ts';
import { testConfig } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

let server: RedisServer;
let redis: Redis;
let queue: Queue<BatchJob>;
beforeAll(async () => {
  server = await RedisServer.create(tempFolder());
  await server.start(67_108_864);
  redis = await connectRedis(server.url, 'worker', () => {});
  queue = openBatchQueue(redis, 0);
});
beforeEach(() => redis.flushall());
afterAll(async () => {
  await queue.close();
  redis.disconnect();
  await server.stop();
});

const ALIVE = '{keytally}:hold:alive';
const ONE_ROW = { name: 'n', until: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' };
const keys = () => redis.mget('{keytally}:hold', ALIVE);

test('a second holder is refused while the first is at work, and the first keeps the workers still until its end', async () => {
  await holdBatches(redis, [queue], async (hold) => {
    const before = await keys();
    await expect(holdBatches(redis, [queue], async () => 'second')).rejects.toThrow(
      /^another backup or restore is running; /,
    );
    expect(await endAbandonedHold(redis, [queue])).toBe(false);
    expect([await keys(), await queue.isPaused()]).toEqual([before, true]);
    await hold.confirm();
  });
  expect([await keys(), await queue.isPaused()]).toEqual([[null, null], false]);
  expect(await holdBatches(redis, [queue], async () => 'third')).toBe('third');
});

test('a queue that a person paused before is paused afterwards, the others go on', async () => {
  const other = openBatchQueue(redis, 1);
  await queue.pause();
  await holdBatches(redis, [queue, other], async () => {
    expect([await queue.isPaused(), await other.isPaused()]).toEqual([true, true]);
  });
  expect([await queue.isPaused(), await other.isPaused()]).toEqual([true, false]);
  await other.close();
});

test('what a killed holder left paused goes on after the next hold, and after its end by the workers', async () => {
  const other = openBatchQueue(redis, 1);
  const queues = [queue, other];
  const state = async () => Promise.all(queues.map((one) => one.isPaused()));
  const killed = async () => {
    await redis.set('{keytally}:hold', JSON.stringify([queue.qualifiedName]));
    await queue.pause();
    await other.pause();
  };
  await killed();
  await holdBatches(redis, queues, async () => expect(await state()).toEqual([true, true]));
  expect(await state()).toEqual([false, true]);
  await killed();
  expect(await endAbandonedHold(redis, queues)).toBe(true);
  expect(await state()).toEqual([false, true]);
  // As a version before has it.
  await redis.set('{keytally}:hold', 'e9f27f38-1b0c-4c59-b9f4-0a3f6a4f0f3e');
  expect(await endAbandonedHold(redis, queues)).toBe(true);
  expect(await state()).toEqual([false, false]);
  await other.close();
});

test('a holder that stood still for too long learns of it, and leaves the next one alone', async () => {
  await holdBatches(redis, [queue], async (late) => {
    await redis.del(ALIVE);
    await holdBatches(redis, [queue], async (next) => {
      const before = await keys();
      await expect(late.confirm()).rejects.toThrow(/^the workers went on before the end: /);
      await next.confirm();
      expect(await keys()).toEqual(before);
    });
    await queue.pause();
  });
  expect(await queue.isPaused()).toBe(true);
});

test('the holder’s end comes with its own hold only', async () => {
  await holdBatches(redis, [queue], async () => {
    await redis.mset('{keytally}:hold', 'next', ALIVE, 'next');
  });
  expect([await keys(), await queue.isPaused()]).toEqual([['next', 'next'], true]);
});

describe('a batch that is under way', () => {
  const LEFT_MS = 200;
  const limits = { leftMs: LEFT_MS, inWorkMs: 60_000 };
  const batch: BatchJob = { rows: 1, claims: [], receivedAtMs: 0, payload: '' };
  let worker: Worker<BatchJob>;
  beforeEach(async () => {
    worker = new Worker(BATCH_QUEUE, null, { connection: redis, prefix: shardPrefix(0), autorun: false });
    worker.on('error', () => {});
    await queue.add('batch', batch, { jobId: 'under way' });
  });
  afterEach(() => worker.close());

  test('is waited for while its worker lives, for longer than for one that was left', async () => {
    const job = (await worker.getNextJob('its worker'))!;
    let isHeld = false;
    const held = holdBatches(redis, [queue], async () => void (isHeld = true), limits);
    await sleep(5 * LEFT_MS);
    expect(isHeld).toBe(false);
    await job.moveToCompleted(undefined, 'its worker', false);
    await held;
    expect(isHeld).toBe(true);
  });

  test('is left in the queue when its worker was killed', async () => {
    await worker.getNextJob('killed');
    await redis.del(`${queue.toKey('under way')}:lock`);
    const active = () => queue.getActiveCount();
    expect(await holdBatches(redis, [queue], active, limits)).toBe(1);
  });

  test('and never ends refuses the hold in one line, and the workers go on', async () => {
    await worker.getNextJob('its worker');
    const refused = holdBatches(redis, [queue], async () => {}, { leftMs: LEFT_MS, inWorkMs: LEFT_MS });
    await expect(refused).rejects.toThrow(/^1 batches were not written in [^\n]+ begin again$/);
    expect([await keys(), await queue.isPaused()]).toEqual([[null, null], false]);
  });
});

test('of two backups at once the second is refused in one line, and the first is whole', async () => {
  const config = testConfig();
  const [first, second] = [join(tempFolder(), 'first'), join(tempFolder(), 'second')];
  await withinStores(config, async (parts) => {
    await migrate(parts.store, config);
    const save = parts.store.exportNative.bind(parts.store);
    let refused: string | undefined;
    parts.store.exportNative = async (select, path) => {
      refused ??= await backup(parts, second).then(
        () => 'not refused',
        (error: Error) => error.message,
      );
      await save(select, path);
    };
    await parts.store.insertRows('alert_progress', [ONE_ROW]);
    await backup(parts, first);
    expect(refused).toMatch(/^another backup or restore is running; [^\n]+$/);
  });
  expect(existsSync(join(second, 'manifest.json'))).toBe(false);
  await withinStores(testConfig(), async (parts) => expect((await restore(parts, first)).rows).toBe(1));
});

/** A backup of a store that holds one row, `n` in `alert_progress`. @returns its folder */
async function backupOfOneRow(): Promise<string> {
  const folder = join(tempFolder(), 'backup');
  await withinStores(testConfig(), async (parts) => {
    await migrate(parts.store, parts.config);
    await parts.store.insertRows('alert_progress', [ONE_ROW]);
    await backup(parts, folder);
  });
  return folder;
}

test('of two restores at once the second is refused before it writes, and every row is there once', async () => {
  const folder = await backupOfOneRow();
  await withinStores(testConfig(), async (parts) => {
    const outcomes = await Promise.allSettled([restore(parts, folder), restore(parts, folder)]);
    const refused = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(refused.reason.message).toMatch(/^another backup or restore is running; /);
    expect(await parts.store.query('SELECT name FROM alert_progress')).toEqual([{ name: 'n' }]);
    expect(await parts.redis.mget('{keytally}:hold', ALIVE)).toEqual([null, null]);
  });
});

test('a restore whose hold ran out while it looked whether the store is empty writes nothing', async () => {
  const folder = await backupOfOneRow();
  await withinStores(testConfig(), async (parts) => {
    const ask = parts.store.queryWriter.bind(parts.store);
    parts.store.queryWriter = async (...question) => {
      await parts.redis.set(ALIVE, 'another');
      return ask(...question);
    };
    await expect(restore(parts, folder)).rejects.toThrow(/^the workers went on before the end: /);
    expect(await ask('SELECT name FROM system.tables WHERE database = currentDatabase()')).toEqual([]);
    expect(await parts.redis.get(ALIVE)).toBe('another');
  });
});

test('a backup during which the workers went on leaves no manifest', async () => {
  const config = testConfig();
  const folder = join(tempFolder(), 'backup');
  await withinStores(config, async (parts) => {
    await migrate(parts.store, config);
    const say = () => void parts.redis.del(ALIVE);
    await expect(backup({ ...parts, say }, folder)).rejects.toThrow(/^the workers went on before the end: /);
  });
  expect(existsSync(join(folder, 'manifest.json'))).toBe(false);
});
