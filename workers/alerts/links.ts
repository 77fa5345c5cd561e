import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { ALERT_KINDS } from './alert.ts';
import type { SecretKey, SecretKeys } from './secret-key.ts';

/** How long a muting link of a message may mute. */
export const MUTE_DAYS = [1, 7, 30] as const;

/** What the holder of a link may do once, without signing in. `by` names who was given the link, for the history. */
const ActionSchema = z.discriminatedUnion('purpose', [
  z.object({ purpose: z.literal('acknowledge'), alert_id: z.string(), by: z.string() }),
  z.object({
    purpose: z.literal('mute'),
    kind: z.enum(ALERT_KINDS),
    /** Empty for an alert of the whole platform. */
    key_id: z.string(),
    organization_id: z.string(),
    days: z
      .number()
      .int()
      .min(1)
      .max(Math.max(...MUTE_DAYS)),
    by: z.string(),
  }),
  z.object({ purpose: z.literal('unsubscribe'), channel_id: z.string(), email: z.string() }),
]);
export type LinkAction = z.infer<typeof ActionSchema>;

export type LinkVerdict =
  | { valid: true; action: LinkAction; expiresAtMs: number }
  | { valid: false; reason: 'malformed' | 'wrong_signature' | 'expired' };

/** Where the page and the POST of a link live, below PUBLIC_URL. */
export const ACTIONS_PATH = '/v1/actions';

const SignedSchema = z.object({ action: ActionSchema, expires_at_ms: z.number().int() });
/** A longer token was not made here. */
const MAX_TOKEN_LENGTH = 4_096;

/**
 * Makes the token of a link: base64url(JSON) '.' base64url(HMAC-SHA256) under a key derived from the newest secret key.
 * The purpose is part of what is signed, so a link to mute cannot unsubscribe anybody.
 */
export function createLinkToken(keys: SecretKeys, action: LinkAction, expiresAtMs: number): string {
  const text = Buffer.from(JSON.stringify({ action, expires_at_ms: expiresAtMs })).toString('base64url');
  return `${text}.${signatureOf(keys.newest, text).toString('base64url')}`;
}

/** Whether a token was made here and is still good. Compared in constant time, under each of the keys. */
export function verifyLinkToken(keys: SecretKeys, token: string, nowMs: number): LinkVerdict {
  const [text, signature, ...rest] = token.length > MAX_TOKEN_LENGTH ? [] : token.split('.');
  if (!text || !signature || rest.length > 0) return { valid: false, reason: 'malformed' };
  const given = Buffer.from(signature, 'base64url');
  // Every key is tried, also after one fitted: the time taken does not tell which.
  const fits = keys.all.map((key) => equal(signatureOf(key, text), given)).some(Boolean);
  if (!fits) return { valid: false, reason: 'wrong_signature' };
  const parsed = SignedSchema.safeParse(jsonOf(text));
  if (!parsed.success) return { valid: false, reason: 'malformed' };
  const { action, expires_at_ms: expiresAtMs } = parsed.data;
  return expiresAtMs > nowMs ? { valid: true, action, expiresAtMs } : { valid: false, reason: 'expired' };
}

/** Address of an action. GET only shows what would happen, POST does it: mail scanners follow links. */
export function actionUrl(publicUrl: string, token: string): string {
  return `${publicUrl.replace(/\/+$/, '')}${ACTIONS_PATH}/${token}`;
}

function signatureOf(key: SecretKey, text: string): Buffer {
  return createHmac('sha256', key.derive('links')).update(text).digest();
}

function equal(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
