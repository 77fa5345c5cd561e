import type { Queue } from 'bullmq';
import type { BatchJob } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';

/** Says that the queues were paused by a hold, and not by a person. */
const HELD_KEY = '{keytally}:hold';
/** Runs out by itself when the holder was killed. */
const HEARTBEAT_KEY = '{keytally}:hold:alive';
const HEARTBEAT_SECONDS = 30;
const RENEW_MS = 5_000;
const DRAIN_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/**
 * Keeps every worker from taking batches while `act` runs, so that the tables stand still; collectors go on, batches wait.
 * A holder that is killed holds nobody up: workers end a hold without a heartbeat.
 */
export async function holdBatches<T>(
  redis: Redis,
  queues: readonly Queue<BatchJob>[],
  act: () => Promise<T>,
): Promise<T> {
  const beat = () => redis.set(HEARTBEAT_KEY, '1', 'EX', HEARTBEAT_SECONDS);
  await beat();
  await redis.set(HELD_KEY, '1');
  const timer = setInterval(() => void beat().catch(() => undefined), RENEW_MS);
  try {
    for (const queue of queues) await queue.pause();
    await untilNoneActive(queues);
    return await act();
  } finally {
    clearInterval(timer);
    await release(redis, queues);
  }
}

/** What is under way may finish. One that does not was left by a killed worker: it is in the queue and is copied from there. */
async function untilNoneActive(queues: readonly Queue<BatchJob>[]): Promise<void> {
  for (let waited = 0; waited < DRAIN_TIMEOUT_MS; waited += POLL_MS) {
    const active = await Promise.all(queues.map((queue) => queue.getActiveCount()));
    if (active.every((count) => count === 0)) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function release(redis: Redis, queues: readonly Queue<BatchJob>[]): Promise<void> {
  for (const queue of queues) await queue.resume();
  await redis.del(HELD_KEY, HEARTBEAT_KEY);
}

/** Ends a hold whose holder is gone. @returns whether there was one */
export async function endAbandonedHold(redis: Redis, queues: readonly Queue<BatchJob>[]): Promise<boolean> {
  const [held, alive] = await redis.mget(HELD_KEY, HEARTBEAT_KEY);
  if (!held || alive) return false;
  await release(redis, queues);
  return true;
}
