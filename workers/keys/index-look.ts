import type { Redis } from '../../ingest/redis.ts';

/** Redis key: the index of the edge was looked over, and nothing happened since that makes it doubtful. */
const LOOKED_OVER_KEY = '{keytally}:index:looked_over';
/** A writer that was killed between index and store leaves no other trace. */
const LOOK_EVERY_MS = 3_600_000;
/** A look over a million keys takes some 17 s of a processor. */
const LOOK_AGAIN_MS = 300_000;

/** Whether it is time to look the index over; true for one asker of the fleet. */
export async function isIndexLookDue(redis: Redis): Promise<boolean> {
  return (await redis.set(LOOKED_OVER_KEY, '1', 'PX', LOOK_EVERY_MS, 'NX')) === 'OK';
}

/** Has the index looked over soon: it was told of a change of which nobody knows whether it was stored. */
export async function doubtIndex(redis: Redis): Promise<void> {
  await redis.del(LOOKED_OVER_KEY);
}

/** Has the index looked over in five minutes: the last look left something it could not judge yet. */
export async function lookAgain(redis: Redis): Promise<void> {
  await redis.pexpire(LOOKED_OVER_KEY, LOOK_AGAIN_MS);
}
