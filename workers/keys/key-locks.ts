import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from '../../ingest/redis.ts';
import { keepRenewing } from '../keep-renewing.ts';

/** A writer that was killed keeps others from its keys for this long. */
const LOCK_MS = 20_000;
const RETRY_MS = 40;
/**
 * A writer that lives keeps its keys for as long as the store takes: an insert of 23 s outlasted its lock, the next writer read the version
 * before it, and one of the two changes was gone.
 */
const RENEW_EVERY_MS = LOCK_MS / 4;
/** No longer than this: a call that never returns must not keep others from the keys for good. */
const MAX_RENEWALS = 120;

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
  /** Extends the locks, as happens by itself while they are held; false when one has passed to another meanwhile, and nothing may be written any more. */
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
  const locks = [...held].map(lockOf);
  const renew = async () => (await redis.eval(RENEW, locks.length, ...locks, owner, LOCK_MS)) === locks.length;
  const stopRenewing = locks.length > 0 ? keepRenewing(renew, RENEW_EVERY_MS, MAX_RENEWALS) : () => {};
  return {
    keyIds: keyIds.filter((keyId) => held.has(keyId)),
    renew,
    release: async () => {
      stopRenewing();
      if (locks.length > 0) await redis.eval(RELEASE, locks.length, ...locks, owner);
    },
  };
}
