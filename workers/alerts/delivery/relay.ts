import { scheduleSend } from '../outbox.ts';
import { type Delivery, readAlertEvents, unroutedEvents } from './deliveries.ts';
import { backlogSeconds, digestSize, relayed } from './delivery-metrics.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import { relayKeyEvents } from './key-event-deliveries.ts';
import { relaunch, routeEvents } from './route-events.ts';

/** Events and deliveries of one turn; what is more waits for the next. */
const MAX_EVENTS = 500;
const MAX_DELIVERIES = 5_000;

/**
 * The net under delivery: routes events whose hand-over was lost, releases what quiet hours held, and sets the alarms of messages
 * again whose jobs are gone. Everything it does is known by id, so a turn that meets the ordinary way, or another turn, repeats
 * nothing.
 */
export async function relay(parts: DeliveryParts): Promise<void> {
  const settledMs = Date.now() - parts.settings.settleMs;
  const events = await unroutedEvents(parts.store, settledMs, MAX_EVENTS);
  await routeEvents(parts, events);
  relayed.inc({ what: 'event' }, events.length);
  relayed.inc({ what: 'key_event' }, await relayKeyEvents(parts, settledMs));
  await releaseHeld(parts);
  await wakeWaiting(parts, settledMs);
  const { oldest_seconds, digest } = await parts.deliveries.backlog();
  backlogSeconds.set(oldest_seconds);
  digestSize.set(digest);
}

async function releaseHeld(parts: DeliveryParts): Promise<void> {
  const held = await parts.deliveries.heldUntil(Date.now(), MAX_DELIVERIES);
  const released = held.map(
    (delivery): Delivery => ({
      ...delivery,
      status: 'waiting',
      reason: '',
      next_attempt_at: null,
      version: delivery.version + 1,
    }),
  );
  await parts.deliveries.write(released);
  await relaunch(parts, released, await readAlertEvents(parts.store, released));
}

async function wakeWaiting(parts: DeliveryParts, settledMs: number): Promise<void> {
  const waiting = await parts.deliveries.waiting(settledMs - parts.settings.waits.normalMs, MAX_DELIVERIES);
  const unbound = waiting.filter((delivery) => delivery.message_id === '');
  await relaunch(parts, unbound, await readAlertEvents(parts.store, unbound));
  const messages = new Map(waiting.filter(({ message_id }) => message_id !== '').map((row) => [row.message_id, row]));
  for (const [messageId, { channel_id: channelId, next_attempt_at: next }] of messages) {
    const delayMs = next === null ? 0 : Date.parse(next) - Date.now();
    await scheduleSend(parts.queue, { messageId, channelId }, delayMs);
  }
}
