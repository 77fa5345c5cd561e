import type { Response } from 'express';
import { z } from 'zod';
import { sha256 } from '../../ingest/token.ts';
import { acknowledgeAlert } from '../../workers/alerts/acknowledge.ts';
import { MAX_UNSUBSCRIBED } from '../../workers/alerts/channels/settings.ts';
import { changeChannel } from '../../workers/alerts/delivery/channel-change.ts';
import { unsubscribedOf } from '../../workers/alerts/delivery/channel-routing.ts';
import { Channels } from '../../workers/alerts/delivery/channels.ts';
import { Silences } from '../../workers/alerts/delivery/silences.ts';
import { ACTIONS_PATH, type LinkAction, verifyLinkToken } from '../../workers/alerts/links.ts';
import { type AuditAction, writeAudit } from '../../workers/keys/audit.ts';
import { actionPage } from '../action-page.ts';
import { type ApiParts, route } from '../route.ts';

const LinkParams = z.object({ token: z.string().min(1).max(5_000) });
const DAY_MS = 86_400_000;
const BAD_LINKS = { 404: 'The link is not complete', 410: 'The link has expired' };

/** The action of a good link; answers by itself when it is not one. */
function actionOf(parts: ApiParts, token: string, res: Response): LinkAction | undefined {
  const verdict = verifyLinkToken(parts.delivery.keys, token, Date.now());
  if (verdict.valid) return verdict.action;
  const expired = verdict.reason === 'expired';
  const text = expired ? 'This link has expired.' : 'This link is not complete. Copy it whole from the message.';
  page(res, expired ? 410 : 404, text);
  return undefined;
}

function page(res: Response, status: number, text: string, button?: string): void {
  res.status(status).set('Cache-Control', 'no-store').type('html').send(actionPage(text, button));
}

/** Programs that check mail follow links: looking at one changes nothing. */
export const showAction = route({
  method: 'get',
  path: `${ACTIONS_PATH}/:token`,
  scope: 'none',
  summary: 'Page of a link in a message: says what its button does, and changes nothing',
  params: LinkParams,
  alsoProduces: ['text/html'],
  statuses: BAD_LINKS,
  handle: async ({ parts, params, res }) => {
    const action = actionOf(parts, params.token, res);
    if (action) page(res, 200, `${questionOf(action)}?`, 'Yes, do it');
  },
});

/** RFC 8058 posts here, too; what the body says does not matter, the link says it all. */
export const doAction = route({
  method: 'post',
  path: `${ACTIONS_PATH}/:token`,
  scope: 'none',
  summary: 'Do what a link in a message says: acknowledge an alert, mute it, or end the mails to one address',
  params: LinkParams,
  alsoProduces: ['text/html'],
  statuses: BAD_LINKS,
  handle: async ({ parts, params, res }) => {
    const action = actionOf(parts, params.token, res);
    if (!action) return;
    const done = await perform(parts, action, params.token);
    page(res, done.status, done.text);
  },
});

function questionOf(action: LinkAction): string {
  if (action.purpose === 'acknowledge') return 'Acknowledge this alert, so that it is not repeated';
  if (action.purpose === 'unsubscribe') return `Stop mails of this channel to ${action.email}`;
  const about = action.key_id === '' ? 'alerts of the platform' : `alerts about the key ${action.key_id}`;
  return `Mute ${about} of the kind ${action.kind.replaceAll('_', ' ')} for ${daysText(action.days)}`;
}

const daysText = (days: number): string => (days === 1 ? 'one day' : `${days} days`);

interface Done {
  status: number;
  text: string;
}

async function perform(parts: ApiParts, action: LinkAction, token: string): Promise<Done> {
  if (action.purpose === 'acknowledge') return acknowledge(parts, action);
  return action.purpose === 'mute' ? mute(parts, action, token) : unsubscribe(parts, action);
}

async function acknowledge(
  { store }: ApiParts,
  { alert_id: alertId, by: actor }: Extract<LinkAction, { purpose: 'acknowledge' }>,
): Promise<Done> {
  const [alert] = await store.queryWriter<{ alert_key: string }>(
    'SELECT alert_key FROM alert_events WHERE alert_id = {alert_id:String} LIMIT 1',
    { alert_id: alertId },
  );
  const outcome = alert ? await acknowledgeAlert(store, { alertKey: alert.alert_key, alertId, actor }) : 'unknown';
  return outcome === 'done'
    ? { status: 200, text: 'Acknowledged. You hear of this alert again when it grows worse or ends.' }
    : { status: 200, text: 'This alert is over. There is nothing to acknowledge.' };
}

/** The silence is named by the link: a second press changes nothing. */
async function mute(
  { store }: ApiParts,
  action: Extract<LinkAction, { purpose: 'mute' }>,
  token: string,
): Promise<Done> {
  const silences = new Silences(store);
  const silenceId = `link_${sha256(token).slice(0, 32)}`;
  const nowMs = Date.now();
  const present = await silences.find(silenceId);
  const silence =
    present ??
    (await silences.create(
      {
        organization_id: action.organization_id,
        matchers: { kinds: [action.kind], ...(action.key_id !== '' && { key_ids: [action.key_id] }) },
        starts_at: new Date(nowMs).toISOString(),
        ends_at: new Date(nowMs + action.days * DAY_MS).toISOString(),
        reason: 'muted from a message',
        created_by: action.by,
      },
      silenceId,
    ));
  if (!present) await note(store, action.organization_id, action.by, 'silence.created', silenceId, silence);
  return { status: 200, text: `Muted until ${silence.ends_at.slice(0, 16).replace('T', ' ')} UTC.` };
}

const LIST_IS_FULL = `${MAX_UNSUBSCRIBED} people have left this channel already and it cannot note more. Ask whoever runs it to take your address out.`;

async function unsubscribe(
  { store, delivery }: ApiParts,
  { channel_id, email }: Extract<LinkAction, { purpose: 'unsubscribe' }>,
): Promise<Done> {
  const address = email.toLowerCase();
  let isFull = false;
  const changed = await changeChannel(
    { redis: delivery.redis, channels: new Channels(store) },
    channel_id,
    (present) => {
      const unsubscribed = unsubscribedOf(present);
      if (unsubscribed.includes(address)) return undefined;
      isFull = unsubscribed.length >= MAX_UNSUBSCRIBED;
      return isFull ? undefined : { settings: { ...present.settings, unsubscribed: [...unsubscribed, address] } };
    },
  );
  if (isFull) return { status: 409, text: LIST_IS_FULL };
  if (changed && changed.before !== changed.after) {
    const actor = `email:${email}`;
    await note(store, changed.after.organization_id, actor, 'channel.unsubscribed', channel_id, { email });
  }
  return { status: 200, text: `${email} gets no more mails of this channel.` };
}

async function note(
  store: ApiParts['store'],
  organizationId: string,
  actor: string,
  action: AuditAction,
  subject: string,
  after: unknown,
): Promise<void> {
  await writeAudit(store, [
    { organizationId, actor, action, subject, reason: 'link in a message', before: null, after },
  ]);
}
