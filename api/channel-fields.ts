import type { z } from 'zod';
import { Problem } from '../ingest/problem.ts';
import type { TokenGrant } from '../ingest/token.ts';
import type { OpenChannel } from '../workers/alerts/channels/channel.ts';
import {
  MAX_UNSUBSCRIBED,
  maskedChannel,
  newSigningSecret,
  parseChannel,
} from '../workers/alerts/channels/settings.ts';
import type { Channel, ChannelFields, SecretBox } from '../workers/alerts/delivery/channels.ts';
import type { ChannelBody, ChannelChange, ChannelView } from './channel-body.ts';
import { fieldProblem } from './key-changes.ts';

type Body = z.infer<typeof ChannelBody>;

/** The organization of what is made; a bound token makes things of its own. @throws {Problem} 403 */
export function organizationOf(grant: TokenGrant, given: string): string {
  if (grant.organizationId === '') return given;
  if (given === '' || given === grant.organizationId) return grant.organizationId;
  throw new Problem(403, 'Forbidden', 'organization_id: the token is bound to another organization');
}

/** What is stored of a new channel, and the generated secret that is shown this once. @throws {Problem} 400 */
export function newChannel(
  body: Body,
  grant: TokenGrant,
  channelId: string,
  box: SecretBox,
): { fields: ChannelFields; secret: string | undefined } {
  const secret = body.type === 'webhook' ? newSigningSecret() : undefined;
  const secrets = secret === undefined ? (body.secrets ?? {}) : { ...body.secrets, signing: [secret] };
  refuseOwnSigning(body);
  refuseLongList(body);
  const checked = checkedOf(body, body.settings, secrets);
  return { fields: fieldsOf(body, grant, checked.settings, box.seal(channelId, checked.secrets)), secret };
}

/** What is stored of a channel that is replaced. Its organization, settings and secrets stay where they are left out. @throws {Problem} 400 */
export function replacedChannel(
  change: z.infer<typeof ChannelChange>,
  grant: TokenGrant,
  present: Channel,
  box: SecretBox,
): ChannelFields {
  const body = { ...change, organization_id: change.organization_id ?? present.organization_id };
  if (body.type !== present.type)
    throw fieldProblem({ field: 'type', message: 'cannot be changed; make a new channel' });
  refuseOwnSigning(body);
  refuseLongList(body);
  const settings = { ...present.settings, ...body.settings };
  const stored = box.open(present.channel_id, present.secrets);
  const { previous_until, ...secrets } = { ...stored, ...(body.secrets as OpenChannel['secrets']) };
  const checked = checkedOf(body, settings, secrets);
  const kept = previous_until === undefined ? checked.secrets : { ...checked.secrets, previous_until };
  return fieldsOf(body, grant, checked.settings, box.seal(present.channel_id, kept));
}

function refuseOwnSigning(body: Body): void {
  if (body.secrets?.signing === undefined) return;
  throw fieldProblem({ field: 'secrets.signing', message: 'is generated, see rotate-secret' });
}

/** Of what is entered: the list as it is stored does not stand in the way of another change. */
function refuseLongList({ settings: { unsubscribed } }: Body): void {
  if (!Array.isArray(unsubscribed) || unsubscribed.length <= MAX_UNSUBSCRIBED) return;
  throw fieldProblem({ field: 'settings.unsubscribed', message: `holds at most ${MAX_UNSUBSCRIBED} addresses` });
}

function checkedOf(
  body: Body,
  settings: object,
  secrets: object,
): { settings: Record<string, unknown>; secrets: OpenChannel['secrets'] } {
  if (body.purpose === 'key_events' && body.type !== 'webhook') {
    throw fieldProblem({ field: 'purpose', message: 'key events are sent by webhook' });
  }
  const parsed = parseChannel(body.type, settings, secrets);
  if ('problems' in parsed) {
    const errors = parsed.problems.map(({ field, reason }) => ({ field, message: reason }));
    throw new Problem(400, 'Bad request', `${errors[0]!.field}: ${errors[0]!.message}`, { extra: { errors } });
  }
  return parsed as { settings: Record<string, unknown>; secrets: OpenChannel['secrets'] };
}

function fieldsOf(
  body: Body,
  grant: TokenGrant,
  settings: Readonly<Record<string, unknown>>,
  secrets: string,
): ChannelFields {
  const { name, type, purpose, enabled } = body;
  // Optional fields that are absent are not stored, which undefined in JSON does.
  const routing = body.routing as ChannelFields['routing'];
  const organization_id = organizationOf(grant, body.organization_id);
  return { name, type, purpose, enabled, organization_id, settings, secrets, routing, disabled_reason: '' };
}

/** A channel as it may be shown: nothing secret. */
export function viewOf(channel: Channel, box: SecretBox, problem: string): z.infer<typeof ChannelView> {
  const { secrets: sealed, version, settings, ...plain } = channel;
  return { ...plain, routing: plain.routing as never, settings: shownSettings(channel, box), problem };
}

function shownSettings(channel: Channel, box: SecretBox): Record<string, unknown> {
  const { type, settings } = channel;
  try {
    const { previous_until, ...secrets } = box.open(channel.channel_id, channel.secrets);
    return maskedChannel({ type, settings, secrets });
  } catch {
    return {
      ...maskedChannel({ type, settings, secrets: {} }),
      secrets: 'not readable with the present key; enter them again',
    };
  }
}

/** What the audit keeps of a channel. */
export function auditOfChannel(channel: Channel | null): object | null {
  if (!channel) return null;
  const { secrets, version, settings, created_at, updated_at, ...plain } = channel;
  return { ...plain, settings: maskedChannel({ type: channel.type, settings, secrets: {} }) };
}
