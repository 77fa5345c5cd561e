import { scheduleSends } from '../outbox.ts';
import { digestDue } from './channel-clock.ts';
import type { Channel } from './channels.ts';
import type { Delivery } from './deliveries.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import { digestIdOf } from './grouping.ts';

/** A row that a slow process writes after its digest was made goes into the next one: this long is waited for it. */
const SETTLE_MS = 5_000;

/**
 * Sends each channel what its budgets kept back, in one message at its hour of the day. The message is named by channel and date,
 * and what travels in it is written down first: a second turn, here or elsewhere, finds it made.
 */
export async function sendDigests(parts: DeliveryParts, nowMs: number): Promise<void> {
  const waiting = await parts.deliveries.digestChannels();
  if (waiting.size === 0) return;
  for (const channel of await parts.channels.list()) {
    if (channel.enabled && waiting.has(channel.channel_id)) await sendDigest(parts, channel, nowMs);
  }
}

async function sendDigest(parts: DeliveryParts, channel: Channel, nowMs: number): Promise<void> {
  const due = digestDue(nowMs - SETTLE_MS, channel.routing, parts.settings.digestHour);
  const messageId = digestIdOf(channel.channel_id, due.date);
  const rows = await parts.deliveries.forDigest(channel.channel_id, due.atMs);
  if (rows.length === 0 || (await parts.deliveries.hasMessage(channel.channel_id, messageId))) return;
  await parts.deliveries.write(
    rows.map((row): Delivery => ({ ...row, status: 'waiting', message_id: messageId, version: row.version + 1 })),
  );
  await scheduleSends(parts.queue, [{ messageId, channelId: channel.channel_id, dueMs: 0 }]);
}
