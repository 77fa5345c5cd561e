import type { Queue } from 'bullmq';
import type { Redis } from '../../ingest/redis.ts';
import { oldestJobMs } from '../../workers/oldest-job.ts';

export interface QueueHealth {
  name: string;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  paused: boolean;
  /** How long the job that came first has been waiting; 0 when none is. */
  oldest_waiting_ms: number;
}

/** Reads no job's data: a batch may hold megabytes. */
export async function readQueueHealth(redis: Redis, name: string, queue: Queue): Promise<QueueHealth> {
  const [counts, paused, oldest] = await Promise.all([
    queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
    queue.isPaused(),
    oldestWaitingMs(redis, queue),
  ]);
  const { waiting = 0, prioritized = 0, active = 0, delayed = 0, failed = 0 } = counts;
  // Batches of a bulk sender wait in a list of their own.
  return { name, waiting: waiting + prioritized, active, delayed, failed, paused, oldest_waiting_ms: oldest };
}

async function oldestWaitingMs(redis: Redis, queue: Queue): Promise<number> {
  const at = await oldestJobMs(redis, queue, ['wait', 'prioritized']);
  return at === undefined ? 0 : Math.max(0, Date.now() - at);
}
