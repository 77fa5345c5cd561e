import { randomUUID } from 'node:crypto';
import type { Redis } from '../ingest/redis.ts';
import { newToken, type Scope, sha256, TOKENS_KEY, TOKENS_USED_KEY, type TokenGrant } from '../ingest/token.ts';
import type { Store } from './clickhouse/store.ts';
import { underLock } from './locks.ts';
import { versionAfter } from './row-version.ts';

/** What is asked for when a token is made. */
export interface TokenRequest {
  name: string;
  scopes: Scope[];
  organizationId?: string;
  keyId?: string;
  expiresAtMs?: number;
}

interface TokenRow {
  sha256: string;
  id: string;
  name: string;
  scopes: Scope[];
  organization_id: string;
  key_id: string;
  expires_at_ms: number;
  created_at_ms: number;
  revoked: boolean;
  successor_id: string;
  version: number;
}

/** A token as it is listed: never the token itself. */
export type TokenEntry = TokenGrant & {
  createdAtMs: number;
  /** To the minute; 0 = never, or before Redis was lost. */
  lastUsedMs: number;
};

/** A token has a successor already, which is the one to rotate. */
export class RotatedAlready extends Error {
  readonly successorId: string;

  constructor(successorId: string) {
    super(`the token was rotated already; rotate its successor ${successorId} instead`);
    this.successorId = successorId;
  }
}

const LIVE_TOKENS = `SELECT sha256, id, name, scopes, organization_id, key_id, revoked, successor_id, version,
    toUnixTimestamp64Milli(created_at) AS created_at_ms,
    ifNull(toUnixTimestamp64Milli(expires_at), 0) AS expires_at_ms
  FROM tokens FINAL`;

/** Tokens that Redis is asked for in one command. */
const CHUNK_TOKENS = 1_000;
/** Of a reconciliation that others write beside; the next one goes on. */
const MAX_LOOKS = 3;

/** Tokens: ClickHouse keeps them, Redis serves them to the edge. */
export class Tokens {
  readonly #store: Store;
  readonly #redis: Redis;

  constructor(store: Store, redis: Redis) {
    this.#store = store;
    this.#redis = redis;
  }

  /** Makes a token. The token is in the result and nowhere else. `token`: use this one instead of a new one. */
  async create(request: TokenRequest, token = newToken()): Promise<{ token: string; grant: TokenGrant }> {
    const grant: TokenGrant = {
      id: randomUUID(),
      name: request.name,
      scopes: request.scopes,
      organizationId: request.organizationId ?? '',
      keyId: request.keyId ?? '',
      expiresAtMs: request.expiresAtMs ?? 0,
    };
    await this.#write(sha256(token), grant, { createdAtMs: Date.now() });
    await this.#redis.hset(TOKENS_KEY, sha256(token), JSON.stringify(grant));
    return { token, grant };
  }

  async list(): Promise<TokenEntry[]> {
    const rows = await this.#rows();
    const used = await this.#redis.hgetall(TOKENS_USED_KEY);
    return rows
      .filter((row) => !row.revoked)
      .map((row) => ({ ...grantOf(row), createdAtMs: row.created_at_ms, lastUsedMs: Number(used[row.id] ?? 0) }));
  }

