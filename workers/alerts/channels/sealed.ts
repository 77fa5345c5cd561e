import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SecretKey, SecretKeys } from '../secret-key.ts';
import type { OpenChannel } from './channel.ts';

/** Something sealed cannot be opened; the message says what to set and holds nothing of the secret. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

type Secrets = OpenChannel['secrets'];

const VERSION = 'v1';
/** 96 bits, the length that GCM takes as it is (NIST SP 800-38D). */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Secrets of a channel as they are stored: AES-256-GCM under the newest key, written `v1.<key id>.<nonce>.<text and tag>`.
 * The channel's id is authenticated with them, so what was sealed for one channel does not open for another.
 */
export function sealSecrets(keys: SecretKeys, channelId: string, secrets: Secrets): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keys.newest.derive('seal'), nonce).setAAD(Buffer.from(channelId));
  const text = Buffer.concat([cipher.update(JSON.stringify(secrets), 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return [VERSION, keys.newest.id, nonce.toString('base64url'), text.toString('base64url')].join('.');
}

/**
 * Opens what {@link sealSecrets} wrote, under whichever of the keys sealed it.
 * @throws {SealError} when no key fits, or the text was changed or belongs to another channel
 */
export function openSecrets(keys: SecretKeys, channelId: string, sealed: string): Secrets {
  if (sealed === '') return {};
  const [version, keyId, nonce, text, ...rest] = sealed.split('.');
  if (version !== VERSION || !keyId || !nonce || !text || rest.length > 0) {
    throw new SealError('the stored secrets of this channel are not readable; enter them again');
  }
  const key = keys.all.find((one) => one.id === keyId);
  if (!key) {
    throw new SealError(
      `the secrets of this channel were sealed with key ${keyId}, which KEYTALLY_SECRET_KEY (or the file secret-key) does not hold: add the former key after the new one, or enter the secrets again`,
    );
  }
  return decrypt(key, channelId, Buffer.from(nonce, 'base64url'), Buffer.from(text, 'base64url'));
}

function decrypt(key: SecretKey, channelId: string, nonce: Buffer, text: Buffer): Secrets {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.derive('seal'), nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(channelId))
      .setAuthTag(text.subarray(-TAG_BYTES));
    return JSON.parse(
      Buffer.concat([decipher.update(text.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8'),
    ) as Secrets;
  } catch {
    throw new SealError('the stored secrets of this channel were changed or belong to another one; enter them again');
  }
}
