import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { BatchJob } from '../../../ingest/queue.ts';

export const BUCKET_MS = 5 * 60_000;

/**
 * End of the newest bucket that may be judged: it ended at least the margin ago, and no batch that was received until then
 * still waits for ClickHouse.
 * @param oldestWaitingMs when the oldest batch that is not yet counted was received; undefined = none waits
 */
export function settledUntil(nowMs: number, oldestWaitingMs: number | undefined, marginMs: number): number {
  const complete = Math.min(nowMs, oldestWaitingMs ?? nowMs) - marginMs;
  return Math.floor(complete / BUCKET_MS) * BUCKET_MS;
}

/** Oldest batch that waits, runs or is to be tried again, over all shards; epoch milliseconds. */
export async function oldestWaitingBatch(
  redis: Redis,
  queues: readonly Queue<BatchJob>[],
): Promise<number | undefined> {
  let oldest: number | undefined;
  for (const queue of queues) {
    for (const type of ['wait', 'active', 'delayed'] as const) {
      // The id alone: a job's payload holds up to 50,000 records.
      for (const id of await queue.getRanges([type], 0, 0, true)) {
        const at = Number(await redis.hget(queue.toKey(id), 'timestamp'));
        if (at > 0) oldest = Math.min(oldest ?? at, at);
      }
    }
  }
  return oldest;
}
