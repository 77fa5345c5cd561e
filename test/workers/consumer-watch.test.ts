import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createLogger } from '../../ingest/logger.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { ConsumerWatch } from '../../workers/consumer-watch.ts';
import { batchesWaiting } from '../../workers/metrics.ts';
import { RedisServer } from '../support/redis-server.ts';
import { tempFolder } from '../support/temp-folder.ts';

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await RedisServer.create(tempFolder());
  await server.start(67_108_864);
  redis = await connectRedis(server.url, 'worker', () => {});
  const queue = openBatchQueue(redis, 0);
  await queue.add('batch', { rows: 1, claims: [], receivedAtMs: Date.now(), payload: '' }, { jobId: 'waits' });
  await queue.close();
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function startWatch() {
  const lines: string[] = [];
  const log = createLogger({ LOG_LEVEL: 'warn' }, 'test', { write: (line) => void lines.push(line) });
  const watch = new ConsumerWatch(redis, [{ own: 0, finished: 0 }], log);
  onTestFinished(() => watch.close());
  return { watch, lines };
}

const waiting = async () => (await batchesWaiting.get()).values[0]!.value;

test('a hold that cannot be looked for is said, and the batches are looked at all the same', async () => {
  const refused = vi.spyOn(redis, 'mget').mockRejectedValue(new Error('NOPERM no permissions to access a key'));
  onTestFinished(() => refused.mockRestore());
  const { watch, lines } = startWatch();
  batchesWaiting.set(0);
  await watch.look();
  expect(lines.map((line) => JSON.parse(line).err.message)).toEqual(['NOPERM no permissions to access a key']);
  expect(await waiting()).toBe(1);
});

test('while Redis is silent one look waits for it, not one after another', async () => {
  let answer: (held: null[]) => void = () => {};
  const silent = vi.spyOn(redis, 'mget').mockReturnValue(new Promise<never>((resolve) => (answer = resolve as never)));
  onTestFinished(() => silent.mockRestore());
  const { watch } = startWatch();
  const first = watch.look();
  for (let n = 0; n < 3; n++) await watch.look();
  expect(silent).toHaveBeenCalledTimes(1);
  answer([null, null]);
  await first;
  await watch.look();
  expect(silent).toHaveBeenCalledTimes(2);
});
