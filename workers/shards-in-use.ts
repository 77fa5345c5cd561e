import { MAX_SHARDS } from '../ingest/config.ts';
import { BATCH_QUEUE, shardPrefix } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';

const STATES = ['wait', 'paused', 'active', 'delayed', 'prioritized', 'failed'];

/**
 * The configured shards, and those beyond that hold batches: of a time with more of them, or of collectors that have more. What lies there was
 * confirmed like everything else.
 * @param configured INGEST_SHARDS
 */
export async function shardsInUse(redis: Redis, configured: number): Promise<number[]> {
  const all = Array.from({ length: MAX_SHARDS }, (_, shard) => shard);
  const held = await Promise.all(all.map(async (shard) => shard < configured || (await holdsBatches(redis, shard))));
  return all.filter((shard) => held[shard]);
}

async function holdsBatches(redis: Redis, shard: number): Promise<boolean> {
  return (await redis.exists(...STATES.map((state) => `${shardPrefix(shard)}:${BATCH_QUEUE}:${state}`))) > 0;
}
