import type { AlertEvent } from '../../alert.ts';
import { actionUrl, createLinkToken, type LinkAction } from '../../links.ts';
import type { SecretKeys } from '../../secret-key.ts';
import type { LinkMaker } from './model.ts';

/** Links to acknowledge and to mute outlive the alert by far; a link to unsubscribe lasts longer than mails are kept. */
const ACTION_DAYS = 30;
const UNSUBSCRIBE_DAYS = 730;
const DAY_MS = 86_400_000;
/** Buttons of chats refuse longer addresses. */
const MAX_LINK_LENGTH = 2_000;

/**
 * Links of one message for one reader.
 * @param publicUrl PUBLIC_URL; without it nothing can be linked
 * @param by who is given the links, for the history: `email:ops@example.com`, `channel:id`
 * @param atMs time of the message: links of a repeat are the same
 */
export function linkMaker(keys: SecretKeys, publicUrl: string | undefined, by: string, atMs: number): LinkMaker {
  const base = publicUrl?.replace(/\/+$/, '');
  const link = (action: LinkAction): string | undefined => {
    const url = base && actionUrl(base, createLinkToken(keys, action, atMs + ACTION_DAYS * DAY_MS));
    return url && url.length <= MAX_LINK_LENGTH ? url : undefined;
  };
  return {
    key: (keyId) => (base ? `${base}/keys/${pathPart(keyId)}` : undefined),
    acknowledge: (event: AlertEvent) =>
      event.alert_id === '' ? undefined : link({ purpose: 'acknowledge', alert_id: event.alert_id, by }),
    mute: ({ kind, key_id, organization_id }: AlertEvent, days) =>
      link({ purpose: 'mute', kind, key_id, organization_id, days, by }),
  };
}

/** Also what encodeURIComponent leaves: a parenthesis would end a link of Markdown. Half a surrogate pair it cannot take. */
function pathPart(id: string): string {
  const whole = id.replace(/\p{Cs}/gu, '\uFFFD');
  return encodeURIComponent(whole).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Address at which one POST ends the mails of a channel to one address (RFC 8058). */
export function unsubscribeUrl(
  keys: SecretKeys,
  publicUrl: string | undefined,
  channelId: string,
  email: string,
  atMs: number,
): string | undefined {
  if (!publicUrl) return undefined;
  const action: LinkAction = { purpose: 'unsubscribe', channel_id: channelId, email };
  return actionUrl(publicUrl, createLinkToken(keys, action, atMs + UNSUBSCRIBE_DAYS * DAY_MS));
}
