import type { Queue } from 'bullmq';
import type { Redis } from '../../../ingest/redis.ts';
import type { Store } from '../../clickhouse/store.ts';
import { type DeliveryJob, scheduleSends } from '../outbox.ts';
import { forgetArrivedParts } from './arrived-parts.ts';
import { Deliveries, type Delivery } from './deliveries.ts';

/** Messages that one request sends again at most. */
export const MAX_REPLAYED_MESSAGES = 1_000;

export interface Replayed {
  messages: number;
  deliveries: number;
}

/**
 * Sends messages again, whole and under their old ids: a receiver that has seen one knows it again. The retry table starts anew.
 * @param rows deliveries that were sent or failed
 */
export async function replay(
  { store, redis, queue }: { store: Store; redis: Redis; queue: Queue<DeliveryJob> },
  rows: readonly Delivery[],
): Promise<Replayed> {
  const messages = new Map(rows.filter((row) => row.message_id !== '').map((row) => [row.message_id, row.channel_id]));
  const deliveries = new Deliveries(store);
  let count = 0;
  for (const [messageId, channelId] of [...messages].slice(0, MAX_REPLAYED_MESSAGES)) {
    const members = await deliveries.ofMessage(channelId, messageId, []);
    const again = members.filter(({ status }) => status === 'failed' || status === 'sent').map(anew);
    await deliveries.write(again);
    await forgetArrivedParts(redis, messageId);
    await scheduleSends(queue, [{ messageId, channelId, dueMs: 0 }]);
    count += again.length;
  }
  return { messages: Math.min(messages.size, MAX_REPLAYED_MESSAGES), deliveries: count };
}

const anew = (row: Delivery): Delivery => ({
  ...row,
  status: 'waiting',
  reason: 'replayed',
  attempts: 0,
  response_status: 0,
  next_attempt_at: null,
  sent_at: null,
  version: row.version + 1,
});
