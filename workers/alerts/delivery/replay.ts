import type { Queue } from 'bullmq';
import type { Redis } from '../../../ingest/redis.ts';
import type { Store } from '../../clickhouse/store.ts';
import { type DeliveryJob, scheduleSends } from '../outbox.ts';
import { forgetArrivedParts } from './arrived-parts.ts';
import { Deliveries, type Delivery } from './deliveries.ts';
import { apartMessageIdOf } from './grouping.ts';
import { UNTOLD } from './standing.ts';
import { isEndStep, isNewsStep } from './step-fates.ts';

/** Messages that one request sends again at most; the ends that follow them come on top. */
export const MAX_REPLAYED_MESSAGES = 1_000;

export interface Replayed {
  messages: number;
  deliveries: number;
}

/**
 * Sends messages again, whole and under their old ids: a receiver that has seen one knows it again. The retry table starts anew.
 * An alert that has ended meanwhile does not stay open at the receiver: its end follows, also one that was not told before.
 * @param rows deliveries that were sent or failed
 */
export async function replay(
  { store, redis, queue }: { store: Store; redis: Redis; queue: Queue<DeliveryJob> },
  rows: readonly Delivery[],
): Promise<Replayed> {
  const named = new Map(rows.filter((row) => row.message_id !== '').map((row) => [row.message_id, row.channel_id]));
  const messages = new Map([...named].slice(0, MAX_REPLAYED_MESSAGES));
  const deliveries = new Deliveries(store);
  let count = 0;
  // Ends that are met on the way are appended, and so are written down after what they end.
  for (const [messageId, channelId] of messages) {
    const members = (await deliveries.ofMessage(channelId, messageId, [])).filter(isOver);
    const ends = await endsOf(deliveries, channelId, members);
    for (const end of ends.filter(isOver)) messages.set(end.message_id, channelId);
    const untold = ends
      .filter(({ status, reason }) => status === 'dropped' && reason === UNTOLD)
      .map((end) => ({ ...end, message_id: apartMessageIdOf(end.delivery_id) }));
    await deliveries.write([...members, ...untold].map(anew));
    for (const end of untold) messages.set(end.message_id, channelId);
    count += members.length + untold.length;
  }
  // Not before all is written down: a job that runs earlier would not know that there is something to wait for.
  for (const messageId of messages.keys()) await forgetArrivedParts(redis, messageId);
  await scheduleSends(
    queue,
    [...messages].map(([messageId, channelId]) => ({ messageId, channelId, dueMs: 0 })),
  );
  return { messages: messages.size, deliveries: count };
}

const isOver = ({ status }: Delivery): boolean => status === 'failed' || status === 'sent';

/** Ends of the alerts whose openings, raises or repeats are among these. */
async function endsOf(deliveries: Deliveries, channelId: string, members: readonly Delivery[]): Promise<Delivery[]> {
  const news = members.filter((row) => isNewsStep(row));
  if (news.length === 0) return [];
  const steps = await deliveries.ofAlerts([channelId], [...new Set(news.map((row) => row.alert_id))]);
  return steps.filter((row) => isEndStep(row) && row.message_id !== members[0]!.message_id);
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
