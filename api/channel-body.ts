import { IANAZone } from 'luxon';
import { z } from 'zod';
import { ALERT_KINDS } from '../workers/alerts/alert.ts';
import { CHANNEL_TYPES } from '../workers/alerts/channels/channel.ts';
import { KEY_EVENT_TYPES } from '../workers/keys/events.ts';

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00');
const ids = z.array(z.string().min(1).max(200)).max(1_000);
const ENVIRONMENTS = ['production', 'staging', 'development'] as const;

export const AlertKinds = z.array(z.enum(ALERT_KINDS)).max(ALERT_KINDS.length);
export const Environments = z.array(z.enum(ENVIRONMENTS)).max(ENVIRONMENTS.length);
export const KeyIds = ids;

/** Which alerts a channel hears, and when. */
const RoutingBody = z.strictObject({
  organizations: ids.optional().describe('of a channel of the platform: only these; default: all'),
  kinds: AlertKinds.optional(),
  min_severity: z
    .enum(['info', 'warning', 'critical'])
    .optional()
    .describe('default: warning, and everything that concerns the life of a key'),
  environments: Environments.optional(),
  key_ids: ids.optional(),
  to_owner: z.boolean().optional().describe('email: the owner of the key hears of it, too'),
  event_types: z
    .array(z.enum(KEY_EVENT_TYPES))
    .max(KEY_EVENT_TYPES.length)
    .optional()
    .describe('of a channel for key events: only these'),
  timezone: z
    .string()
    .refine((zone) => IANAZone.isValidZone(zone), 'must be an IANA time zone such as Europe/Stockholm')
    .optional()
    .describe('of quiet hours, digest and budgets; default: UTC'),
  quiet_hours: z
    .strictObject({
      from: clock,
      to: clock,
      weekdays: z
        .array(z.number().int().min(1).max(7))
        .max(7)
        .optional()
        .describe('days on which they begin, 1 = Monday'),
    })
    .refine(({ from, to }) => from !== to, 'must not begin and end at the same time')
    .optional()
    .describe('only critical alerts are told then, the others afterwards'),
  digest_hour: z.number().int().min(0).max(23).optional().describe('default: DIGEST_HOUR'),
});

const values = z.record(z.string().max(100), z.unknown());

export const ChannelBody = z.strictObject({
  name: z.string().trim().min(1).max(200),
  type: z.enum(CHANNEL_TYPES),
  purpose: z
    .enum(['alerts', 'key_events'])
    .default('alerts')
    .describe('key_events: a webhook that is told every change of a key, for the platform that owns the keys'),
  organization_id: z.string().max(200).default('').describe('empty = of the platform'),
  enabled: z.boolean().default(true),
  settings: values.default({}).describe('by type; when a channel is replaced, what is left out stays'),
  secrets: values
    .optional()
    .describe('by type, never readable again; when left out they stay. The secret of a webhook is generated'),
  routing: RoutingBody.default({}),
});

/** A channel that replaces another. */
export const ChannelChange = ChannelBody.extend({
  organization_id: z.string().max(200).optional().describe('empty = of the platform; left out = as it is'),
});

export const ChannelView = z.object({
  channel_id: z.string(),
  organization_id: z.string(),
  name: z.string(),
  type: z.enum(CHANNEL_TYPES),
  purpose: z.enum(['alerts', 'key_events']),
  enabled: z.boolean(),
  settings: z.record(z.string(), z.unknown()).describe('of an address its host only; of secrets that they are there'),
  routing: RoutingBody,
  disabled_reason: z.string().describe('why Keytally switched it off'),
  problem: z.string().describe('why it cannot deliver at present'),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export const ChannelParams = z.object({ channel_id: z.string().min(1).max(100) });
