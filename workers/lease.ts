import { randomUUID } from 'node:crypto';
import type { Redis } from '../ingest/redis.ts';
import { keepRenewing } from './keep-renewing.ts';

/** Renewals in one term, and at most: work that never returns must not keep others out for good. */
const RENEWALS_PER_TERM = 4;
const MAX_RENEWALS = 240;

const RENEW = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;
const GIVE_UP = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/**
 * Does work that one process of the fleet does at a time, unless another is at it. The lease is renewed while the work lasts, and only its holder
 * gives it up: with a fixed term a slow turn was joined by a second one, and its end let in a third.
 * @param termMs a killed holder keeps the others out for this long
 * @returns whether it was done
 * @throws what the work throws
 */
export async function underLease(
  redis: Redis,
  key: string,
  termMs: number,
  work: () => Promise<void>,
): Promise<boolean> {
  const owner = randomUUID();
  if ((await redis.set(key, owner, 'PX', termMs, 'NX')) !== 'OK') return false;
  const renew = () => redis.eval(RENEW, 1, key, owner, termMs);
  const stopRenewing = keepRenewing(renew, termMs / RENEWALS_PER_TERM, MAX_RENEWALS);
  try {
    await work();
  } finally {
    stopRenewing();
    await redis.eval(GIVE_UP, 1, key, owner);
  }
  return true;
}
