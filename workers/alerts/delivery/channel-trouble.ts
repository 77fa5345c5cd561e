import type { Redis } from '../../../ingest/redis.ts';
import type { Store } from '../../clickhouse/store.ts';
import { writeAudit } from '../../keys/audit.ts';
import { type AlertEvent, alertIdOf, alertKeyOf, eventIdOf } from '../alert.ts';
import { DELIVERY_PREFIX, handOver } from '../outbox.ts';
import { initialState } from '../state.ts';
import { changeChannel } from './channel-change.ts';
import type { Channel } from './channels.ts';
import type { DeliveryParts } from './delivery-parts.ts';
import type { AfterAttempt } from './retry-table.ts';

/** After this many failed attempts in a row a receiver is called out of order. */
const ATTEMPTS_TO_NOTE = 3;
const KEEP_SECONDS = 7 * 24 * 60 * 60;

const problemKey = (channelId: string): string => `${DELIVERY_PREFIX}:problem:${channelId}`;

/** Why channels cannot deliver at present, by id; those that can are absent. */
export async function channelProblems(redis: Redis, channelIds: readonly string[]): Promise<Map<string, string>> {
  if (channelIds.length === 0) return new Map();
  const problems = await redis.mget(channelIds.map(problemKey));
  return new Map(channelIds.flatMap((id, at) => (problems[at] ? [[id, problems[at]]] : [])));
}

/** A changed channel starts without a problem. */
export async function forgetProblem(redis: Redis, channelId: string): Promise<void> {
  await redis.del(problemKey(channelId));
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
  const event = switchedOffEvent(changed.after, Date.now());
  await writeEvent(parts.store, event);
  await handOver(parts.queue, [event]);
}

/** Told like an alert of the platform or organization, but over at once: there is nothing to resolve. */
function switchedOffEvent(channel: Channel, atMs: number): AlertEvent {
  const scope = `channel:${channel.channel_id}`;
  const alertKey = alertKeyOf('platform', '', scope);
  const at = new Date(atMs).toISOString();
  return {
    event_id: eventIdOf(alertKey, channel.version, 'switched off'),
    alert_key: alertKey,
    alert_id: alertIdOf(alertKey, channel.version),
    at,
    recorded_at: at,
    kind: 'platform',
    scope,
    key_id: '',
    organization_id: channel.organization_id,
    environment: '',
    rule_id: '',
    phase: 'resolved',
    severity: 'warning',
    transition: 'opened',
    notify: 'opened',
    withheld: '',
    actor: 'delivery',
    evidence: {
      summary: `The ${channel.type} channel "${channel.name}" was switched off: ${channel.disabled_reason}. What it would tell is not delivered until somebody switches it on again.`,
    },
    state: { ...initialState(), phase: 'resolved', severity: 'warning', openedAtMs: atMs, lastAtMs: atMs },
  };
}

async function writeEvent(store: Store, event: AlertEvent): Promise<void> {
  const { evidence, state, ...plain } = event;
  const row = { ...plain, evidence: JSON.stringify(evidence), state: JSON.stringify(state) };
  await store.insertRows('alert_events', [row]);
}
