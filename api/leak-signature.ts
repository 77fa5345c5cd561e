import { createPublicKey, type KeyObject, verify } from 'node:crypto';

/** The senders' public keys by their identifier, from the document that GitHub publishes them in. */
export type LeakKeys = ReadonlyMap<string, KeyObject>;

/**
 * @param json `{"public_keys":[{"key_identifier":…,"key":"-----BEGIN PUBLIC KEY-----…"}]}`
 * @throws {Error} when it is not that, or a key is none of ECDSA P-256
 */
export function parseLeakKeys(json: string): LeakKeys {
  const { public_keys: entries } = JSON.parse(json) as { public_keys: { key_identifier: string; key: string }[] };
  return new Map(
    entries.map(({ key_identifier: id, key }) => {
      const parsed = createPublicKey(key);
      if (parsed.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error(`key ${id} is not of ECDSA P-256`);
      return [id, parsed];
    }),
  );
}

/** Whether the raw body was signed (ECDSA P-256 over SHA-256, DER in base64) by the named key. */
export function isSignedBy(keys: LeakKeys, identifier: string, signature: string, body: Buffer): boolean {
  const key = keys.get(identifier);
  if (!key || signature.length > 500) return false;
  try {
    return verify('sha256', body, key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}
