import { RecentMap } from './recent-map.ts';
import type { Redis } from './redis.ts';

/** Redis hash: SHA-256 of a raw key → key id. Compared with ClickHouse by workers/keys/rebuild-index.ts. */
export const KEY_BY_HASH = '{keytally}:keys:by_sha256';
/** Redis hash: key id → organization id; '' = registered as no organization's. */
export const KEY_OWNER = '{keytally}:keys:owner';

const CACHE_MS = 5_000;
const CACHE_KEYS = 100_000;

/** What the edge knows of the key registry: which key a hash is, and which organization owns a key. */
export class KeyIndex {
  readonly #redis: Redis;
  readonly #idOf = new RecentMap<string, { id: string; untilMs: number }>(CACHE_KEYS);
  readonly #ownerOf = new RecentMap<string, { owner: string; untilMs: number }>(CACHE_KEYS);

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /**
   * Key ids of raw-key hashes. A key nobody registered gets an id made from its hash, so that its use is
   * counted from the first request; registering the hash later gives it its real id from then on.
   */
  async idsOf(hashes: ReadonlySet<string>): Promise<Map<string, string>> {
    const now = Date.now();
    const ids = new Map<string, string>();
    const unknown: string[] = [];
    for (const hash of hashes) {
      const cached = this.#idOf.get(hash);
      if (cached && cached.untilMs > now) ids.set(hash, cached.id);
      else unknown.push(hash);
    }
    if (unknown.length === 0) return ids;
    const found = await this.#redis.hmget(KEY_BY_HASH, ...unknown);
    unknown.forEach((hash, at) => {
      const id = found[at] ?? `sha256_${hash.slice(0, 24)}`;
      ids.set(hash, id);
      this.#idOf.set(hash, { id, untilMs: now + CACHE_MS });
    });
    return ids;
  }

  /**
   * Which of `keyIds` the organization may report on. A key without owner becomes its own: the first
   * organization to use an id keeps it, so nobody can add to another's counts.
   */
  async ownedBy(organizationId: string, keyIds: ReadonlySet<string>): Promise<Set<string>> {
    const owned = new Set<string>();
    await Promise.all(
      [...keyIds].map(async (keyId) => {
        if ((await this.#claimOwner(organizationId, keyId)) === organizationId) owned.add(keyId);
      }),
    );
    return owned;
  }

  async #claimOwner(organizationId: string, keyId: string): Promise<string> {
    const now = Date.now();
    const cached = this.#ownerOf.get(keyId);
    if (cached && cached.untilMs > now) return cached.owner;
    await this.#redis.hsetnx(KEY_OWNER, keyId, organizationId);
    const owner = (await this.#redis.hget(KEY_OWNER, keyId)) ?? organizationId;
    this.#ownerOf.set(keyId, { owner, untilMs: now + CACHE_MS });
    return owner;
  }
}
