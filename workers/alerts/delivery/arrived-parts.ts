import type { Redis } from '../../../ingest/redis.ts';
import type { DeliveryProgress } from '../channels/channel.ts';
import { DELIVERY_PREFIX } from '../outbox.ts';

/** Longer than a message is tried. */
const KEEP_SECONDS = 5 * 24 * 60 * 60;

/** Which parts of a message have arrived: recipients of a mail, alerts of a group. The next attempt leaves them out. */
export async function arrivedParts(redis: Redis, messageId: string): Promise<DeliveryProgress> {
  const key = `${DELIVERY_PREFIX}:arrived:${messageId}`;
  return {
    delivered: new Set(await redis.smembers(key)),
    onDelivered: async (part) => {
      await redis.multi().sadd(key, part).expire(key, KEEP_SECONDS).exec();
    },
  };
}

/** A replay sends every part again. */
export async function forgetArrivedParts(redis: Redis, messageId: string): Promise<void> {
  await redis.del(`${DELIVERY_PREFIX}:arrived:${messageId}`);
}
