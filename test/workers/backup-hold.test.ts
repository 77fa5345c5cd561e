import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Queue } from 'bullmq';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BatchJob, openBatchQueue } from '../../ingest/queue.ts';
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
const keys = () => redis.mget('{keytally}:hold', ALIVE);

test('a second holder is refused while the first is at work, and the first keeps the workers still until its end', async () => {
  await holdBatches(redis, [queue], async (hold) => {
    const before = await keys();
    await expect(holdBatches(redis, [queue], async () => 'second')).rejects.toThrow(/^another backup is running; /);
    expect(await endAbandonedHold(redis, [queue])).toBe(false);
    expect([await keys(), await queue.isPaused()]).toEqual([before, true]);
    await hold.confirm();
  });
  expect([await keys(), await queue.isPaused()]).toEqual([[null, null], false]);
  expect(await holdBatches(redis, [queue], async () => 'third')).toBe('third');
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
    await parts.store.insertRows('alert_progress', [
      { name: 'n', until: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' },
    ]);
    await backup(parts, first);
    expect(refused).toMatch(/^another backup is running; [^\n]+$/);
  });
  expect(existsSync(join(second, 'manifest.json'))).toBe(false);
  await withinStores(testConfig(), async (parts) => expect((await restore(parts, first)).rows).toBe(1));
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
