import type { Queue } from 'bullmq';
import type { BatchJob } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';

/** A list as BullMQ names it. */
export type JobList = 'wait' | 'prioritized' | 'active' | 'delayed';

/**
 * Jobs that are looked at from either end of a list. Only fresh jobs stand in the order of their age: a retry goes to the end of
 * its list, and of those that are delayed the oldest wait longest.
 */
export const LOOKED_AT_JOBS = 250;

/** When the oldest job of these lists was added, epoch milliseconds; undefined = they are empty. Reads no job's data. */
export async function oldestJobMs(redis: Redis, queue: Queue, lists: readonly JobList[]): Promise<number | undefined> {
  const ids = new Set<string>();
  for (const ascending of [true, false]) {
    // All lists in one call: a job that moves from one to another meanwhile is in one of them.
    for (const id of await queue.getRanges([...lists], 0, LOOKED_AT_JOBS - 1, ascending)) ids.add(id);
  }
  if (ids.size === 0) return undefined;
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hget(queue.toKey(id), 'timestamp');
  const answers = (await pipeline.exec()) ?? [];
  // A job that has ended meanwhile has no time any more.
  const times = answers.map(([, at]) => Number(at)).filter((at) => at > 0);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Oldest batch that waits, runs or is to be tried again, over all shards; epoch milliseconds. */
export async function oldestWaitingBatch(
  redis: Redis,
  queues: readonly Queue<BatchJob>[],
): Promise<number | undefined> {
  let oldest: number | undefined;
  for (const queue of queues) {
    const at = await oldestJobMs(redis, queue, ['wait', 'prioritized', 'active', 'delayed']);
    if (at !== undefined) oldest = Math.min(oldest ?? at, at);
  }
  return oldest;
}
