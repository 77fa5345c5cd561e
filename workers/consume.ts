import type { Job, Worker } from 'bullmq';
import { bullmq } from '../ingest/bullmq.ts';
import type { Config } from '../ingest/config.ts';
import { BATCH_QUEUE, type BatchJob, shardPrefix } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';
import { traced } from '../ingest/tracing.ts';
import { classifyInsertError, type ErrorClass } from './errors.ts';
import { countedRows } from './insert.ts';
import { insertFailures, jobsStalled } from './metrics.ts';
import { type BatchParts, bury, letterOfWhole, processBatch } from './process-batch.ts';

/** A batch of a dead worker is taken over after this time at most twice over. */
const LOCK_DURATION_MS = 10_000;
const STALLED_INTERVAL_MS = 5_000;
/** A worker that is killed while it holds a batch must never cost the batch, however often that happens. */
const MAX_STALLED_COUNT = 1_000_000;
/** While the store is away one batch tries again after this time; all others wait with it. */
const PAUSE_MS = 2_000;
/** A batch that is counted in part and may not be given up tries again after this time; the others go on. */
const PARTLY_COUNTED_DELAY_MS = 5_000;

export interface ConsumerOptions {
  config: Pick<Config, 'WORKER_CONCURRENCY'>;
  /** Their numbers. */
  shards: readonly number[];
  /** Separate connection of the worker; BullMQ duplicates it for blocking reads. */
  connection: Redis;
  /** Called when this program does not fit the store, or the store refuses even a dead letter, and must stop. */
  onCrash: (error: unknown) => void;
}

/** What a consumer is doing, for those who watch it. */
export interface Activity {
  /** Batches under way. */
  own: number;
  /** Batches it is done with since the start: counted or failed, not those that wait for the store or for a program that fits it. */
  finished: number;
}

/** Starts one consumer per shard. Each acknowledges a batch only after ClickHouse confirmed it. */
export function startConsumers(parts: BatchParts, options: ConsumerOptions): Consumer[] {
  return options.shards.map((shard) => {
    const activity: Activity = { own: 0, finished: 0 };
    return { shard, worker: startConsumer(parts, options, shard, activity), activity };
  });
}

export interface Consumer {
  shard: number;
  worker: Worker<BatchJob>;
  activity: Activity;
}

function startConsumer(
  parts: BatchParts,
  options: ConsumerOptions,
  shard: number,
  activity: Activity,
): Worker<BatchJob> {
  const worker: Worker<BatchJob> = new bullmq.Worker<BatchJob>(
    BATCH_QUEUE,
    async (job: Job<BatchJob>) => {
      activity.own++;
      let waits = false;
      try {
        await traceBatch(job, () => processBatch(parts, job.id!, job.data));
      } catch (error) {
        waits = keepsItsAttempts(classifyInsertError(error));
        await settleFailure(parts, options, worker, job, error);
      } finally {
        activity.own--;
        if (!waits) activity.finished++;
      }
    },
    {
      connection: options.connection,
      prefix: shardPrefix(shard),
      concurrency: options.config.WORKER_CONCURRENCY,
      lockDuration: LOCK_DURATION_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: MAX_STALLED_COUNT,
      autorun: true,
    },
  );
  worker.on('error', (error) => parts.log.warn({ err: error }, 'queue connection'));
  worker.on('stalled', (jobId) => {
    jobsStalled.inc();
    parts.log.warn({ batch_id: jobId }, 'batch taken over from a worker that stopped');
  });
  worker.on('failed', (job, error) => {
    parts.log.warn({ batch_id: job?.id, attempt: job?.attemptsMade, err: error }, 'batch failed, will be tried again');
  });
  return worker;
}

/** In the trace of the request that brought the batch's first records. */
function traceBatch(job: Job<BatchJob>, act: () => Promise<void>): Promise<void> {
  const attributes = {
    ...{ 'messaging.system': 'bullmq', 'messaging.destination.name': BATCH_QUEUE, 'messaging.message.id': job.id! },
    ...{ 'keytally.rows': job.data.rows, 'keytally.attempt': job.attemptsMade + 1 },
  };
  return traced(`process ${BATCH_QUEUE}`, { kind: 'CONSUMER', attributes, parent: job.data.trace }, act);
}

/** The batch has no part in it: the store is away, or this program does not fit it, which restarts by themselves do not mend. */
const keepsItsAttempts = (errorClass: ErrorClass): boolean => errorClass === 'wait' || errorClass === 'crash';

async function settleFailure(
  parts: BatchParts,
  options: ConsumerOptions,
  worker: Worker<BatchJob>,
  job: Job<BatchJob>,
  error: unknown,
): Promise<void> {
  const errorClass: ErrorClass = classifyInsertError(error);
  insertFailures.inc({ class: errorClass });
  if (keepsItsAttempts(errorClass)) {
    if (errorClass === 'wait')
      parts.log.warn({ batch_id: job.id, err: error }, 'the store is not available; all workers pause');
    else options.onCrash(error);
    await worker.rateLimit(PAUSE_MS);
    throw bullmq.Worker.RateLimitError();
  }
  const lastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
  if (!lastAttempt) throw error;
  await keepPartlyCounted(parts, job, error);
  const reason = `gave up after ${job.attemptsMade + 1} attempts: ${(error as Error).message}`;
  const give = async () => bury(parts, [await letterOfWhole(parts, job.id!, job.data, reason)]);
  await give().catch(async (failure: unknown) => {
    // The last attempt must not end as a failed job that nobody looks at: it waits until the letter can be written.
    parts.log.warn({ batch_id: job.id, err: failure }, 'dead letter not written; the batch waits');
    const failureClass = classifyInsertError(failure);
    insertFailures.inc({ class: failureClass });
    // A letter that is refused for good would stop its shard without a word.
    if (failureClass === 'dead_letter' || failureClass === 'crash') options.onCrash(failure);
    await worker.rateLimit(PAUSE_MS);
    throw bullmq.Worker.RateLimitError();
  });
}

/**
 * Rows in `requests` and not in every view: a letter would pass for counted, and those views would stay short for good. The same insert again
 * fills only what is missing, so the batch waits until it goes through. So it does when the store does not say.
 */
async function keepPartlyCounted(parts: BatchParts, job: Job<BatchJob>, error: unknown): Promise<void> {
  const counted = await countedRows(parts.store, job.id!).catch(() => undefined);
  if (counted === 0) return;
  parts.log.error(
    { batch_id: job.id, counted, err: error },
    'batch may be counted in part; it waits and is tried again',
  );
  await job.moveToDelayed(Date.now() + PARTLY_COUNTED_DELAY_MS, job.token);
  throw new bullmq.DelayedError();
}
