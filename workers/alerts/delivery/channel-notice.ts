/** What the other channels are told of one that does not deliver: pure. */
import { type AlertEvent, alertIdOf, alertKeyOf, eventIdOf } from '../alert.ts';
import { initialState } from '../state.ts';
import type { Channel } from './channels.ts';

const DAY_MS = 86_400_000;

/** Scope of a notice about a channel; that channel does not hear of it. */
export const scopeOfChannel = (channelId: string): string => `channel:${channelId}`;

/** The last attempt at a message that will not be tried again. */
export interface GivenUp {
  attempts: number;
  /** Alerts or changes of keys in the message. */
  notices: number;
  reason: string;
}

export function switchedOffNotice(channel: Channel, atMs: number): AlertEvent {
  const { type, name, disabled_reason } = channel;
  const summary = `The ${type} channel "${name}" was switched off: ${disabled_reason}. What it would tell is not delivered until somebody switches it on again.`;
  return notice(channel, atMs, { what: 'switched off', openedAtMs: channel.version, summary });
}

/** The same notice for everything that is given up on one day, also when nobody remembers that it was told. */
export function givenUpNotice(channel: Channel, { attempts, notices, reason }: GivenUp, atMs: number): AlertEvent {
  const { type, name } = channel;
  const what = notices === 1 ? 'A message' : `A message about ${notices} events`;
  const tries = attempts === 1 ? 'one attempt' : `${attempts} attempts`;
  const summary = `${what} to the ${type} channel "${name}" was given up after ${tries}: ${reason}. Others may follow; once it works again, what failed can be sent again from the list of deliveries.`;
  return notice(channel, atMs, { what: 'given up', openedAtMs: atMs - (atMs % DAY_MS), summary });
}

/** Told like an alert of the platform or organization, but over at once: there is nothing to resolve. */
function notice(
  channel: Channel,
  atMs: number,
  { what, openedAtMs, summary }: { what: string; openedAtMs: number; summary: string },
): AlertEvent {
  const scope = scopeOfChannel(channel.channel_id);
  const alertKey = alertKeyOf('platform', '', scope);
  const at = new Date(atMs).toISOString();
  return {
    event_id: eventIdOf(alertKey, openedAtMs, what),
    alert_key: alertKey,
    alert_id: alertIdOf(alertKey, openedAtMs),
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
    evidence: { summary },
    state: { ...initialState(), phase: 'resolved', severity: 'warning', openedAtMs: atMs, lastAtMs: atMs },
  };
}
