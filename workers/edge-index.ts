import type { Logger } from '../ingest/logger.ts';
import type { Redis } from '../ingest/redis.ts';
import { INDEX_BUILT_KEY } from '../ingest/token.ts';
import { ApiDescriptions } from './api-descriptions.ts';
import type { Store } from './clickhouse/store.ts';
import { doubtIndex, isIndexLookDue, lookAgain } from './keys/index-look.ts';
import { pruneKeyIndex } from './keys/prune-index.ts';
import { rebuildKeyIndex } from './keys/rebuild-index.ts';
import { underLease } from './lease.ts';
import { indexEntriesMended } from './metrics.ts';
import { type TimedLook, timedLook } from './timed-look.ts';
import { Tokens } from './tokens.ts';

const LOOK_EVERY_MS = 5_000;
/** Whoever holds it rebuilds; one that was killed is replaced after this time. */
const LOCK_KEY = '{keytally}:index:lock';
const LOCK_MS = 60_000;

/**
 * Fills what the edge reads in Redis from ClickHouse. Tokens come last: who sends with one finds all the rest.
 * @returns entries that Redis lacked or had otherwise
 */
export async function rebuildEdgeIndex(store: Store, redis: Redis): Promise<number> {
  const keys = await rebuildKeyIndex(store, redis);
  const descriptions = await new ApiDescriptions(store, redis).rebuildIndex();
  const tokens = await new Tokens(store, redis).reconcile();
  await redis.set(INDEX_BUILT_KEY, '1');
  return keys + descriptions + tokens;
}

/**
 * Looks whether Redis still has the index, and fills it again when it came back without: empty, or another one. Each hour, and after a change of a
 * key that may not have been stored, it is compared entry by entry.
 */
export function startEdgeIndexWatch(store: Store, redis: Redis, log: Logger): TimedLook {
  return timedLook(LOOK_EVERY_MS, async () => {
    try {
      if ((await redis.exists(INDEX_BUILT_KEY)) === 0) await rebuildOnce(store, redis, log);
      else if (await isIndexLookDue(redis)) await lookOver(store, redis, log);
    } catch (error) {
      log.warn({ err: error }, 'the index of the edge is not rebuilt; the next look tries again');
    }
  });
}

async function rebuildOnce(store: Store, redis: Redis, log: Logger): Promise<void> {
  await underLease(redis, LOCK_KEY, LOCK_MS, async () => {
    log.warn('Redis has lost the index of the edge; it is rebuilt from ClickHouse');
    await rebuildEdgeIndex(store, redis);
    log.info('the index of the edge is rebuilt');
  });
}

async function lookOver(store: Store, redis: Redis, log: Logger): Promise<void> {
  let isDone = false;
  try {
    isDone = await underLease(redis, LOCK_KEY, LOCK_MS, async () => {
      const filled = await rebuildEdgeIndex(store, redis);
      const { pruned, left } = await pruneKeyIndex(store, redis);
      indexEntriesMended.inc(filled + pruned);
      if (filled + pruned > 0)
        log.warn({ filled, pruned }, 'the index of the edge differed from ClickHouse; it is mended');
      if (left > 0) await lookAgain(redis);
    });
  } finally {
    if (!isDone) await doubtIndex(redis).catch(() => undefined);
  }
}
