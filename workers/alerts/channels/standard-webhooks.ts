import { createHmac } from 'node:crypto';

/**
 * Headers of Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md): the signature
 * is HMAC-SHA256 over `id.timestamp.body`, once per secret, so that receivers with the former secret still verify while it
 * is replaced.
 *
 * @param id the same for every attempt; without a dot, or two messages could share a signature
 * @param nowMs time of this attempt
 * @param secrets `whsec_` and base64, newest first
 */
export function signedHeaders(
  id: string,
  nowMs: number,
  body: string,
  secrets: readonly string[],
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signatures = secrets.map((secret) => `v1,${signature(secret, `${id}.${timestamp}.${body}`)}`);
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

function signature(secret: string, content: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return createHmac('sha256', key).update(content, 'utf8').digest('base64');
}
