import type { Job } from 'bullmq';
import { z } from 'zod';
import type { Redis } from '../../ingest/redis.ts';
import { type JobQueue, nextRunOf, type Schedule, schedulesOf } from '../job-queues.ts';
import { readQueueHealth } from '../queries/queue-health.ts';
import { type ApiParts, route } from '../route.ts';

/** Failed jobs that are named, over all queues. */
const FAILED_SHOWN = 50;
const MAX_REASON_CHARACTERS = 500;

const QueueResponse = z.object({
  name: z.string(),
  holds: z.string(),
  waiting: z.number().int(),
  active: z.number().int(),
  delayed: z.number().int(),
  failed: z.number().int(),
  paused: z.boolean().describe('also while all workers wait for a store that does not answer'),
  oldest_waiting_ms: z.number().describe('how long the oldest waiting job has been waiting'),
});

const ScheduleResponse = z.object({
  name: z.string(),
  does: z.string(),
  expression: z.string().describe('cron, read in UTC'),
  next_run_at: z.iso.datetime().nullable(),
  last_run: z
    .object({ at: z.iso.datetime(), duration_ms: z.number(), outcome: z.enum(['done', 'failed', 'running']) })
    .nullable(),
});

const FailedJobResponse = z.object({
  queue: z.string(),
  id: z.string(),
  name: z.string(),
  failed_at: z.iso.datetime().nullable(),
  attempts: z.number().int(),
  reason: z.string(),
});

export const getJobs = route({
  method: 'get',
  path: '/v1/jobs',
  scope: 'admin',
  reach: 'platform',
  summary: 'Background jobs: queues with their counts, schedules with their last and next run, failed jobs',
  response: z.object({
    queues: z.array(QueueResponse),
    schedules: z.array(ScheduleResponse),
    failed: z.array(FailedJobResponse).describe(`the newest, at most ${FAILED_SHOWN} of each queue`),
  }),
  handle: async ({ parts }) => {
    const queues = await Promise.all(parts.jobQueues.map((queue) => withHealth(parts.redis, queue)));
    const schedules = await Promise.all(schedulesOf(parts.config).map((schedule) => withRuns(parts, schedule)));
    const failed = await Promise.all(parts.jobQueues.map((queue) => failedJobs(parts.redis, queue)));
    return { queues, schedules, failed: failed.flat() };
  },
});

async function withHealth(redis: Redis, { name, holds, queue }: JobQueue): Promise<z.infer<typeof QueueResponse>> {
  return { holds, ...(await readQueueHealth(redis, name, queue)) };
}

async function withRuns(parts: ApiParts, schedule: Schedule): Promise<z.infer<typeof ScheduleResponse>> {
  const { name, does, expression } = schedule;
  const next_run_at = nextRunOf(expression)?.toISOString() ?? null;
  const queue = parts.jobQueues.find((known) => known.name === schedule.queue)?.queue;
  const runs = (await queue?.getJobs(['active', 'completed', 'failed'], 0, 100)) ?? [];
  const [newest] = runs
    .filter((job) => job?.name === schedule.job && job.processedOn)
    .sort((a, b) => b.processedOn! - a.processedOn!);
  return { name, does, expression, next_run_at, last_run: newest ? runOf(newest) : null };
}

function runOf(job: Job): NonNullable<z.infer<typeof ScheduleResponse>['last_run']> {
  const outcome = job.finishedOn === undefined ? 'running' : job.failedReason ? 'failed' : 'done';
  return {
    at: new Date(job.processedOn!).toISOString(),
    duration_ms: (job.finishedOn ?? Date.now()) - job.processedOn!,
    outcome,
  };
}

/** Without the jobs' data: a failed batch holds all its records. */
async function failedJobs(redis: Redis, { name, queue }: JobQueue): Promise<z.infer<typeof FailedJobResponse>[]> {
  const ids = await redis.zrevrange(queue.toKey('failed'), 0, FAILED_SHOWN - 1);
  return Promise.all(
    ids.map(async (id) => {
      const fields = ['name', 'finishedOn', 'atm', 'failedReason'];
      const [job, finishedOn, attempts, reason] = await redis.hmget(queue.toKey(id), ...fields);
      return {
        queue: name,
        id,
        name: job ?? '',
        failed_at: finishedOn ? new Date(Number(finishedOn)).toISOString() : null,
        attempts: Number(attempts ?? 0),
        reason: (reason ?? '').slice(0, MAX_REASON_CHARACTERS),
      };
    }),
  );
}
