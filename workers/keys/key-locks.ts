import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from '../../ingest/redis.ts';

/** A writer that was killed keeps others from its keys for this long. */
const LOCK_MS = 20_000;
const RETRY_MS = 40;

const RELEASE = `for _, key in ipairs(KEYS) do
  if redis.call('get', key) == ARGV[1] then redis.call('del', key) end
end`;

/** How many of the keys are still locked by their owner, for a full term from now. */
const RENEW = `local held = 0
for _, key in ipairs(KEYS) do
  if redis.call('get', key) == ARGV[1] then
    redis.call('pexpire', key, ARGV[2])
    held = held + 1
  end
end
return held`;

/** Locks on keys, held together. */
export interface HeldLocks {
  /** The keys that could be locked, in the order asked for. */
  keyIds: string[];
  /** Extends the locks; false when one has passed to another meanwhile, and nothing may be written any more. */
  renew(): Promise<boolean>;
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
    renew: async () => (await redis.eval(RENEW, held.size, ...[...held].map(lockOf), owner, LOCK_MS)) === held.size,
    release: async () => {
      if (held.size > 0) await redis.eval(RELEASE, held.size, ...[...held].map(lockOf), owner);
    },
  };
}
