import { createHash } from 'node:crypto';
import type { AlertEvent } from '../alert.ts';
import { isEnd } from '../channels/message/topic.ts';
import type { NotifyReason } from '../state.ts';
import type { RoutedChannel } from './channel-routing.ts';

const identity = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** Identity of (event, channel): routing the same event again makes the same delivery. */
export const deliveryIdOf = (eventId: string, channelId: string): string => identity('delivery', eventId, channelId);

/** What a message is, told by its id: `msg` alerts, `dig` a digest, `evt` a key event. */
export type MessageKind = 'msg' | 'dig' | 'evt';
export const messageKindOf = (messageId: string): MessageKind => messageId.slice(0, 3) as MessageKind;
/** Message that a delivery opens when its group has none open. */
export const messageIdOf = (deliveryId: string): string => `msg_${identity('message', deliveryId)}`;
/** Message of a delivery that cannot leave with its group. */
export const apartMessageIdOf = (deliveryId: string): string => `msg_${identity('apart', deliveryId)}`;
/** @param owner address of the owner whose digest it is; '' = of the channel */
export const digestIdOf = (channelId: string, date: string, owner = ''): string =>
  `dig_${owner === '' ? identity('digest', channelId, date) : identity('digest', channelId, date, owner)}`;
/** A key event travels alone: its message is named by its delivery. */
export const keyEventMessageIdOf = (deliveryId: string): string => `evt_${deliveryId}`;
export const deliveryOfKeyEventMessage = (messageId: string): string => messageId.slice('evt_'.length);

export interface GroupWaits {
  /** Wait for company. */
  normalMs: number;
  /** near_limit below 100 %: people should hear of a crossing within 15 seconds. */
  soonMs: number;
  /** What cannot wait; still long enough that forty keys of one policy run make one message. */
  urgentMs: number;
}

/** How long an event waits for company. */
export function groupWaitMs(event: Pick<AlertEvent, 'kind' | 'evidence'>, waits: GroupWaits): number {
  if (isUrgent(event)) return waits.urgentMs;
  return event.kind === 'near_limit' ? waits.soonMs : waits.normalMs;
}

function isUrgent({ kind, evidence }: Pick<AlertEvent, 'kind' | 'evidence'>): boolean {
  if (kind === 'near_limit') return (evidence.limit?.stepPercent ?? 0) >= 100;
  return kind === 'key_leaked' || kind === 'key_deactivated' || kind === 'key_expired';
}

/**
 * Deliveries of one group that come close together travel in one message: same channel, organization and kind. PagerDuty knows one
 * alert per message; mail to an owner must not show the keys of others.
 */
export function groupOf(event: AlertEvent, channel: RoutedChannel, ownerEmail: string): string {
  const apart = channel.type === 'pagerduty' ? event.alert_id : ownerEmail;
  return identity('group', channel.channel_id, event.organization_id, event.kind, String(isUrgent(event)), apart);
}

/** A member of a message. */
export interface Member {
  delivery_id: string;
  event: AlertEvent;
  /** Why the people of the channel are told of it. */
  notify: NotifyReason | '';
}

const SEVERITIES = ['info', 'warning', 'critical'];
const REASONS: readonly NotifyReason[] = ['resolved', 'repeated', 'flapping', 'opened', 'severity_raised'];

/** Strongest first: what is open before what is over, then by severity, then by time. The same for every attempt. */
export function strongestFirst(members: readonly Member[]): Member[] {
  const open = ({ event }: Member) => Number(!isEnd(event));
  const rank = ({ event }: Member) => SEVERITIES.indexOf(event.severity);
  return members.toSorted(
    (a, b) =>
      open(b) - open(a) ||
      rank(b) - rank(a) ||
      Date.parse(a.event.at) - Date.parse(b.event.at) ||
      (a.delivery_id < b.delivery_id ? -1 : 1),
  );
}

/** Why people are told, of a message with several notices: the strongest of their reasons. Of an acknowledgement they are not told. */
export function reasonOf(members: readonly Member[]): NotifyReason {
  const ranks = members.map(({ notify }) => REASONS.indexOf(notify as NotifyReason));
  return REASONS[Math.max(0, ...ranks)]!;
}
