import { createHash } from 'node:crypto';
import { FIELD_LIMITS, type RecordInput, SHA256 } from '../record.ts';
import { looksLikeKey } from '../secret-words.ts';
import { type FormatOptions, NO_KEY } from './format.ts';
import { isObject, type JsonObject, parseJson, textOf, valueAt } from './json-value.ts';

/** How a record names its key: exactly one of the three is set. */
export type KeyIdentity = Pick<RecordInput, 'key_id' | 'key' | 'key_sha256'>;

/** Reads a logged request header; the name is given in lower case. '' = not logged. */
export type HeaderReader = (entry: JsonObject, name: string) => string;

/** What a gateway's record says about its key, before the operator's own rules. */
export interface KeyEvidence {
  entry: JsonObject;
  header: HeaderReader;
  /** Id in the format's default place; '' = none. */
  keyId: string;
  /** Raw key in the format's default place; '' = none. */
  rawKey: string;
  /** Hash of the raw key made by the sender; '' = none. */
  keySha256: string;
  status: number;
}

/** Headers that carry a raw key where nothing else is configured, most usual first. */
const KEY_HEADERS = ['x-api-key', 'apikey', 'api-key'];
/** What gateways write over a value they hide. */
const HIDDEN = /^(?:\[?redacted\]?|\*{3,}|<?masked>?|<?hidden>?)$/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const UNPRINTABLE = /[\u0000-\u001f\u007f]/;
/** Longer than any token a gateway lets through in a header. */
const MAX_JWT_LENGTH = 16_384;

/**
 * Which key a request counts for: the operator's rules in order, else the format's own place, else a usual header,
 * else {@link NO_KEY}, so that unauthenticated requests never vanish.
 */
export function keyOf(evidence: KeyEvidence, options: FormatOptions): KeyIdentity {
  if (options.keySources.length > 0) return configuredKey(evidence, options) ?? { key_id: NO_KEY };
  if (isGiven(evidence.keyId)) return keyIdentity(evidence.keyId);
  if (isGiven(evidence.rawKey)) return rawKeyIdentity(evidence.rawKey);
  if (SHA256.test(evidence.keySha256)) return { key_sha256: evidence.keySha256 };
  for (const name of KEY_HEADERS) {
    const value = evidence.header(evidence.entry, name);
    if (isGiven(value)) return rawKeyIdentity(value);
  }
  const token = withoutScheme(evidence.header(evidence.entry, 'authorization'));
  // A JWT is new every few minutes: counted as a key it would make a key per token. It needs a `jwtClaim` rule.
  if (isGiven(token) && !token.startsWith('eyJ')) return rawKeyIdentity(token);
  return { key_id: NO_KEY };
}

function configuredKey(evidence: KeyEvidence, options: FormatOptions): KeyIdentity | undefined {
  for (const source of options.keySources) {
    if (source.field !== undefined) {
      const value = textOf(valueAt(evidence.entry, source.field));
      if (isGiven(value)) return keyIdentity(value);
    }
    if (source.header !== undefined) {
      const value = withoutScheme(evidence.header(evidence.entry, source.header.toLowerCase()));
      if (isGiven(value)) return rawKeyIdentity(value);
    }
    if (source.jwtClaim !== undefined && evidence.status !== 401) {
      // After a 401 the token was not accepted: anyone could put somebody else's name into its claims.
      const claim = jwtClaim(evidence.header(evidence.entry, 'authorization'), source.jwtClaim);
      if (isGiven(claim)) return keyIdentity(claim);
    }
  }
  return undefined;
}

function isGiven(value: string): boolean {
  return value !== '' && value !== '-' && !HIDDEN.test(value);
}

/** A value from a place for ids. Operators do put the key itself there by mistake; it is then hashed like one. */
export function keyIdentity(value: string): KeyIdentity {
  if (looksLikeKey(value)) return rawKeyIdentity(value);
  if (value.length > FIELD_LIMITS.key_id || UNPRINTABLE.test(value)) return hashed(value);
  return { key_id: value };
}

function rawKeyIdentity(value: string): KeyIdentity {
  return value.length > FIELD_LIMITS.key || UNPRINTABLE.test(value) ? hashed(value) : { key: value };
}

function hashed(value: string): KeyIdentity {
  return { key_sha256: createHash('sha256').update(value).digest('hex') };
}

/** The credential of an `Authorization` value: the token, or the user name of Basic (where API keys are put). */
export function withoutScheme(value: string): string {
  const found = /^(bearer|token|apikey|api-key|key|basic)\s+(\S.*)$/i.exec(value);
  if (found === null) return value;
  const credential = (found[2] as string).trim();
  if ((found[1] as string).toLowerCase() !== 'basic') return credential;
  const decoded = Buffer.from(credential.slice(0, FIELD_LIMITS.key), 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? decoded : decoded.slice(0, colon);
}

/**
 * A claim of a logged JWT. Only the payload part is read; its signature was the gateway's to check.
 *
 * @param authorization value of the header, with or without `Bearer`
 * @param claim name of the claim, dotted for nested ones
 * @returns '' when there is no such token or claim
 */
export function jwtClaim(authorization: string, claim: string): string {
  if (authorization.length > MAX_JWT_LENGTH) return '';
  const token = withoutScheme(authorization);
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first <= 0 || second < 0) return '';
  const payload = parseJson(Buffer.from(token.slice(first + 1, second), 'base64url').toString('utf8'));
  return isObject(payload) ? textOf(valueAt(payload, claim)) : '';
}
