import { randomBytes } from 'node:crypto';
import type { Redis } from '../ingest/redis.ts';
import { sha256, type TokenGrant, type TokenReader } from '../ingest/token.ts';

/** A login ends after this time without use of the page. */
const SESSION_SECONDS = 12 * 60 * 60;
export const SESSION_COOKIE = 'keytally_session';

/** Logins of the dashboard. The cookie holds a random id; Redis knows which token's hash it stands for. */
export class Sessions {
  readonly #redis: Redis;
  readonly #tokens: TokenReader;

  constructor(redis: Redis, tokens: TokenReader) {
    this.#redis = redis;
    this.#tokens = tokens;
  }

  /** Starts a session; @returns its id for the cookie */
  async start(token: string): Promise<string> {
    const id = randomBytes(32).toString('base64url');
    await this.#redis.set(keyOf(id), sha256(token), 'EX', SESSION_SECONDS);
    return id;
  }

  /** The grant of a session; undefined when it ended or its token was revoked. */
  async find(id: string): Promise<TokenGrant | undefined> {
    const hash = await this.#redis.getex(keyOf(id), 'EX', SESSION_SECONDS);
    return hash ? this.#tokens.findByHash(hash) : undefined;
  }

  async end(id: string): Promise<void> {
    await this.#redis.del(keyOf(id));
  }
}

/** Hashed, so that a look into Redis lets nobody in. */
function keyOf(id: string): string {
  return `{keytally}:session:${sha256(id)}`;
}
