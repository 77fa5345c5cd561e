import type { RegisteredKey } from '../../keys/key.ts';
import type { AlertEvent } from '../alert.ts';
import { silencedUntil } from '../silence-matching.ts';
import { readSilences } from '../silence-reader.ts';
import { type ReadCounted, spendBudget } from './budgets.ts';
import { acknowledgedIn, channelsFor, hasRecipient } from './channel-routing.ts';
import type { Channel } from './channels.ts';
import { countedDeliveries } from './counted-deliveries.ts';
import { type Delivery, unroutedOfAlert } from './deliveries.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import { deliveryIdOf } from './grouping.ts';
import { type Launch, launch } from './launch.ts';
import {
  followsOpening,
  type HeardOpening,
  isAcknowledgement,
  isBudgeted,
  reasonIn,
  reasonToDrop,
  type Standing,
  standingOf,
} from './standing.ts';

/**
 * Decides which channels hear of events, writes that down, and starts their messages. An event that was routed keeps its
 * decision; what a crash left undone after it is done now.
 */
export async function routeEvents(parts: DeliveryParts, events: readonly AlertEvent[]): Promise<void> {
  const present = await parts.deliveries.ofEvents(events.map((event) => event.event_id));
  const routed = new Set(present.map((delivery) => delivery.event_id));
  await relaunch(
    parts,
    present.filter(({ status, message_id }) => status === 'waiting' && message_id === ''),
    new Map(events.map((event) => [event.event_id, event])),
  );
  const fresh = events.filter((event) => !routed.has(event.event_id));
  const news = fresh.filter((event) => !followsOpening(event));
  await routeBatch(parts, await withEarlier(parts, news));
  // The end of an alert goes where its opening went: that one is routed first, also when its job is still to come.
  const following = fresh.filter(followsOpening);
  for (const { alert_key, alert_id } of following)
    await routeBatch(parts, await unroutedOfAlert(parts.store, alert_key, alert_id));
  await routeBatch(parts, following);
}

/** A raise is one only to those who heard of the opening: that is routed with it, also when its job is still to come. */
async function withEarlier({ store }: DeliveryParts, events: readonly AlertEvent[]): Promise<AlertEvent[]> {
  const all = new Map(events.map((event) => [event.event_id, event]));
  for (const { notify, alert_key, alert_id } of events) {
    const earlier = notify === 'opened' ? [] : await unroutedOfAlert(store, alert_key, alert_id);
    for (const event of earlier) all.set(event.event_id, event);
  }
  return [...all.values()];
}

/** Starts stored deliveries again. A channel that was removed in between gets nothing. */
export async function relaunch(
  parts: DeliveryParts,
  deliveries: readonly Delivery[],
  events: ReadonlyMap<string, AlertEvent>,
): Promise<void> {
  if (deliveries.length === 0) return;
  const channels = new Map((await parts.channels.list()).map((channel) => [channel.channel_id, channel]));
  const keys = await keysOf(
    parts,
    deliveries.map((delivery) => delivery.key_id),
  );
  const launches: Launch[] = [];
  const lost: Delivery[] = [];
  for (const delivery of deliveries) {
    const event = events.get(delivery.event_id);
    const channel = channels.get(delivery.channel_id);
    if (!channel) lost.push({ ...delivery, status: 'failed', reason: LOST, version: delivery.version + 1 });
    // An event that is not read, from a replica that lags, is read by the next turn of the relay.
    else if (event) launches.push({ delivery, event, channel, key: keys.get(event.key_id) });
  }
  await parts.deliveries.write(lost);
  await launch(parts, launches);
}

const LOST = 'the channel was removed';