  /**
   * Makes a token with the same rights; the old one ends after the overlap, or earlier when it was to end earlier.
   * @returns undefined when there is no such token, or it has ended
   * @throws {RotatedAlready} when it has a successor: one made of what is about to end would end with it
   * @throws {Problem} 409 when another request changes it at this moment
   */
  rotate(
    id: string,
    overlapMs: number,
  ): Promise<{ token: string; grant: TokenGrant; oldExpiresAtMs: number } | undefined> {
    return underLock(this.#redis, 'token', id, async () => {
      const rows = await this.#rows();
      const row = rows.find((candidate) => candidate.id === id && !candidate.revoked);
      if (!row) return undefined;
      const old = grantOf(row);
      if (old.expiresAtMs !== 0 && old.expiresAtMs <= Date.now()) return undefined;
      // A successor that was revoked is no reason: the old token would have to be replaced with a new one by hand.
      const successor = rows.find((candidate) => candidate.id === row.successor_id && !candidate.revoked);
      if (successor) throw new RotatedAlready(successor.id);
      const { token, grant } = await this.create(old);
      const endMs = Date.now() + overlapMs;
      const oldExpiresAtMs = old.expiresAtMs === 0 ? endMs : Math.min(old.expiresAtMs, endMs);
      const ending = { ...old, expiresAtMs: oldExpiresAtMs };
      await this.#write(row.sha256, ending, { ...lifeOf(row), successorId: grant.id });
      await this.#redis.hset(TOKENS_KEY, row.sha256, JSON.stringify(ending));
      return { token, grant, oldExpiresAtMs };
    });
  }

  /**
   * Beside a rotation that had read the token before, its row would be written once more, as one that is not revoked.
   * @returns what the token might do; undefined when there was none
   * @throws {Problem} 409 when it is being rotated
   */
  revoke(id: string): Promise<TokenGrant | undefined> {
    return underLock(this.#redis, 'token', id, async () => {
      const row = (await this.#rows()).find((candidate) => candidate.id === id && !candidate.revoked);
      if (!row) return undefined;
      await this.#redis.hdel(TOKENS_KEY, row.sha256);
      await this.#write(row.sha256, grantOf(row), { ...lifeOf(row), revoked: true });
      // Again: a reconciliation that had read the row before may have set it meanwhile.
      await this.#redis.hdel(TOKENS_KEY, row.sha256);
      return grantOf(row);
    });
  }

  /**
   * Brings Redis in line with ClickHouse. What a writer changes meanwhile is met by another look after the own writes; a writer writes to ClickHouse
   * first and to Redis after it, so one of the two comes last with what is true.
   * @returns tokens that Redis had otherwise
   */
  async reconcile(): Promise<number> {
    let mended = 0;
    for (let look = 0; look < MAX_LOOKS; look++) {
      const wrong = await this.#mend(await this.#rows());
      if (wrong === 0) return mended;
      mended += wrong;
    }
    return mended;
  }

  /** @returns tokens that were set or taken out */
  async #mend(rows: readonly TokenRow[]): Promise<number> {
    let mended = 0;
    for (let at = 0; at < rows.length; at += CHUNK_TOKENS) {
      const chunk = rows.slice(at, at + CHUNK_TOKENS);
      const present = await this.#redis.hmget(TOKENS_KEY, ...chunk.map((row) => row.sha256));
      const wanted = chunk.map((row) => (row.revoked ? null : JSON.stringify(grantOf(row))));
      const wrong = chunk.flatMap((row, n) =>
        present[n] === wanted[n] ? [] : [{ hash: row.sha256, grant: wanted[n] }],
      );
      for (const { hash, grant } of wrong) {
        if (grant) await this.#redis.hset(TOKENS_KEY, hash, grant);
        else await this.#redis.hdel(TOKENS_KEY, hash);
      }
      mended += wrong.length;
    }
    return mended;
  }

  /**
   * Makes sure there is an administrator.
   * @param given token from the configuration; without one, the first start makes one
   * @returns the new token, to be shown once; undefined when one exists already
   */
  async ensureAdmin(given: string | undefined): Promise<string | undefined> {
    const rows = await this.#rows();
    if (given) {
      if (rows.some((row) => row.sha256 === sha256(given) && !row.revoked)) return undefined;
      await this.create({ name: 'KEYTALLY_ADMIN_TOKEN', scopes: ['admin'] }, given);
      return undefined;
    }
    if (rows.length > 0) return undefined;
    // Two workers may start at once on an empty store: only one of them makes the first token.
    const first = await this.#redis.set('{keytally}:first-token', '1', 'EX', 60, 'NX');
    return first ? (await this.create({ name: 'first administrator', scopes: ['admin'] })).token : undefined;
  }

  #rows(): Promise<TokenRow[]> {
    return this.#store.queryWriter<TokenRow>(LIVE_TOKENS);
  }

  async #write(hash: string, grant: TokenGrant, life: Life): Promise<void> {
    await this.#store.insertRows('tokens', [
      {
        sha256: hash,
        id: grant.id,
        name: grant.name,
        scopes: grant.scopes,
        organization_id: grant.organizationId,
        key_id: grant.keyId,
        created_at: new Date(life.createdAtMs).toISOString(),
        expires_at: grant.expiresAtMs === 0 ? null : new Date(grant.expiresAtMs).toISOString(),
        revoked: life.revoked ?? false,
        successor_id: life.successorId ?? '',
        version: versionAfter(life.version ?? 0),
      },
    ]);
  }
}

/** What a row holds beside the grant. */
interface Life {
  createdAtMs: number;
  successorId?: string;
  revoked?: boolean;
  /** Of the row that this one replaces. */
  version?: number;
}

const lifeOf = (row: TokenRow): Life => ({
  createdAtMs: row.created_at_ms,
  successorId: row.successor_id,
  version: row.version,
});

function grantOf(row: TokenRow): TokenGrant {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    organizationId: row.organization_id,
    keyId: row.key_id,
    expiresAtMs: Number(row.expires_at_ms),
  };
}
