import type { JobsOptions, Queue } from 'bullmq';
import { bullmq } from './bullmq.ts';
import type { Redis } from './redis.ts';

/** Name of the queue of record batches; each shard is its own queue under its own hash tag. */
export const BATCH_QUEUE = 'batches';

/**
 * One waiting batch. The job's id is the batch id, which is also the insert's deduplication token and
 * the `batch_id` of its rows.
 */
export interface BatchJob {
  rows: number;
  /** Requests in this batch that carried an Idempotency-Key: their row ranges and the id to be claimed. */
  claims: BatchClaim[];
  /** Row ranges whose request ids tell a repeated record; absent when there are none. */
  unique?: UniqueRange[];
  /** Time the batch was handed to Redis, epoch milliseconds. */
  receivedAtMs: number;
  /** Compressed columns, see `batch.ts`. */
  payload: string;
  /** W3C traceparent of the span that queued it; absent without tracing. */
  trace?: string;
}

export interface BatchClaim {
  id: string;
  /** How long a repeat is recognised. */
  keepSeconds: number;
  firstRow: number;
  rows: number;
}

export interface UniqueRange {
  /** Id of the token that sent the rows: ids of two senders never meet. */
  caller: string;
  firstRow: number;
  rows: number;
  /** A repeat may have another time: ids of this format are unique by themselves, and without a time of its own a record has that of its receipt. */
  timeless?: true;
}

/** Retries of an error that may pass by itself (a broken connection, a busy server). */
const ATTEMPTS = 10;

const BATCH_JOB_OPTIONS: Omit<JobsOptions, 'jobId'> = {
  attempts: ATTEMPTS,
  backoff: { type: 'exponential', delay: 200, jitter: 0.5 },
  removeOnComplete: true,
  // A job that failed for good still holds its records: it stays until somebody replays or drops it.
  removeOnFail: false,
  keepLogs: 0,
  stackTraceLimit: 3,
};

/** Hash tag of a shard: all keys of one queue live on one node of a Redis Cluster, the shards on different ones. */
export function shardPrefix(shard: number): string {
  return `{keytally-${shard}}`;
}

export function openBatchQueue(connection: Redis, shard: number): Queue<BatchJob> {
  return new bullmq.Queue<BatchJob>(BATCH_QUEUE, {
    connection,
    prefix: shardPrefix(shard),
    defaultJobOptions: BATCH_JOB_OPTIONS,
    // Nobody reads the event stream: it would only take memory from waiting batches.
    streams: { events: { maxLen: 100 } },
  });
}
