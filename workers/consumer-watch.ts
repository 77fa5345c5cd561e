import type { Queue } from 'bullmq';
import { bullmq } from '../ingest/bullmq.ts';
import type { Logger } from '../ingest/logger.ts';
import { BATCH_QUEUE, type BatchJob, shardPrefix } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';
import { endAbandonedHold } from './batch-hold.ts';
import type { Activity } from './consume.ts';
import { batchesWaiting, oldestBatchSeconds } from './metrics.ts';
import { oldestJobMs } from './oldest-job.ts';
import { NO_PROGRESS_YET, observe, type ProgressState, wedged } from './progress.ts';

export const LOOK_EVERY_MS = 5_000;
/** A look that Redis does not answer is the other checks' business. */
const LOOK_TIMEOUT_MS = 4_000;

/**
 * Looks at the consumers from outside: whether they finish what waits, and how much waits for how long. Without it a
 * consumer that lives but hangs (a lost connection, a call that never returns) would look well for ever.
 */
export class ConsumerWatch {
  readonly #redis: Redis;
  readonly #queues: Queue<BatchJob>[];
  readonly #activities: readonly Activity[];
  readonly #progress: ProgressState[];
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;

  /**
   * @param activities one per shard, in their order
   * @param shards their numbers; default: from 0 on
   */
  constructor(
    redis: Redis,
    activities: readonly Activity[],
    log: Logger,
    shards: readonly number[] = [...activities.keys()],
  ) {
    this.#redis = redis;
    this.#log = log;
    this.#activities = activities;
    this.#progress = activities.map(() => NO_PROGRESS_YET);
    this.#queues = shards.map(
      (shard) =>
        new bullmq.Queue<BatchJob>(BATCH_QUEUE, {
          connection: redis,
          prefix: shardPrefix(shard),
          skipMetasUpdate: true,
        }),
    );
    // A queue without a listener would end the process at its first broken connection.
    for (const queue of this.#queues) queue.on('error', () => undefined);
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /**
   * Takes one sample of every shard, unless the last look still waits for Redis.
   * @param atMs time of the samples; default: when Redis has answered
   */
  async look(atMs?: number): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const looking = this.#take(atMs)
      .catch((error: unknown) => {
        this.#log.warn({ err: error }, 'how much waits is not known');
        nothingKnown();
      })
      .then(() => true)
      .finally(() => {
        this.#isLooking = false;
      });
    if (!(await Promise.race([looking, noAnswer()]))) nothingKnown();
  }

  async #take(atMs?: number): Promise<void> {
    const startedMs = performance.now();
    await endAbandonedHold(this.#redis, this.#queues).catch((error: unknown) =>
      this.#log.warn({ err: error }, 'a hold whose holder is gone could not be looked for; its queues stay paused'),
    );
    let waitingNow = 0;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const [shard, queue] of this.#queues.entries()) {
      const seen = await sampleOf(this.#redis, queue);
      // What Redis says so late is of another time.
      if (performance.now() - startedMs > LOOK_TIMEOUT_MS) return;
      const sample = { atMs: atMs ?? Date.now(), waiting: seen.waiting, ...this.#activities[shard]! };
      this.#progress[shard] = observe(this.#progress[shard]!, sample);
      waitingNow += seen.waiting;
      oldestMs = Math.min(oldestMs, seen.oldestMs ?? oldestMs);
    }
    batchesWaiting.set(waitingNow);
    oldestBatchSeconds.set(Math.max(0, ((atMs ?? Date.now()) - oldestMs) / 1000));
  }

  /** What is wrong with a consumer; undefined when all make progress. */
  problem(nowMs = Date.now()): string | undefined {
    for (const progress of this.#progress) {
      const said = wedged(progress, nowMs);
      if (said !== undefined) return said;
    }
    return undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const queue of this.#queues) await queue.close();
  }
}

/** A figure of before would look like one of now. */
function nothingKnown(): void {
  batchesWaiting.set(Number.NaN);
  oldestBatchSeconds.set(Number.NaN);
}

async function sampleOf(
  redis: Redis,
  queue: Queue<BatchJob>,
): Promise<{ waiting: number; oldestMs: number | undefined }> {
  // Batches that wait on purpose, e.g. during a backup, say nothing of the consumer.
  if (await queue.isPaused()) return { waiting: 0, oldestMs: undefined };
  const counts = await queue.getJobCounts('waiting', 'prioritized', 'delayed');
  const waiting = (counts.waiting ?? 0) + (counts.prioritized ?? 0) + (counts.delayed ?? 0);
  const oldestMs = waiting > 0 ? await oldestJobMs(redis, queue, ['wait', 'prioritized', 'delayed']) : undefined;
  return { waiting, oldestMs };
}

function noAnswer(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), LOOK_TIMEOUT_MS).unref());
}
