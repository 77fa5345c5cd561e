import type { Store } from '../../clickhouse/store.ts';
import type { KeyEventType } from '../../keys/events.ts';
import { scheduleSends } from '../outbox.ts';
import { keyEventChannelsFor } from './channel-routing.ts';
import type { Channel } from './channels.ts';
import type { Delivery } from './deliveries.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import { deliveryIdOf, keyEventMessageIdOf } from './grouping.ts';

/** A row of `key_events`. */
export interface KeyEventRow {
  id: string;
  at: string;
  key_id: string;
  organization_id: string;
  type: KeyEventType;
  data: string;
}

/** Key events that one turn of the relay looks at, per channel. */
const RELAY_EVENTS = 1_000;

/**
 * Tells the platforms that own the keys what happened to them: one message per event and channel, not gathered. Events of one key
 * can arrive in another order than they happened, because each is retried by itself; `timestamp` and `version` tell the order.
 */
export async function deliverKeyEvents(
  parts: DeliveryParts,
  refs: readonly { id: string; key_id: string }[],
): Promise<void> {
  const channels = (await parts.channels.list()).filter((channel) => channel.purpose === 'key_events');
  if (channels.length === 0 || refs.length === 0) return;
  const events = await parts.store.queryWriter<KeyEventRow>(
    'SELECT * FROM key_events FINAL WHERE key_id IN {key_ids:Array(String)} AND id IN {ids:Array(String)}',
    { key_ids: [...new Set(refs.map((ref) => ref.key_id))], ids: refs.map((ref) => ref.id) },
  );
  await deliverTo(parts, channels, events);
}

async function deliverTo(parts: DeliveryParts, channels: readonly Channel[], events: readonly KeyEventRow[]) {
  const present = await parts.deliveries.ofEvents(events.map((event) => event.id));
  const known = new Set(present.map((delivery) => delivery.delivery_id));
  const now = new Date().toISOString();
  const fresh = events.flatMap((event) =>
    keyEventChannelsFor(event, channels)
      .map((channel) => deliveryOf(event, channel.channel_id, now))
      .filter((delivery) => !known.has(delivery.delivery_id)),
  );
  await parts.deliveries.write(fresh);
  await scheduleSends(
    parts.queue,
    fresh.map(({ message_id, channel_id }) => ({ messageId: message_id, channelId: channel_id, dueMs: 0 })),
  );
}

function deliveryOf(event: KeyEventRow, channelId: string, now: string): Delivery {
  const deliveryId = deliveryIdOf(event.id, channelId);
  return {
    delivery_id: deliveryId,
    event_id: event.id,
    alert_key: '',
    alert_id: '',
    channel_id: channelId,
    organization_id: event.organization_id,
    key_id: event.key_id,
    kind: event.type,
    notify: '',
    message_id: keyEventMessageIdOf(deliveryId),
    thread_id: '',
    status: 'waiting',
    reason: '',
    attempts: 0,
    response_status: 0,
    event_at: event.at,
    created_at: now,
    next_attempt_at: null,
    sent_at: null,
    version: 1,
  };
}

export async function readKeyEvent(store: Store, keyId: string, id: string): Promise<KeyEventRow | undefined> {
  const [row] = await store.queryWriter<KeyEventRow>(
    'SELECT * FROM key_events FINAL WHERE key_id = {key_id:String} AND id = {id:String}',
    { key_id: keyId, id },
  );
  return row;
}

/** The net under the hand-over: events since a channel was made, three days at most, that it was not told of. */
export async function relayKeyEvents(parts: DeliveryParts, beforeMs: number): Promise<number> {
  let found = 0;
  for (const channel of await parts.channels.list()) {
    if (channel.purpose !== 'key_events' || !channel.enabled) continue;
    const { organizations = [], event_types: types = [], key_ids: keyIds = [] } = channel.routing;
    const events = await parts.store.queryWriter<KeyEventRow>(
      `SELECT * FROM key_events FINAL
       WHERE at > now() - INTERVAL 3 DAY AND at >= fromUnixTimestamp64Milli({since:Int64}) AND at < fromUnixTimestamp64Milli({before:Int64})
         AND (empty({organizations:Array(String)}) OR has({organizations:Array(String)}, organization_id))
         AND (empty({types:Array(String)}) OR has({types:Array(String)}, type))
         AND (empty({key_ids:Array(String)}) OR has({key_ids:Array(String)}, key_id))
         AND id NOT IN (SELECT event_id FROM deliveries WHERE channel_id = {channel_id:String} AND created_at > now() - INTERVAL 4 DAY)
       ORDER BY at, id LIMIT ${RELAY_EVENTS}`,
      {
        since: Date.parse(channel.created_at),
        before: beforeMs,
        organizations: channel.organization_id === '' ? organizations : [channel.organization_id],
        types,
        key_ids: keyIds,
        channel_id: channel.channel_id,
      },
    );
    await deliverTo(parts, [channel], events);
    found += events.length;
  }
  return found;
}
