import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import { newSigningSecret } from '../../workers/alerts/channels/settings.ts';
import { changeChannel } from '../../workers/alerts/delivery/channel-change.ts';
import { channelProblems, forgetProblem } from '../../workers/alerts/delivery/channel-trouble.ts';
import {
  type Channel,
  type ChannelFields,
  Channels,
  MAX_CHANNELS,
  openChannel,
  rotatedSecrets,
} from '../../workers/alerts/delivery/channels.ts';
import { testMessage } from '../../workers/alerts/delivery/compose-message.ts';
import { type AuditAction, writeAudit } from '../../workers/keys/audit.ts';
import { ChannelBody, ChannelChange, ChannelParams, ChannelView } from '../channel-body.ts';
import { auditOfChannel, newChannel, replacedChannel, viewOf } from '../channel-fields.ts';
import { type ApiParts, route } from '../route.ts';

/** The former secret of a webhook signs beside the new one for so long. */
const FORMER_SECRET_MS = 24 * 60 * 60 * 1000;

/** A bound token sees the channels of its organization only. @throws {Problem} 404 */
async function findChannel(parts: ApiParts, grant: TokenGrant, channelId: string): Promise<Channel> {
  const channel = await new Channels(parts.store).find(channelId);
  if (!channel || (grant.organizationId !== '' && channel.organization_id !== grant.organizationId)) {
    throw new Problem(404, 'Not found', 'there is no such channel, or the token may not see it');
  }
  return channel;
}

async function change(
  { store, delivery }: ApiParts,
  present: Channel,
  decide: (present: Channel) => Partial<ChannelFields>,
): Promise<Channel> {
  const means = { redis: delivery.redis, channels: new Channels(store) };
  const changed = await changeChannel(means, present.channel_id, decide);
  if (!changed) throw new Problem(404, 'Not found', 'there is no such channel');
  return changed.after;
}

async function view({ delivery }: ApiParts, channel: Channel) {
  const problems = await channelProblems(delivery.redis, [channel.channel_id]);
  return viewOf(channel, delivery.box, problems.get(channel.channel_id) ?? '');
}

async function note(
  { store }: ApiParts,
  grant: TokenGrant,
  action: AuditAction,
  before: Channel | null,
  after: Channel | null,
): Promise<void> {
  const { channel_id: subject, organization_id: organizationId } = (after ?? before)!;
  const states = { before: auditOfChannel(before), after: auditOfChannel(after) };
  await writeAudit(store, [{ organizationId, actor: grant.id, action, subject, reason: '', ...states }]);
}

const listChannels = route({
  method: 'get',
  path: '/v1/channels',
  scope: 'read',
  reach: 'organization',
  summary: 'Where alerts and key events are sent. Secrets are never shown',
  response: z.object({ data: z.array(ChannelView) }),
  handle: async ({ parts, grant }) => {
    const channels = await new Channels(parts.store).list(grant.organizationId);
    const ids = channels.map((channel) => channel.channel_id);
    const problems = await channelProblems(parts.delivery.redis, ids);
    return { data: channels.map((one) => viewOf(one, parts.delivery.box, problems.get(one.channel_id) ?? '')) };
  },
});

const getChannel = route({
  method: 'get',
  path: '/v1/channels/:channel_id',
  scope: 'read',
  reach: 'organization',
  summary: 'One channel',
  params: ChannelParams,
  response: ChannelView,
  handle: async ({ parts, grant, params }) => view(parts, await findChannel(parts, grant, params.channel_id)),
});

const WithSecret = ChannelView.extend({
  secret: z.string().optional().describe('signs the messages of a webhook; shown in this answer and never again'),
});

const createChannel = route({
  method: 'post',
  path: '/v1/channels',
  scope: 'manage',
  reach: 'organization',
  summary: 'Make a channel. Send a test message before relying on it',
  statuses: { 409: 'There are as many channels already as there may be' },
  body: ChannelBody,
  response: WithSecret,
  handle: async ({ parts, grant, body }) => {
    const channels = new Channels(parts.store);
    if ((await channels.list()).length >= MAX_CHANNELS) {
      throw new Problem(409, 'Conflict', `there are ${MAX_CHANNELS} channels already`);
    }
    const channelId = randomUUID();
    const { fields, secret } = newChannel(body, grant, channelId, parts.delivery.box);
    const channel = await channels.create(channelId, fields);
    await note(parts, grant, 'channel.created', null, channel);
    return { ...(await view(parts, channel)), ...(secret && { secret }) };
  },
});

