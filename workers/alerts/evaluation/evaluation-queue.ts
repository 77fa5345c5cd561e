import type { JobsOptions, Queue } from 'bullmq';
import { bullmq } from '../../../ingest/bullmq.ts';
import type { Redis } from '../../../ingest/redis.ts';

/** Queues of the evaluation. Each runs one job at a time in the whole fleet: a state is never advanced by two at once. */
export const EVALUATION_PREFIX = '{keytally-alerts}';

/** `buckets`: judge settled windows. `limits`: limits and key events, every few seconds; a queue of its own never waits for the other. */
export const EVALUATION_LANES = ['buckets', 'limits'] as const;
export type EvaluationLane = (typeof EVALUATION_LANES)[number];

/** A time slot of the schedule; the job takes the time from it, never from the clock. */
export interface EvaluationJob {
  /** Epoch milliseconds. */
  slot_ms: number;
}

const JOB_OPTIONS: JobsOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
  // A finished slot stays for a while: a process that ticks a little later must find it.
  removeOnComplete: { count: 200 },
  // The next slot does what this one could not.
  removeOnFail: { count: 200 },
  keepLogs: 0,
  stackTraceLimit: 3,
};

export function openEvaluationQueue(connection: Redis, lane: EvaluationLane): Queue<EvaluationJob> {
  return new bullmq.Queue<EvaluationJob>(`evaluation-${lane}`, {
    connection,
    prefix: EVALUATION_PREFIX,
    defaultJobOptions: JOB_OPTIONS,
    streams: { events: { maxLen: 100 } },
  });
}

/** More waiting slots than this mean that the lane cannot keep up: a slot judges everything up to its time, so others need not wait. */
const MAX_WAITING = 2;

/** Adds the job of a time slot; of all processes that tick, the first makes it and the others find it there. */
export async function enqueueEvaluation(queue: Queue<EvaluationJob>, slotMs: number): Promise<void> {
  if ((await queue.getWaitingCount()) >= MAX_WAITING) return;
  const slot = Math.round(slotMs / 1000);
  await queue.add('slot', { slot_ms: slot * 1000 }, { jobId: `slot_${slot}` });
}
