import { randomBytes } from 'node:crypto';
import { IANAZone } from 'luxon';
import { z } from 'zod';
import type { ChannelType, OpenChannel } from './channel.ts';

/** Recipients of one e-mail channel; each gets a mail of its own. */
const MAX_RECIPIENTS = 20;
/** Addresses of one channel that asked not to be written to. It holds where the list is written: whatever is stored is sent by. */
export const MAX_UNSUBSCRIBED = 20_000;
const MAX_URL_LENGTH = 2_048;
/** Standard Webhooks 1.0: 24 to 64 random bytes. */
const SIGNING_BYTES = 32;
const SIGNING_BYTES_MIN = 24;
const SIGNING_BYTES_MAX = 64;

/** What an address must look like to be put on an envelope: no spaces, control or quoting characters, no lists. */
export const isMailAddress = (text: string): boolean =>
  text.length <= 254 && /^[^\s\p{C}@<>()[\]\\,;:"]+@[^\s\p{C}@<>()[\]\\,;:"]+$/u.test(text);

const address = z.string().refine(isMailAddress, 'must be one e-mail address');
const timezone = z
  .string()
  .refine((zone) => IANAZone.isValidZone(zone), 'must be an IANA time zone such as Europe/Stockholm')
  .optional()
  .describe('messages name this time beside UTC');

/** http is refused here unless the address turns out to be one of WEBHOOK_ALLOW_PRIVATE: only the socket knows. */
const receiverUrl = z
  .string()
  .max(MAX_URL_LENGTH)
  .refine(
    (text) => URL.canParse(text) && ['https:', 'http:'].includes(new URL(text).protocol),
    'must be a URL starting with https://',
  )
  .refine(
    (text) => !URL.canParse(text) || (new URL(text).username === '' && new URL(text).password === ''),
    'must not hold a user name or password',
  );

const signingSecret = z.string().refine((secret) => {
  const bytes = Buffer.from(secret.replace(/^whsec_/, ''), 'base64').length;
  return /^whsec_[A-Za-z0-9+/]+=*$/.test(secret) && bytes >= SIGNING_BYTES_MIN && bytes <= SIGNING_BYTES_MAX;
}, 'must be whsec_ followed by 24 to 64 bytes in base64');

const chat = {
  settings: z.object({ timezone }),
  secrets: z.object({ url: receiverUrl.describe('the address that the chat gives for incoming messages') }),
};

/** Settings (readable by managers) and secrets (sealed, never readable again) of every type of channel. */
const CHANNEL_SCHEMAS = {
  email: {
    settings: z.object({
      to: z.array(address).max(MAX_RECIPIENTS).default([]).describe('each gets a mail of its own'),
      unsubscribed: z.array(z.string()).default([]).describe('who followed the link not to be written to'),
      timezone,
    }),
    secrets: z.object({}),
  },
  webhook: {
    settings: z.object({ url: receiverUrl, timezone }),
    secrets: z.object({
      signing: z.array(signingSecret).min(1).max(2).describe('newest first; two while one replaces the other'),
    }),
  },
  slack: chat,
  teams: chat,
  discord: chat,
  pagerduty: {
    settings: z.object({ region: z.enum(['us', 'eu']).default('us'), timezone }),
    secrets: z.object({
      routing_key: z.string().regex(/^[A-Za-z0-9]{32}$/, 'must be the integration key of an Events API v2 integration'),
    }),
  },
} as const satisfies Record<ChannelType, { settings: z.ZodObject; secrets: z.ZodObject }>;

export type SettingsOf<T extends ChannelType> = z.infer<(typeof CHANNEL_SCHEMAS)[T]['settings']>;
export type SecretsOf<T extends ChannelType> = z.infer<(typeof CHANNEL_SCHEMAS)[T]['secrets']>;

export interface ChannelProblem {
  field: string;
  reason: string;
}

export type ParsedChannel<T extends ChannelType> =
  | { settings: SettingsOf<T>; secrets: SecretsOf<T> }
  | { problems: ChannelProblem[] };

/**
 * Checks settings and secrets of a channel; every problem names its field, none repeats a value.
 * @param unknownFields refused when somebody enters them, ignored when a stored channel of a newer version is sent to
 */
export function parseChannel<T extends ChannelType>(
  type: T,
  settings: unknown,
  secrets: unknown,
  unknownFields: 'refuse' | 'ignore' = 'refuse',
): ParsedChannel<T> {
  const plain: { settings: z.ZodObject; secrets: z.ZodObject } = CHANNEL_SCHEMAS[type];
  const schemas =
    unknownFields === 'ignore' ? plain : { settings: plain.settings.strict(), secrets: plain.secrets.strict() };
  const parsed = { settings: schemas.settings.safeParse(settings), secrets: schemas.secrets.safeParse(secrets) };
  const problems = (['settings', 'secrets'] as const).flatMap((part) =>
    (parsed[part].error?.issues ?? []).map((issue) => ({
      field: [part, ...issue.path].join('.'),
      reason: issue.message,
    })),
  );
  if (problems.length > 0) return { problems };
  return { settings: parsed.settings.data as SettingsOf<T>, secrets: parsed.secrets.data as SecretsOf<T> };
}

/** A new secret that signs webhooks. Shown once, when it is made. */
export function newSigningSecret(): string {
  return `whsec_${randomBytes(SIGNING_BYTES).toString('base64')}`;
}

/**
 * What the API may show of a channel: settings, of a webhook's address the host only (its path and query often hold a
 * token), and of each secret that it is there.
 */
export function maskedChannel(channel: Pick<OpenChannel, 'type' | 'settings' | 'secrets'>): Record<string, unknown> {
  const { url, ...settings } = channel.settings;
  const secrets = Object.fromEntries(
    Object.entries(channel.secrets).map(([name, value]) => [
      name,
      Array.isArray(value) ? `${value.length} configured` : 'configured',
    ]),
  );
  return { ...settings, ...(typeof url === 'string' ? { url_host: hostOf(url) } : {}), secrets };
}

/** Host of a receiver's address, for messages about it; never its path or query. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'unknown';
}
