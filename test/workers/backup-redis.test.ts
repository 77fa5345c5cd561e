import type { Queue } from 'bullmq';
import { expect, test } from 'vitest';
import { type BatchJob, openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { redisLines } from '../../workers/backup-redis.ts';
import { RedisServer } from '../support/redis-server.ts';
import { tempFolder } from '../support/temp-folder.ts';

const WAITING = 50;
const JOB: BatchJob = { rows: 1, claims: [], receivedAtMs: 0, payload: 'p' };

/** Whenever the queue was looked at, batches that were to be tried again later pass to those that wait. */
function passOnAfterEachLook(queue: Queue<BatchJob>): void {
  for (const look of ['getJobs', 'getRanges'] as const) {
    const ask = queue[look].bind(queue) as (...args: unknown[]) => Promise<unknown>;
    queue[look] = (async (...args: unknown[]) => {
      const seen = await ask(...args);
      await queue.promoteJobs();
      return seen;
    }) as never;
  }
}

test('every batch is in a backup once, also one that passes from one state to another meanwhile', async () => {
  const server = await RedisServer.create(tempFolder());
  await server.start(67_108_864);
  const redis = await connectRedis(server.url, 'worker', () => {});
  const queue = openBatchQueue(redis, 0);
  await queue.pause();
  const add = (jobId: string, delay = 0) => queue.add('batch', JOB, { jobId, delay });
  for (let n = 0; n < WAITING; n++) await add(`waits-${n}`);
  await Promise.all([add('later-0', 3_600_000), add('later-1', 3_600_000)]);
  passOnAfterEachLook(queue);
  const saved: string[] = [];
  for await (const line of redisLines(redis, [queue])) if ('batchId' in line) saved.push(line.batchId);
  const expected = [...Array.from({ length: WAITING }, (_, n) => `waits-${n}`), 'later-0', 'later-1'];
  expect(saved.sort()).toEqual(expected.sort());
  await queue.close();
  redis.disconnect();
  await server.stop();
});
