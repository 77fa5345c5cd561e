import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../ingest/problem.ts';
import type { Redis } from '../ingest/redis.ts';
import { keepRenewing } from './keep-renewing.ts';

/** A writer that was killed keeps others from what it locked for this long. */
const LOCK_MS = 20_000;
const RETRY_MS = 40;
/**
 * A writer that lives keeps its locks for as long as the store takes: an insert of 23 s outlasted its lock, the next writer read the version
 * before it, and one of the two changes was gone.
 */
const RENEW_EVERY_MS = LOCK_MS / 4;
/** No longer than this: a call that never returns must not keep others out for good. */
const MAX_RENEWALS = 120;

const RELEASE = `for _, key in ipairs(KEYS) do
  if redis.call('get', key) == ARGV[1] then redis.call('del', key) end
end`;

/** How many of the locks are still their owner's, for a full term from now. */
const RENEW = `local held = 0
for _, key in ipairs(KEYS) do
  if redis.call('get', key) == ARGV[1] then
    redis.call('pexpire', key, ARGV[2])
    held = held + 1
  end
end
return held`;

/** What is locked while it is changed: ClickHouse has no compare-and-set. */
type Locked = 'channel' | 'key' | 'token';

/** One request waits this long for another that changes the same thing. */
export const PATIENCE_MS = 2_000;

/** Locks on several of a kind, held together. */
export interface HeldLocks {
  /** Those that could be locked, in the order asked for. */
  ids: string[];
  /** Extends the locks, as happens by itself while they are held; false when one has passed to another meanwhile, and nothing may be written any more. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * Locks those that are free.
 * @param patienceMs how long to wait for those that are not
 */
export async function lockFree(
  redis: Redis,
  kind: Locked,
  ids: readonly string[],
  patienceMs: number,
): Promise<HeldLocks> {
  const lockOf = (id: string) => `{keytally}:${kind}-lock:${id}`;
  const owner = randomUUID();
  const startedAt = Date.now();
  const held = new Set<string>();
  for (;;) {
    const missing = ids.filter((id) => !held.has(id));
    const pipeline = redis.pipeline();
    for (const id of missing) pipeline.set(lockOf(id), owner, 'PX', LOCK_MS, 'NX');
    const answers = (await pipeline.exec()) ?? [];
    answers.forEach(([error, answer], at) => {
      if (!error && answer === 'OK') held.add(missing[at]!);
    });
    if (held.size === ids.length || Date.now() - startedAt >= patienceMs) break;
    await sleep(RETRY_MS);
  }
  const locks = [...held].map(lockOf);
  const renew = async () => (await redis.eval(RENEW, locks.length, ...locks, owner, LOCK_MS)) === locks.length;
  const stopRenewing = locks.length > 0 ? keepRenewing(renew, RENEW_EVERY_MS, MAX_RENEWALS) : () => {};
  return {
    ids: ids.filter((id) => held.has(id)),
    renew,
    release: async () => {
      stopRenewing();
      if (locks.length > 0) await redis.eval(RELEASE, locks.length, ...locks, owner);
    },
  };
}

/**
 * Changes one thing, one writer at a time.
 * @throws {Problem} 409 when another one changes it for longer than {@link PATIENCE_MS}; what the work throws
 */
export async function underLock<T>(redis: Redis, kind: Locked, id: string, work: () => Promise<T>): Promise<T> {
  const locks = await lockFree(redis, kind, [id], PATIENCE_MS);
  try {
    if (locks.ids.length === 0) throw new Problem(409, 'Conflict', `the ${kind} is being changed by another request`);
    return await work();
  } finally {
    await locks.release();
  }
}