async function routeBatch(parts: DeliveryParts, events: readonly AlertEvent[]): Promise<void> {
  if (events.length === 0) return;
  const nowMs = Date.now();
  const channels = await parts.channels.list();
  const silences = await readSilences(parts.store, nowMs, nowMs);
  const keys = await keysOf(
    parts,
    events.map((event) => event.key_id),
  );
  const rows: Delivery[] = [];
  const launches: Launch[] = [];
  for (const event of oldestFirst(events)) {
    const key = keys.get(event.key_id);
    const openings = await openingsOf(parts, event, rows);
    const invited = followsOpening(event) ? openings : NO_OPENINGS;
    const hearing = channelsFor(event, channels, invited).filter((channel) => hasRecipient(channel, key));
    const targets = isAcknowledgement(event) ? acknowledgedIn(hearing) : hearing;
    const silenced = silencedUntil(event, silences, nowMs) !== undefined;
    for (const channel of targets) {
      const opening = openings.get(channel.channel_id) ?? 'no';
      const standing = await decide(parts, event, channel, { silenced, opening, nowMs });
      const delivery = deliveryOf(event, channel.channel_id, { standing, opening }, nowMs);
      rows.push(delivery);
      if (delivery.status === 'waiting') launches.push({ delivery, event, channel, key });
    }
    if (targets.length === 0) rows.push(deliveryOf(event, '', { standing: NOBODY, opening: 'no' }, nowMs));
  }
  await parts.deliveries.write(rows);
  await launch(parts, launches);
}

const oldestFirst = (events: readonly AlertEvent[]): AlertEvent[] =>
  events.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));

/** What became of the opening in the channels, also by rows that are still to be written. An opening itself follows none. */
async function openingsOf(
  { deliveries }: DeliveryParts,
  { alert_id, notify }: AlertEvent,
  unwritten: readonly Delivery[],
): Promise<ReadonlyMap<string, HeardOpening>> {
  if (notify === 'opened') return NO_OPENINGS;
  const openings = new Map(await deliveries.openingsOf(alert_id));
  for (const row of unwritten.filter((one) => one.alert_id === alert_id)) {
    if (row.status === 'waiting') openings.set(row.channel_id, 'told');
    else if (row.status === 'held' && openings.get(row.channel_id) !== 'told') openings.set(row.channel_id, 'held');
  }
  return openings;
}

const NO_OPENINGS: ReadonlyMap<string, HeardOpening> = new Map();
const NOBODY: Standing = { status: 'dropped', reason: 'no channel hears it' };

async function decide(
  { redis, store }: DeliveryParts,
  event: AlertEvent,
  channel: Channel,
  { silenced, opening, nowMs }: { silenced: boolean; opening: HeardOpening; nowMs: number },
): Promise<Standing> {
  const reason = reasonToDrop(event, { silenced, opening });
  if (reason !== undefined) return { status: 'dropped', reason };
  const readCounted: ReadCounted = (its, day: string) => countedDeliveries(store, its, day);
  const overBudget = isBudgeted(event, channel) ? await spendBudget({ redis, readCounted }, event, channel) : undefined;
  return standingOf(event, channel.routing, { opening, overBudget, nowMs });
}

function deliveryOf(
  event: AlertEvent,
  channelId: string,
  { standing, opening }: { standing: Standing; opening: HeardOpening },
  nowMs: number,
): Delivery {
  return {
    delivery_id: deliveryIdOf(event.event_id, channelId),
    event_id: event.event_id,
    alert_key: event.alert_key,
    alert_id: event.alert_id,
    channel_id: channelId,
    organization_id: event.organization_id,
    key_id: event.key_id,
    kind: event.kind,
    notify: reasonIn(event, opening),
    message_id: '',
    thread_id: '',
    status: standing.status,
    reason: standing.status === 'waiting' ? '' : standing.reason,
    attempts: 0,
    response_status: 0,
    event_at: event.at,
    created_at: new Date(nowMs).toISOString(),
    next_attempt_at: standing.status === 'held' ? new Date(standing.untilMs).toISOString() : null,
    sent_at: null,
    version: 1,
  };
}

/** Keys by id; '' (the whole platform) is none. */
export async function keysOf(
  { store }: Pick<DeliveryParts, 'store'>,
  keyIds: readonly string[],
): Promise<Map<string, RegisteredKey>> {
  const wanted = [...new Set(keyIds)].filter((keyId) => keyId !== '');
  if (wanted.length === 0) return new Map();
  const rows = await store.queryWriter<RegisteredKey>(
    'SELECT * FROM keys FINAL WHERE key_id IN {key_ids:Array(String)}',
    { key_ids: wanted },
  );
  return new Map(rows.map((row) => [row.key_id, row]));
}
