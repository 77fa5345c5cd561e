import type { RegisteredKey } from '../../keys/key.ts';
import type { AlertEvent } from '../alert.ts';
import type { AlertMessage, AlertNotice, NoticeKey } from '../channels/channel.ts';
import { ownerOf } from './channel-routing.ts';
import type { Channel } from './channels.ts';
import type { Delivery } from './deliveries.ts';
import { type Member, messageKindOf, reasonOf, strongestFirst } from './grouping.ts';

/** Alerts that a digest names; the rest is a number. */
export const MAX_DIGEST_NOTICES = 100;

/** The message of deliveries, the same for every attempt. */
export function alertMessage(
  messageId: string,
  channel: Channel,
  rows: readonly Delivery[],
  events: ReadonlyMap<string, AlertEvent>,
  keys: ReadonlyMap<string, RegisteredKey>,
): AlertMessage {
  const members = strongestFirst(
    rows.flatMap((row): Member[] => {
      const event = events.get(row.event_id);
      return event ? [{ delivery_id: row.delivery_id, event }] : [];
    }),
  );
  const digest = messageKindOf(messageId) === 'dig';
  const named = digest ? members.slice(0, MAX_DIGEST_NOTICES) : members;
  const owners = named.map(({ event }) => ownerOf(channel, keys.get(event.key_id))).filter((owner) => owner !== '');
  return {
    messageId,
    reason: digest ? 'digest' : reasonOf(members),
    notices: named.map(({ event }) => noticeOf(event, keys.get(event.key_id))),
    threadId: digest ? messageId : (rows.find((row) => row.thread_id !== '')?.thread_id ?? messageId),
    // A digest names keys of several owners: it goes to the channel's own recipients.
    ownerEmails: digest ? [] : [...new Set(owners)],
    omitted: members.length - named.length,
  };
}

function noticeOf(event: AlertEvent, key: RegisteredKey | undefined): AlertNotice {
  const openedAtMs = event.state.openedAtMs ?? null;
  return {
    event,
    openedAt: openedAtMs === null ? event.at : new Date(openedAtMs).toISOString(),
    key: key ? noticeKey(key) : null,
  };
}

function noticeKey(key: RegisteredKey): NoticeKey {
  const { key_id, name, prefix, organization_id, environment, owner_name, owner_email } = key;
  return { key_id, name, prefix, organization_id, environment, owner_name, owner_email };
}

/** A key event as the platform that owns the key is told of it. */
export function keyEventMessage(
  messageId: string,
  event: { type: string; at: string; key_id: string; organization_id: string; data: string },
  key: RegisteredKey | undefined,
): AlertMessage {
  const { type, at, key_id, organization_id } = event;
  const data = { key_id, organization_id, ...(JSON.parse(event.data) as Record<string, unknown>) };
  return {
    messageId,
    reason: 'key_event',
    notices: [],
    threadId: messageId,
    ownerEmails: [],
    keyEvent: { type, at, data, key: key ? noticeKey(key) : null },
    omitted: 0,
  };
}

/** What the button "send test" sends. */
export function testMessage(messageId: string): AlertMessage {
  return { messageId, reason: 'test', notices: [], threadId: messageId, ownerEmails: [], omitted: 0 };
}
