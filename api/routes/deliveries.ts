import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import { Channels } from '../../workers/alerts/delivery/channels.ts';
import { DELIVERY_STATUSES, type Delivery } from '../../workers/alerts/delivery/deliveries.ts';
import { type DeliveryCursor, findDelivery, listDeliveries } from '../../workers/alerts/delivery/delivery-list.ts';
import { MAX_REPLAYED_MESSAGES, replay } from '../../workers/alerts/delivery/replay.ts';
import { writeAudit } from '../../workers/keys/audit.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { type ApiParts, route } from '../route.ts';
import { LimitQuery, time_ms, UtcTime } from '../schemas.ts';

const DeliveryView = z.object({
  delivery_id: z.string(),
  event_id: z.string(),
  alert_id: z.string(),
  channel_id: z.string().describe('empty: no channel hears the event'),
  organization_id: z.string(),
  key_id: z.string(),
  kind: z.string(),
  notify: z.string(),
  message_id: z.string().describe('webhook-id of the message it travels in'),
  status: z.enum(DELIVERY_STATUSES),
  reason: z.string(),
  attempts: z.number().int(),
  response_status: z.number().int().describe('of the receiver, 0 = none'),
  event_at: z.iso.datetime(),
  created_at: z.iso.datetime(),
  next_attempt_at: z.iso.datetime().nullable(),
  sent_at: z.iso.datetime().nullable(),
});

const viewOf = ({ alert_key, thread_id, version, ...view }: Delivery) => view;

function isPosition(value: unknown): value is DeliveryCursor {
  const { atMs, id } = (value ?? {}) as Partial<DeliveryCursor>;
  return Number.isSafeInteger(atMs) && typeof id === 'string';
}

export const getDeliveries = route({
  method: 'get',
  path: '/v1/deliveries',
  scope: 'read',
  reach: 'organization',
  summary: 'What was told to whom and what became of it, newest first',
  query: z.object({
    channel_id: z.string().max(100).optional(),
    key_id: z.string().max(200).optional(),
    status: z.enum(DELIVERY_STATUSES).optional(),
    since: time_ms.optional(),
    limit: LimitQuery(100, 500),
    cursor: z.string().max(500).optional(),
  }),
  response: z.object({ data: z.array(DeliveryView), next_cursor: z.string().nullable() }),
  handle: async ({ parts, grant, query }) => {
    const { channel_id: channelId, key_id: keyId, status, since: sinceMs, limit } = query;
    const filter = { channelId, keyId, status, sinceMs, organizationId: grant.organizationId };
    const rows = await listDeliveries(parts.store, filter, decodeCursor(query.cursor, isPosition), limit + 1);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const next = rows.length > limit && last ? { atMs: Date.parse(last.created_at), id: last.delivery_id } : undefined;
    return { data: page.map(viewOf), next_cursor: next ? encodeCursor(next) : null };
  },
});

const Replayed = z.object({ messages: z.number().int(), deliveries: z.number().int() });

export const replayDelivery = route({
  method: 'post',
  path: '/v1/deliveries/:delivery_id/replay',
  scope: 'manage',
  reach: 'organization',
  summary: 'Send the message of a delivery again, under its old id',
  statuses: { 409: 'The delivery cannot be sent again' },
  params: z.object({ delivery_id: z.string().min(1).max(100) }),
  response: Replayed,
  handle: async ({ parts, grant, params }) => {
    const row = await findDelivery(parts.store, params.delivery_id);
    const open = await replayable(parts, grant, row ? [row] : []);
    if (!row || !open.visible.has(row.channel_id)) {
      throw new Problem(404, 'Not found', 'there is no such delivery, or the token may not see it');
    }
    if (open.rows.length === 0) throw new Problem(409, 'Conflict', refusal(row, open.enabled.has(row.channel_id)));
    return start(parts, grant, open.rows, row.delivery_id);
  },
});

export const replayFailed = route({
  method: 'post',
  path: '/v1/deliveries/replay',
  scope: 'manage',
  reach: 'organization',
  summary: `Send everything again that failed since a time, up to ${MAX_REPLAYED_MESSAGES} messages`,
  body: z.strictObject({ since: UtcTime, channel_id: z.string().max(100).optional() }),
  response: Replayed,
  handle: async ({ parts, grant, body }) => {
    const { organizationId } = grant;
    const filter = {
      status: 'failed' as const,
      sinceMs: Date.parse(body.since),
      channelId: body.channel_id,
      organizationId,
    };
    const rows = await listDeliveries(parts.store, filter, undefined, MAX_REPLAYED_MESSAGES);
    const open = await replayable(parts, grant, rows);
    return start(parts, grant, open.rows, `failed since ${body.since}`);
  },
});

/** Which of the deliveries can be sent again: their channel is there, switched on, and the caller's. */
async function replayable(parts: ApiParts, grant: TokenGrant, rows: readonly Delivery[]) {
  const channels = await new Channels(parts.store).list(grant.organizationId);
  const visible = new Set(channels.map((channel) => channel.channel_id));
  const enabled = new Set(channels.filter((channel) => channel.enabled).map((channel) => channel.channel_id));
  const over = rows.filter(
    ({ status, message_id, channel_id }) =>
      (status === 'failed' || status === 'sent') && message_id !== '' && enabled.has(channel_id),
  );
  return { visible, enabled, rows: over };
}

function refusal({ status }: Delivery, enabled: boolean): string {
  return enabled ? `a delivery that is ${status} cannot be sent again` : 'the channel is off';
}

async function start(parts: ApiParts, grant: TokenGrant, rows: readonly Delivery[], subject: string) {
  const { queue, redis } = parts.delivery;
  const result = await replay({ store: parts.store, redis, queue }, rows);
  const audit = {
    organizationId: grant.organizationId,
    actor: grant.id,
    action: 'delivery.replayed' as const,
    subject,
  };
  await writeAudit(parts.store, [{ ...audit, reason: '', before: null, after: result }]);
  return result;
}
