import type { RegisteredKey } from '../../keys/key.ts';
import type { AlertEvent } from '../alert.ts';
import { scheduleSends } from '../outbox.ts';
import { ownerOf } from './channel-routing.ts';
import type { Channel } from './channels.ts';
import type { Delivery } from './deliveries.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import { groupOf, groupWaitMs, messageIdOf } from './grouping.ts';

/** A stored delivery that waits, with what its grouping is decided on. */
export interface Launch {
  delivery: Delivery;
  event: AlertEvent;
  channel: Channel;
  key: RegisteredKey | undefined;
}

/**
 * Puts stored deliveries into the messages of their groups and sets the alarm of each message. The row is there before the
 * delivery joins, so a message that is closed finds all its rows. Repeating it changes nothing.
 */
export async function launch(parts: DeliveryParts, launches: readonly Launch[]): Promise<void> {
  const nowMs = Date.now();
  const messages = new Map<string, { channelId: string; dueMs: number }>();
  for (const { delivery, event, channel, key } of launches) {
    const group = groupOf(event, channel, ownerOf(channel, key));
    const dueMs = nowMs + groupWaitMs(event, parts.settings.waits);
    const id = delivery.delivery_id;
    const joined = await parts.groups.join(group, id, messageIdOf(id), dueMs);
    messages.set(joined.messageId, { channelId: channel.channel_id, dueMs: joined.dueMs });
  }
  await scheduleSends(
    parts.queue,
    [...messages].map(([messageId, alarm]) => ({ messageId, ...alarm })),
  );
}
