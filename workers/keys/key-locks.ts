import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** A writer that was killed keeps others from its keys for this long. */
const LOCK_MS = 15_000;
/** A reader that took longer than this must not write any more: the lock may pass to another. */
const MAX_HELD_MS = 10_000;
const RETRY_MS = 40;

const RELEASE = `for _, key in ipairs(KEYS) do
  if redis.call('get', key) == ARGV[1] then redis.call('del', key) end
end`;

/** Locks on keys, held together. */
export interface HeldLocks {
  /** The keys that could be locked, in the order asked for. */
  keyIds: string[];
  /** Whether it is still safe to write. */
  fresh(): boolean;
  release(): Promise<void>;
}

const lockOf = (keyId: string) => `{keytally}:key-lock:${keyId}`;

/**
 * Locks the keys that are free.
 * @param patienceMs how long to wait for those that are not
 */
export async function lockKeys(redis: Redis, keyIds: readonly string[], patienceMs: number): Promise<HeldLocks> {
  const owner = randomUUID();
  const startedAt = Date.now();
  const held = new Set<string>();
  for (;;) {
    const missing = keyIds.filter((keyId) => !held.has(keyId));
    const pipeline = redis.pipeline();
    for (const keyId of missing) pipeline.set(lockOf(keyId), owner, 'PX', LOCK_MS, 'NX');
    const answers = (await pipeline.exec()) ?? [];
    answers.forEach(([error, answer], at) => {
      if (!error && answer === 'OK') held.add(missing[at]!);
    });
    if (held.size === keyIds.length || Date.now() - startedAt >= patienceMs) break;
    await sleep(RETRY_MS);
  }
  return {
    keyIds: keyIds.filter((keyId) => held.has(keyId)),
    fresh: () => Date.now() - startedAt < MAX_HELD_MS,
    release: async () => {
      if (held.size > 0) await redis.eval(RELEASE, held.size, ...[...held].map(lockOf), owner);
    },
  };
}
