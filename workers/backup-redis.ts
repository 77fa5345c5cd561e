import type { Queue } from 'bullmq';
import type { Redis as Single } from 'ioredis';
import type { BatchJob } from '../ingest/queue.ts';
import { mastersOf, type Redis } from '../ingest/redis.ts';
import type { Store } from './clickhouse/store.ts';
import { countedRows } from './insert.ts';

/** One line of the file: a key as Redis dumps it, or a batch that waits. */
export type RedisLine =
  | { key: string; value: string; ttlMs: number }
  | { shard: number; batchId: string; job: BatchJob };

/**
 * What Redis alone knows: which repeats were seen, which organization used a key first, batches that wait. Everything else
 * (tokens, hashes, denials, schedules) is made again from ClickHouse; sessions and locks are not worth keeping.
 */
const KEPT = [
  /^\{keytally\}:claim:/,
  /^\{keytally-ids-\d+\}:/,
  /^\{keytally\}:keys:owner$/,
  /^\{keytally\}:lifecycle:/,
  /^\{keytally\}:tokens:used$/,
];
const SCAN_COUNT = 1_000;
const STATES = ['failed', 'delayed', 'active', 'prioritized', 'wait'] as const;

export async function* redisLines(redis: Redis, queues: readonly Queue<BatchJob>[]): AsyncGenerator<RedisLine> {
  // Each by itself: a cluster's connection asks any node, and a cursor means nothing to another one.
  for (const node of mastersOf(redis)) yield* keptKeys(node);
  for (const [shard, queue] of queues.entries()) yield* waitingBatches(queue, shard);
}

async function* keptKeys(node: Single): AsyncGenerator<RedisLine> {
  let cursor = '0';
  do {
    const [next, keys] = await node.scan(cursor, 'MATCH', '{keytally*', 'COUNT', SCAN_COUNT);
    cursor = next;
    for (const key of keys.filter((name) => KEPT.some((kept) => kept.test(name)))) {
      const value = await node.dumpBuffer(key);
      // Between the two it may have run out: then it is not worth keeping.
      if (value) yield { key, value: value.toString('base64'), ttlMs: Math.max(0, await node.pttl(key)) };
    }
  } while (cursor !== '0');
}

/** The ids of every state in one look: a batch may pass from one to another at any moment, and was in neither between two looks. */
async function* waitingBatches(queue: Queue<BatchJob>, shard: number): AsyncGenerator<RedisLine> {
  for (const id of await queue.getRanges([...STATES], 0, -1, true)) {
    const job = await queue.getJob(id);
    if (job) yield { shard, batchId: id, job: job.data };
  }
}

/**
 * Brings a line back. A batch that the store has already is left out: the restored tables remember no tokens.
 * @returns what became of it
 */
export async function restoreRedisLine(
  line: RedisLine,
  { redis, queues, store }: { redis: Redis; queues: readonly Queue<BatchJob>[]; store: Store },
): Promise<'key' | 'queued' | 'counted_already'> {
  if ('key' in line) {
    await redis.restore(line.key, line.ttlMs, Buffer.from(line.value, 'base64'), 'REPLACE');
    return 'key';
  }
  if ((await countedRows(store, line.batchId)) > 0) return 'counted_already';
  await queues[line.shard % queues.length]!.add('batch', line.job, { jobId: line.batchId });
  return 'queued';
}
