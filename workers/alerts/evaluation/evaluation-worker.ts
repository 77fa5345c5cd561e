import type { Job, Queue, Worker } from 'bullmq';
import cron, { type ScheduledTask } from 'node-cron';
import { bullmq } from '../../../ingest/bullmq.ts';
import type { Config } from '../../../ingest/config.ts';
import { ConfigError } from '../../../ingest/config-error.ts';
import type { Logger } from '../../../ingest/logger.ts';
import { openBatchQueue } from '../../../ingest/queue.ts';
import type { Redis } from '../../../ingest/redis.ts';
import type { Store } from '../../clickhouse/store.ts';
import { oldestWaitingBatch } from '../../oldest-job.ts';
import { endKeyAlerts } from '../key-events/endings.ts';
import { repeatNotices } from '../key-events/repeats.ts';
import { sweepKeyEvents } from '../key-events/sweep.ts';
import { lookAtLimits } from '../limits/look.ts';
import { openDeliveryQueue } from '../outbox.ts';
import { type EvaluationParts, evaluate } from './evaluate.ts';
import {
  EVALUATION_PREFIX,
  type EvaluationJob,
  type EvaluationLane,
  enqueueEvaluation,
  openEvaluationQueue,
} from './evaluation-queue.ts';
import { entersNew, Progress } from './progress.ts';
import { refuseTakenOver, TakenOver } from './taken-over.ts';

/** A job of a dead worker is taken over after these two together. */
const LOCK_DURATION_MS = 5_000;
const STALLED_INTERVAL_MS = 2_000;
const MAX_STALLED_COUNT = 1_000_000;

/** Looked for in the first slot of a minute that is taken: a busy lane leaves slots out. */
const ENDINGS_EVERY_MS = 60_000;

export interface AlertEvaluationParts {
  config: Config;
  store: Store;
  redis: Redis;
  log: Logger;
  /** Shards of the queue: windows whose records wait in one of them are not judged yet. */
  shards: readonly number[];
}

export interface AlertEvaluation {
  isRunning(): boolean;
  close(): Promise<void>;
}

/** What a lane does at a time slot. */
type Perform = (nowMs: number, confirm: () => Promise<void>) => Promise<object>;

/**
 * Takes the jobs of the evaluation and ticks. Every worker process ticks; a tick only enqueues a job named by its time slot,
 * and each lane runs one job at a time in the whole fleet.
 *
 * @param connection separate connection for the workers' blocking reads
 * @throws {ConfigError} for a schedule that cannot be used
 */
export async function startEvaluation(parts: AlertEvaluationParts, connection: Redis): Promise<AlertEvaluation> {
  const { config, store, redis, log } = parts;
  const batches = parts.shards.map((shard) => openBatchQueue(redis, shard));
  const delivery = openDeliveryQueue(redis);
  for (const queue of [...batches, delivery]) queue.on('error', (error) => log.warn({ err: error }, 'queue'));
  const evaluation: EvaluationParts = {
    store,
    delivery,
    log,
    settleMs: config.ALERT_SETTLE_SECONDS * 1000,
    alertsKeptMs: config.RETENTION_ALERTS_DAYS * 86_400_000,
    oldestWaitingMs: () => oldestWaitingBatch(redis, batches),
  };
  const lanes = [
    await startLane('buckets', config.ALERT_EVALUATION_CRON, parts, connection, (nowMs, confirm) =>
      evaluate({ ...evaluation, confirm }, nowMs),
    ),
    await startLane('limits', config.ALERT_LIMITS_CRON, parts, connection, (nowMs, confirm) =>
      lookAtKeys({ ...evaluation, confirm }, nowMs),
    ),
  ];
  return {
    isRunning: () => lanes.every((lane) => lane.worker.isRunning()),
    close: async () => {
      for (const lane of lanes) await lane.tick.destroy();
      await Promise.all(lanes.map((lane) => lane.worker.close()));
      for (const queue of [...lanes.map((lane) => lane.queue), ...batches, delivery]) await queue.close();
    },
  };
}

/** Limits, events of keys, and once a minute what of those is over. */
async function lookAtKeys(parts: EvaluationParts, nowMs: number): Promise<object> {
  const progress = await Progress.read(parts.store);
  const limits = await lookAtLimits(parts, nowMs, progress);
  const keyEvents = await sweepKeyEvents(parts, nowMs, progress);
  return { ...limits, key_events: keyEvents, ended: await endOncePerMinute(parts, nowMs, progress) };
}

async function endOncePerMinute(parts: EvaluationParts, nowMs: number, progress: Progress): Promise<number> {
  const last = progress.of('key_endings');
  if (last !== undefined && !entersNew(ENDINGS_EVERY_MS, last, nowMs)) return 0;
  const ended = await endKeyAlerts(parts, nowMs);
  await repeatNotices(parts, nowMs);
  await parts.confirm?.();
  await progress.write('key_endings', nowMs);
  return ended;
}

interface Lane {
  queue: Queue<EvaluationJob>;
  worker: Worker<EvaluationJob>;
  tick: ScheduledTask;
}

const CRON_VARIABLE = { buckets: 'ALERT_EVALUATION_CRON', limits: 'ALERT_LIMITS_CRON' } as const;

async function startLane(
  lane: EvaluationLane,
  expression: string,
  { redis, log }: AlertEvaluationParts,
  connection: Redis,
  perform: Perform,
): Promise<Lane> {
  if (!cron.validate(expression)) throw new ConfigError(`${CRON_VARIABLE[lane]}: is not a cron expression`);
  const queue = openEvaluationQueue(redis, lane);
  queue.on('error', (error) => log.warn({ err: error, lane }, 'evaluation queue'));
  await queue.setGlobalConcurrency(1);
  const worker = new bullmq.Worker<EvaluationJob>(
    queue.name,
    async (job: Job<EvaluationJob>, token) => {
      const { slot_ms } = job.data;
      const result = await perform(slot_ms, () => refuseTakenOver(redis, queue.toKey(job.id!), job, token)).catch(
        (error: unknown) => {
          // The queue does not hear of it: what becomes of the job is the other process' business.
          if (error instanceof TakenOver) log.warn({ lane, slot_ms, err: error }, 'evaluation given up');
          throw error;
        },
      );
      log.debug({ lane, slot_ms, ...result }, 'evaluated');
    },
    {
      connection,
      prefix: EVALUATION_PREFIX,
      concurrency: 1,
      lockDuration: LOCK_DURATION_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: MAX_STALLED_COUNT,
    },
  );
  worker.on('error', (error) => log.warn({ err: error, lane }, 'evaluation worker'));
  worker.on('failed', (job, error) =>
    log.warn({ job: job?.id, lane, err: error }, 'evaluation failed, the next slot goes on'),
  );
  const tick = cron.schedule(
    expression,
    async ({ date }) => {
      await enqueueEvaluation(queue, date.getTime()).catch((error: unknown) =>
        log.warn({ err: error, lane }, 'could not enqueue an evaluation; the next tick tries again'),
      );
    },
    { timezone: 'UTC' },
  );
  return { queue, worker, tick };
}
