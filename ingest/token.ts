import { createHash, randomInt } from 'node:crypto';
import { Problem } from './problem.ts';
import { RecentMap } from './recent-map.ts';
import type { Redis } from './redis.ts';

/** `manage` includes `read`; `admin` includes everything. */
export type Scope = 'ingest' | 'read' | 'manage' | 'admin';
export const SCOPES: readonly Scope[] = ['ingest', 'read', 'manage', 'admin'];

/** What a token may do. The token itself is never stored, only its SHA-256. */
export interface TokenGrant {
  id: string;
  name: string;
  scopes: Scope[];
  /** '' = every organization. */
  organizationId: string;
  /** '' = every key of the organization. */
  keyId: string;
  /** Epoch milliseconds; 0 = never. */
  expiresAtMs: number;
}

/** Redis hash: SHA-256 of the token → grant as JSON. ClickHouse holds the durable copy (workers/tokens.ts). */
export const TOKENS_KEY = '{keytally}:tokens';

/** Redis hash: token id → time it was last used, epoch milliseconds, to the minute. */
export const TOKENS_USED_KEY = '{keytally}:tokens:used';

/**
 * Redis key: there from the end of a rebuild from ClickHouse on (workers/edge-index.ts). Without it a token that Redis does not know may be one
 * that it lost.
 */
export const INDEX_BUILT_KEY = '{keytally}:index:built';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const TOKEN_LENGTH = 40;
const TOKEN = /^kt_[A-Za-z0-9]{20,200}$/;

/** A new token: `kt_` and 40 random letters or digits, about 238 bits. */
export function newToken(): string {
  let token = 'kt_';
  for (let i = 0; i < TOKEN_LENGTH; i++) token += ALPHABET[randomInt(ALPHABET.length)];
  return token;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Whether the grant allows `scope` at time `nowMs`. */
export function allows(grant: TokenGrant, scope: Scope, nowMs: number): boolean {
  if (grant.expiresAtMs !== 0 && grant.expiresAtMs <= nowMs) return false;
  if (grant.scopes.includes('admin') || grant.scopes.includes(scope)) return true;
  return scope === 'read' && grant.scopes.includes('manage');
}

/** A revoked token stops working within this time everywhere. */
const CACHE_MS = 2_000;
const CACHE_TOKENS = 10_000;
/** A busy token's time of use is written this often. */
const USED_EVERY_MS = 60_000;

/** Looks tokens up by their hash: comparing hashes of a secret leaks nothing about the secret by timing. */
export class TokenReader {
  readonly #redis: Redis;
  readonly #cache = new RecentMap<string, { grant: TokenGrant; untilMs: number }>(CACHE_TOKENS);
  /** Apart: whoever tries many must not push those out that are in use. Hash → until when. */
  readonly #unknown = new RecentMap<string, number>(CACHE_TOKENS);

  readonly #used = new RecentMap<string, number>(CACHE_TOKENS);

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Notes that a token was accepted. Nobody waits for it, and a failure costs only the note. */
  noteUse(id: string, nowMs: number): void {
    if (nowMs - (this.#used.get(id) ?? 0) < USED_EVERY_MS) return;
    this.#used.set(id, nowMs);
    this.#redis.hset(TOKENS_USED_KEY, id, nowMs).catch(() => undefined);
  }

  /**
   * The grant of a presented token, also when expired; undefined when unknown or not shaped like one.
   * @throws {Problem} 503 when it is not found in a Redis that has lost its tokens; what Redis raises when it is away
   */
  async find(token: string): Promise<TokenGrant | undefined> {
    return TOKEN.test(token) ? this.findByHash(sha256(token)) : undefined;
  }

  async findByHash(hash: string): Promise<TokenGrant | undefined> {
    const cached = this.#cache.get(hash);
    if (cached && cached.untilMs > Date.now()) return cached.grant;
    if ((this.#unknown.get(hash) ?? 0) > Date.now()) return undefined;
    const json = await this.#redis.hget(TOKENS_KEY, hash);
    const untilMs = Date.now() + CACHE_MS;
    if (!json) {
      if ((await this.#redis.exists(INDEX_BUILT_KEY)) === 0) throw tokensUnavailable();
      this.#unknown.set(hash, untilMs);
      return undefined;
    }
    const grant = JSON.parse(json) as TokenGrant;
    this.#cache.set(hash, { grant, untilMs });
    return grant;
  }
}

/** Senders keep their records and repeat; after a 401 they would give up. */
export function tokensUnavailable(cause?: unknown): Problem {
  return new Problem(503, 'Not available', 'tokens cannot be checked at the moment; retry later', {
    headers: { 'Retry-After': '5' },
    cause,
  });
}

/** The token of an `Authorization: Bearer` header; '' when there is none. */
export function bearerToken(authorization: string | undefined): string {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
}
