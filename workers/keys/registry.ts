import type { Redis } from 'ioredis';
import { KEY_BY_HASH, KEY_OWNER } from '../../ingest/key-index.ts';
import type { Store } from '../clickhouse/store.ts';
import { blankKey, type RegisteredKey } from './key.ts';

/** Another writer changed the key in between, or is changing it now. */
export class KeyConflict extends Error {}

const LOCK_MS = 10_000;
const INDEX_CHUNK = 5_000;

/**
 * The key registry. ClickHouse holds the durable truth and has no compare-and-set, so a short lock in Redis
 * keeps two writers of one key apart.
 */
export class Registry {
  readonly #store: Store;
  readonly #redis: Redis;

  constructor(store: Store, redis: Redis) {
    this.#store = store;
    this.#redis = redis;
  }

  /** The key as it stands, also when deleted; undefined when it was never registered. */
  async find(keyId: string): Promise<RegisteredKey | undefined> {
    const [row] = await this.#store.queryWriter<RegisteredKey>(
      'SELECT * FROM keys FINAL WHERE key_id = {key_id:String}',
      {
        key_id: keyId,
      },
    );
    return row;
  }

  /**
   * Changes or creates a key under its lock.
   * @param change gets the present key (a blank one when new) and returns what is to be stored
   * @param expectedVersion refuse unless the key has this version; undefined = whatever it has
   * @throws {KeyConflict} when another writer holds the key or the version differs
   */
  async update(
    keyId: string,
    change: (before: RegisteredKey) => Partial<RegisteredKey>,
    expectedVersion?: number,
  ): Promise<{ before: RegisteredKey | undefined; after: RegisteredKey }> {
    const lock = `{keytally}:key-lock:${keyId}`;
    const owner = `${process.pid}-${Math.random()}`;
    if (!(await this.#redis.set(lock, owner, 'PX', LOCK_MS, 'NX'))) {
      throw new KeyConflict('the key is being changed by another request');
    }
    try {
      return await this.#write(keyId, change, expectedVersion);
    } finally {
      if ((await this.#redis.get(lock)) === owner) await this.#redis.del(lock);
    }
  }

  async #write(
    keyId: string,
    change: (before: RegisteredKey) => Partial<RegisteredKey>,
    expectedVersion: number | undefined,
  ): Promise<{ before: RegisteredKey | undefined; after: RegisteredKey }> {
    const before = await this.find(keyId);
    if (expectedVersion !== undefined && expectedVersion !== (before?.version ?? 0)) {
      throw new KeyConflict(`the key has version ${before?.version ?? 0}, not ${expectedVersion}`);
    }
    const now = new Date().toISOString();
    const base = before ?? blankKey(keyId, now);
    const after = {
      ...base,
      deleted: false,
      ...change(base),
      key_id: keyId,
      version: base.version + 1,
      updated_at: now,
    };
    await this.#store.insertRows('keys', [after]);
    await this.#index(before, after);
    return { before, after };
  }

  async #index(before: RegisteredKey | undefined, after: RegisteredKey): Promise<void> {
    if (before?.sha256 && before.sha256 !== after.sha256) await this.#redis.hdel(KEY_BY_HASH, before.sha256);
    if (after.sha256) await this.#redis.hset(KEY_BY_HASH, after.sha256, after.key_id);
    if (after.organization_id) await this.#redis.hset(KEY_OWNER, after.key_id, after.organization_id);
  }

  /** Fills the edge's index from ClickHouse: after Redis was lost, or at the first start of a worker. */
  async rebuildIndex(): Promise<void> {
    let after = '';
    for (;;) {
      const rows = await this.#store.queryWriter<{ key_id: string; organization_id: string; sha256: string }>(
        `SELECT key_id, organization_id, sha256 FROM keys FINAL
         WHERE key_id > {after:String} AND NOT deleted ORDER BY key_id LIMIT ${INDEX_CHUNK}`,
        { after },
      );
      const hashes = rows.filter((row) => row.sha256 !== '').flatMap((row) => [row.sha256, row.key_id]);
      const owners = rows
        .filter((row) => row.organization_id !== '')
        .flatMap((row) => [row.key_id, row.organization_id]);
      if (hashes.length > 0) await this.#redis.hset(KEY_BY_HASH, ...hashes);
      if (owners.length > 0) await this.#redis.hset(KEY_OWNER, ...owners);
      if (rows.length < INDEX_CHUNK) return;
      after = rows.at(-1)!.key_id;
    }
  }
}
