import type { RegisteredKey } from '../../keys/key.ts';
import type { AlertEvent } from '../alert.ts';
import type { AlertMessage, AlertNotice, NoticeKey } from '../channels/channel.ts';
import { hasOwnRecipient, ownerOf } from './channel-routing.ts';
import type { Channel } from './channels.ts';
import type { Delivery } from './deliveries.ts';
import { type Member, messageKindOf, reasonOf, strongestFirst } from './grouping.ts';

/** Alerts that a digest names; the rest is a number. */
const MAX_DIGEST_NOTICES = 100;

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
      return event ? [{ delivery_id: row.delivery_id, event, notify: row.notify }] : [];
    }),
  );
  const digest = messageKindOf(messageId) === 'dig';
  return {
    messageId,
    ...partOf(members, keys, digest),
    threadId: digest ? messageId : (rows.find((row) => row.thread_id !== '')?.thread_id ?? messageId),
    // The whole digest goes to the channel's own recipients; only where it has none is there one for each owner.
    owners: (digest && hasOwnRecipient(channel) ? [] : ownersOf(members, channel, keys)).map(({ email, owned }) => ({
      email,
      ...partOf(owned, keys, digest),
    })),
  };
}

type Keys = ReadonlyMap<string, RegisteredKey>;

function partOf(
  members: readonly Member[],
  keys: Keys,
  digest: boolean,
): Pick<AlertMessage, 'reason' | 'notices' | 'omitted'> {
  const named = digest ? members.slice(0, MAX_DIGEST_NOTICES) : members;
  return {
    reason: digest ? 'digest' : reasonOf(members),
    notices: named.map(({ event, notify }) => noticeOf(event, notify, keys.get(event.key_id))),
    omitted: members.length - named.length,
  };
}

/** Owners that are written to, as the keys stand now, each with what concerns their keys. */
function ownersOf(members: readonly Member[], channel: Channel, keys: Keys): { email: string; owned: Member[] }[] {
  const owners = new Map<string, { email: string; owned: Member[] }>();
  for (const member of members) {
    const email = ownerOf(channel, keys.get(member.event.key_id));
    if (email === '') continue;
    const owner = owners.get(email.toLowerCase()) ?? { email, owned: [] };
    owner.owned.push(member);
    owners.set(email.toLowerCase(), owner);
  }
  return [...owners.values()];
}

/** What a message is told of one step. */
export function noticeOf(
  event: AlertEvent,
  reason: AlertNotice['reason'],
  key: RegisteredKey | undefined,
): AlertNotice {
  const openedAt = momentOf(event.state.openedAtMs) ?? event.at;
  return {
    event,
    reason,
    openedAt,
    since: momentOf(event.state.sinceMs) ?? openedAt,
    key: key ? noticeKey(key) : null,
  };
}

/** Furthest from 1970 that a date may be. */
const MAX_DATE_MS = 8.64e15;

/** Undefined for what is not known, or is no date. */
const momentOf = (ms: number | null | undefined): string | undefined =>
  typeof ms === 'number' && Math.abs(ms) <= MAX_DATE_MS ? new Date(ms).toISOString() : undefined;

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
    owners: [],
    keyEvent: { type, at, data, key: key ? noticeKey(key) : null },
    omitted: 0,
  };
}

/** What the button "send test" sends. */
export function testMessage(messageId: string): AlertMessage {
  return { messageId, reason: 'test', notices: [], threadId: messageId, owners: [], omitted: 0 };
}
