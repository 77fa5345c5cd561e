import type { Logger } from '../ingest/logger.ts';
import type { Redis } from '../ingest/redis.ts';
import { INDEX_BUILT_KEY } from '../ingest/token.ts';
import { ApiDescriptions } from './api-descriptions.ts';
import type { Store } from './clickhouse/store.ts';
import { Registry } from './keys/registry.ts';
import { underLease } from './lease.ts';
import { type TimedLook, timedLook } from './timed-look.ts';
import { Tokens } from './tokens.ts';

const LOOK_EVERY_MS = 5_000;
/** Whoever holds it rebuilds; one that was killed is replaced after this time. */
const LOCK_KEY = '{keytally}:index:lock';
const LOCK_MS = 60_000;

/** Fills what the edge reads in Redis from ClickHouse. Tokens come last: who sends with one finds all the rest. */
export async function rebuildEdgeIndex(store: Store, redis: Redis): Promise<void> {
  await new Registry(store, redis).rebuildIndex();
  await new ApiDescriptions(store, redis).rebuildIndex();
  await new Tokens(store, redis).reconcile();
  await redis.set(INDEX_BUILT_KEY, '1');
}

/** Looks whether Redis still has the index, and fills it again when it came back without: empty, or another one. */
export function startEdgeIndexWatch(store: Store, redis: Redis, log: Logger): TimedLook {
  return timedLook(LOOK_EVERY_MS, async () => {
    try {
      if ((await redis.exists(INDEX_BUILT_KEY)) === 0) await rebuildOnce(store, redis, log);
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
