import type { RegisteredKey } from '../../keys/key.ts';
import { scheduleSends } from '../outbox.ts';
import { digestDue } from './channel-clock.ts';
import { hasOwnRecipient, ownerOf } from './channel-routing.ts';
import type { Channel } from './channels.ts';
import type { Delivery } from './deliveries.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import { digestIdOf } from './grouping.ts';
import { keysOf } from './route-events.ts';
import { NOBODY_TO_WRITE_TO } from './standing.ts';

/** A row that a slow process writes after its digest was made goes into the next one: this long is waited for it. */
const SETTLE_MS = 5_000;

/**
 * Sends each channel what its budgets kept back, in one message at its hour of the day. The message is named by channel and date (and
 * owner), and what travels in it is written down first: a second turn, here or elsewhere, finds it made.
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
  const rows = await parts.deliveries.forDigest(channel.channel_id, due.atMs);
  if (rows.length === 0) return;
  const keyIds = hasOwnRecipient(channel) ? [] : rows.map((row) => row.key_id);
  const bound = digestRows(channel, due.date, rows, await keysOf(parts, keyIds));
  const made = new Set(bound.map((row) => row.message_id).filter((messageId) => messageId !== ''));
  const known = await parts.deliveries.knownMessages(channel.channel_id, [...made]);
  const fresh = bound.filter((row) => !known.has(row.message_id));
  await parts.deliveries.write(fresh);
  await scheduleSends(
    parts.queue,
    [...made]
      .filter((messageId) => !known.has(messageId))
      .map((messageId) => ({ messageId, channelId: channel.channel_id, dueMs: 0 })),
  );
}

/**
 * Rows with the digest that each goes into: that of the channel, or of the owner of its key where the channel has no recipients of
 * its own. What nobody can be written about is dropped. Pure.
 */
function digestRows(
  channel: Channel,
  date: string,
  rows: readonly Delivery[],
  keys: ReadonlyMap<string, RegisteredKey>,
): Delivery[] {
  const ofChannel = hasOwnRecipient(channel);
  return rows.map((row): Delivery => {
    const owner = ofChannel ? '' : ownerOf(channel, keys.get(row.key_id)).toLowerCase();
    const next = { ...row, version: row.version + 1 };
    if (!ofChannel && owner === '') return { ...next, status: 'dropped', reason: NOBODY_TO_WRITE_TO };
    return { ...next, status: 'waiting', message_id: digestIdOf(channel.channel_id, date, owner) };
  });
}
