import { underLease } from '../../lease.ts';
import { type Alarm, DELIVERY_PREFIX, scheduleSends, withoutJob } from '../outbox.ts';
import { readAlertEvents, unroutedEvents } from './deliveries.ts';
import { backlogSeconds, digestSize, relayed } from './delivery-metrics.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import { relayKeyEvents } from './key-event-deliveries.ts';
import { releaseHeld } from './release-held.ts';
import { relaunch, routeEvents } from './route-events.ts';

const RUNNING = `${DELIVERY_PREFIX}:relay`;
/** Events and deliveries of one turn; what is more waits for the next. */
const MAX_EVENTS = 500;
const MAX_DELIVERIES = 5_000;

/**
 * The net under delivery: routes events whose hand-over was lost, releases what quiet hours held, and sets the alarms of messages
 * again whose jobs are gone. Everything it does is known by id, so a turn that meets the ordinary way, or another turn, repeats
 * nothing.
 */
export async function relay(parts: DeliveryParts): Promise<void> {
  // One turn at a time: on a machine that is behind, turns that overlap would only make it later. A dead one is not waited for.
  await underLease(parts.redis, RUNNING, 2 * parts.settings.lockMs, () => turn(parts));
}

async function turn(parts: DeliveryParts): Promise<void> {
  const settledMs = Date.now() - parts.settings.settleMs;
  const events = await unroutedEvents(parts.store, settledMs, MAX_EVENTS);
  await routeEvents(parts, events);
  relayed.inc({ what: 'event' }, events.length);
  relayed.inc({ what: 'key_event' }, await relayKeyEvents(parts, settledMs));
  await releaseHeld(parts, MAX_DELIVERIES);
  await wakeWaiting(parts, settledMs);
  const { oldest_seconds, digest } = await parts.deliveries.backlog();
  backlogSeconds.set(oldest_seconds);
  digestSize.set(digest);
}

/** Sets the alarms of messages again whose jobs are gone, and lets deliveries join that never did. */
async function wakeWaiting(parts: DeliveryParts, settledMs: number): Promise<void> {
  const waiting = await parts.deliveries.waiting(settledMs - parts.settings.waits.normalMs, MAX_DELIVERIES);
  const unbound = waiting.filter((delivery) => delivery.message_id === '');
  const joined = await parts.groups.joinedMessages(unbound.map((delivery) => delivery.delivery_id));
  const strays = unbound.filter((delivery) => !joined.has(delivery.delivery_id));
  await relaunch(parts, strays, await readAlertEvents(parts.store, strays));
  const alarms = new Map<string, Alarm>();
  for (const { delivery_id, message_id, channel_id: channelId, next_attempt_at: next } of waiting) {
    const messageId = message_id || joined.get(delivery_id);
    if (messageId) alarms.set(messageId, { messageId, channelId, dueMs: next === null ? 0 : Date.parse(next) });
  }
  const silent = await withoutJob(parts.queue, parts.redis, [...alarms.values()]);
  await scheduleSends(parts.queue, silent);
}
