import type { Redis } from '../../../ingest/redis.ts';
import { writeAudit } from '../../keys/audit.ts';
import type { AlertEvent } from '../alert.ts';
import { storedEvents, writeAlertEvents } from '../evaluation/event-store.ts';
import { DELIVERY_PREFIX, handOver } from '../outbox.ts';
import { changeChannel } from './channel-change.ts';
import { type GivenUp, givenUpNotice, switchedOffNotice } from './channel-notice.ts';
import type { Channel } from './channels.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import type { AfterAttempt } from './retry-table.ts';

/** After this many failed attempts in a row a receiver is called out of order. */
const ATTEMPTS_TO_NOTE = 3;
const KEEP_SECONDS = 7 * 24 * 60 * 60;

const problemKey = (channelId: string): string => `${DELIVERY_PREFIX}:problem:${channelId}`;
const givenUpKey = (channelId: string): string => `${DELIVERY_PREFIX}:given-up:${channelId}`;

/** Why channels cannot deliver at present, by id; those that can are absent. */
export async function channelProblems(redis: Redis, channelIds: readonly string[]): Promise<Map<string, string>> {
  if (channelIds.length === 0) return new Map();
  const problems = await redis.mget(channelIds.map(problemKey));
  return new Map(channelIds.flatMap((id, at) => (problems[at] ? [[id, problems[at]]] : [])));
}

/** A changed channel starts without a problem, and so does one that delivered. */
export async function forgetProblem(redis: Redis, channelId: string): Promise<void> {
  await redis.del(problemKey(channelId), givenUpKey(channelId));
}

/** What follows from an attempt for its channel: a problem is shown and logged once, not with every message. */
export async function noteOutcome(
  parts: DeliveryParts,
  channel: Channel,
  next: AfterAttempt,
  attempts: number,
): Promise<void> {
  if (next.status === 'sent') return forgetProblem(parts.redis, channel.channel_id);
  if (next.status === 'failed' && next.channel === 'disable') return switchOff(parts, channel, next.reason);
  if (next.status === 'retrying' && attempts < ATTEMPTS_TO_NOTE) return;
  const key = problemKey(channel.channel_id);
  if ((await parts.redis.set(key, next.reason, 'EX', KEEP_SECONDS, 'NX')) !== 'OK') return;
  const { channel_id, name, type } = channel;
  parts.log.warn({ channel_id, channel: name, type, reason: next.reason }, 'a channel cannot deliver');
}

/** Switches a channel off because its receiver asked for it, and tells the other channels of its organization. */
async function switchOff(parts: DeliveryParts, channel: Channel, reason: string): Promise<void> {
  const changed = await changeChannel(parts, channel.channel_id, (present) =>
    present.enabled ? { enabled: false, disabled_reason: reason } : undefined,
  );
  if (!changed?.before.enabled) return;
  const { channel_id: subject, organization_id: organizationId, name } = changed.after;
  parts.log.warn({ channel_id: subject, channel: name, reason }, 'a channel was switched off');
  await writeAudit(parts.store, [
    {
      organizationId,
      actor: 'delivery',
      action: 'channel.disabled',
      subject,
      reason,
      before: { enabled: true },
      after: { enabled: false },
    },
  ]);
  await tellOthers(parts, switchedOffNotice(changed.after, Date.now()));
}

/**
 * Tells the other channels of the organization, or of the platform, that one gave a message up: once until it delivers again. Call
 * it before the failure is written down: after a crash in between the attempt is repeated, and the notice is the same one.
 */
export async function tellGivenUp(
  { redis, store, queue }: Pick<DeliveryParts, 'redis' | 'store' | 'queue'>,
  channel: Channel,
  failure: GivenUp,
): Promise<void> {
  const key = givenUpKey(channel.channel_id);
  if ((await redis.exists(key)) === 1) return;
  const event = givenUpNotice(channel, failure, Date.now());
  if ((await storedEvents(store, [event])).size === 0) await tellOthers({ store, queue }, event);
  await redis.set(key, '1', 'EX', KEEP_SECONDS);
}

async function tellOthers({ store, queue }: Pick<DeliveryParts, 'store' | 'queue'>, event: AlertEvent): Promise<void> {
  await writeAlertEvents(store, [event]);
  await handOver(queue, [event]);
}