const putChannel = route({
  method: 'put',
  path: '/v1/channels/:channel_id',
  scope: 'manage',
  reach: 'organization',
  summary:
    'Replace a channel; its organization, settings and secrets stay where they are left out. Switching it on forgets why it was off',
  statuses: {
    404: 'There is no such channel, or the token may not see it',
    409: 'The channel is being changed by others',
  },
  params: ChannelParams,
  body: ChannelChange,
  response: ChannelView,
  handle: async ({ parts, grant, params, body }) => {
    const present = await findChannel(parts, grant, params.channel_id);
    const channel = await change(parts, present, (now) => replacedChannel(body, grant, now, parts.delivery.box));
    await forgetProblem(parts.delivery.redis, channel.channel_id);
    await note(parts, grant, 'channel.updated', present, channel);
    return view(parts, channel);
  },
});

const deleteChannel = route({
  method: 'delete',
  path: '/v1/channels/:channel_id',
  scope: 'manage',
  reach: 'organization',
  summary: 'Delete a channel and its secrets; messages that still wait for it fail, what was sent stays listed',
  params: ChannelParams,
  handle: async ({ parts, grant, params, res }) => {
    const present = await findChannel(parts, grant, params.channel_id);
    await new Channels(parts.store).remove(present);
    await note(parts, grant, 'channel.deleted', present, null);
    res.status(204).end();
  },
});

const rotateChannelSecret = route({
  method: 'post',
  path: '/v1/channels/:channel_id/rotate-secret',
  scope: 'manage',
  reach: 'organization',
  summary: 'A new secret for a webhook. For 24 hours messages are signed with both',
  statuses: { 409: 'Not a webhook, or the channel is being changed by others' },
  params: ChannelParams,
  response: z.object({ secret: z.string(), previous_until: z.iso.datetime() }),
  handle: async ({ parts, grant, params }) => {
    const present = await findChannel(parts, grant, params.channel_id);
    if (present.type !== 'webhook') throw new Problem(409, 'Conflict', 'only a webhook has a secret of ours');
    const { box } = parts.delivery;
    const secret = newSigningSecret();
    const untilMs = Date.now() + FORMER_SECRET_MS;
    const channel = await change(parts, present, (now) => ({
      secrets: box.seal(now.channel_id, rotatedSecrets(box.open(now.channel_id, now.secrets), secret, untilMs)),
    }));
    await note(parts, grant, 'channel.secret_rotated', present, channel);
    return { secret, previous_until: new Date(untilMs).toISOString() };
  },
});

const testChannel = route({
  method: 'post',
  path: '/v1/channels/:channel_id/test',
  scope: 'manage',
  reach: 'organization',
  summary: "Send a test message now and say what became of it; never what the receiver's answer held",
  params: ChannelParams,
  response: z.object({
    result: z.enum(['sent', 'retry', 'failed', 'disable', 'not_configured']),
    response_status: z.number().int().describe('of the receiver, 0 = none'),
    detail: z.string(),
    duration_ms: z.number().int(),
  }),
  handle: async ({ parts, grant, params }) => {
    const channel = await findChannel(parts, grant, params.channel_id);
    const { box, sender, redis } = parts.delivery;
    const startedAt = Date.now();
    const message = testMessage(`test_${randomUUID()}`);
    const outcome = await sender.send(openChannel(channel, box, startedAt), message);
    if (outcome.result === 'sent') await forgetProblem(redis, channel.channel_id);
    return {
      result: outcome.result,
      response_status: outcome.responseStatus,
      detail: outcome.detail ?? '',
      duration_ms: Date.now() - startedAt,
    };
  },
});

export const CHANNEL_ROUTES = [
  listChannels,
  createChannel,
  getChannel,
  putChannel,
  deleteChannel,
  rotateChannelSecret,
  testChannel,
];
