import type { Queue } from 'bullmq';
import cron from 'node-cron';
import type { Config } from '../ingest/config.ts';
import type { Logger } from '../ingest/logger.ts';
import { openBatchQueue } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';
import { EVALUATION_LANES, openEvaluationQueue } from '../workers/alerts/evaluation/evaluation-queue.ts';
import { openDeliveryQueue } from '../workers/alerts/outbox.ts';
import { openLifecycleQueue } from '../workers/keys/lifecycle-queue.ts';

/** A queue as the jobs page names it. */
export interface JobQueue {
  name: string;
  holds: string;
  queue: Queue;
  /** Records that are not counted yet stand in it. */
  isOfBatches?: boolean;
}

/** Something that happens by the clock: jobs of this name in this queue are its runs. */
export interface Schedule {
  name: string;
  does: string;
  expression: string;
  queue: string;
  job: string;
}

/**
 * Every queue of this installation, for reading. Nobody here takes jobs.
 * @param shards of the queue of batches, those beyond INGEST_SHARDS that hold some as well
 */
export function openJobQueues(redis: Redis, shards: readonly number[], log: Logger): JobQueue[] {
  const batches = shards.map((shard) => ({
    name: shards.length === 1 ? 'batches' : `batches-${shard}`,
    holds: 'Records on their way into the store',
    queue: openBatchQueue(redis, shard) as Queue,
    isOfBatches: true,
  }));
  const queues: JobQueue[] = [
    ...batches,
    { name: 'delivery', holds: 'Messages about alerts and key events', queue: openDeliveryQueue(redis) as Queue },
    ...EVALUATION_LANES.map((lane) => ({
      name: `evaluation-${lane}`,
      holds: lane === 'limits' ? 'Limits and key events, judged every few seconds' : 'Traffic, judged for alerts',
      queue: openEvaluationQueue(redis, lane) as Queue,
    })),
    { name: 'lifecycle', holds: 'Expiries, reminders and policy runs', queue: openLifecycleQueue(redis) as Queue },
  ];
  for (const { name, queue } of queues) queue.on('error', (error) => log.warn({ err: error, name }, 'queue'));
  return queues;
}

export function schedulesOf(config: Config): Schedule[] {
  return [
    {
      name: 'Key sweep',
      does: 'Expires keys that were missed, sends reminders, completes the audit',
      expression: config.KEY_SWEEP_CRON,
      queue: 'lifecycle',
      job: 'sweep',
    },
    {
      name: 'Policies',
      does: 'Runs every deactivation policy that is on',
      expression: config.KEY_POLICY_CRON,
      queue: 'lifecycle',
      job: 'policies',
    },
    {
      name: 'Alerts',
      does: 'Judges traffic, errors and latency of every key',
      expression: config.ALERT_EVALUATION_CRON,
      queue: 'evaluation-buckets',
      job: 'slot',
    },
    {
      name: 'Limits',
      does: 'Looks how near every key is to its limits',
      expression: config.ALERT_LIMITS_CRON,
      queue: 'evaluation-limits',
      job: 'slot',
    },
  ];
}

/** When a cron expression, read in UTC, is met next; null for one that never is. */
export function nextRunOf(expression: string): Date | null {
  const task = cron.createTask(expression, () => undefined, { timezone: 'UTC' });
  try {
    return task.getNextRuns(1)[0] ?? null;
  } finally {
    void task.destroy();
  }
}
