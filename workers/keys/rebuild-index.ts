import { KEY_BY_HASH, KEY_OWNER } from '../../ingest/key-index.ts';
import type { Redis } from '../../ingest/redis.ts';
import type { Store } from '../clickhouse/store.ts';
import { forgetHashes } from './hash-index.ts';
import type { RegisteredKey } from './key.ts';
import { USED_BY } from './used-by.ts';

/** Keys read together for the index (every read passes over all keys behind it), and those told Redis in one command. */
const READ_KEYS = 50_000;
const COMMAND_KEYS = 5_000;
/** Of the keys that Redis had otherwise, while others change them; the next look over the index goes on. */
const MAX_LOOKS = 3;

/** What the index has of a registered key. */
export type IndexRow = Pick<RegisteredKey, 'key_id' | 'organization_id' | 'sha256' | 'deleted' | 'version'>;

const INDEX_COLUMNS = 'key_id, organization_id, sha256, deleted, version';
const IN_RANGE = 'FROM keys FINAL WHERE key_id >= {first:String} AND key_id <= {last:String}';

/** A field of a hash in Redis and what it should hold. */
type Entry = readonly [field: string, value: string];

/**
 * Brings the edge's index of keys in line with ClickHouse: at a worker's start, after Redis was lost, and now and then.
 * @returns entries that Redis lacked or had otherwise
 */
export async function rebuildKeyIndex(store: Store, redis: Redis): Promise<number> {
  const index = new KeyIndexRebuild(store, redis);
  return (await index.registered()) + (await index.discovered()) + (await index.unowned());
}

/** What the index should have of keys, as it stands in ClickHouse. */
export async function readIndexRows(store: Store, keyIds: readonly string[]): Promise<IndexRow[]> {
  if (keyIds.length === 0) return [];
  return store.queryWriter<IndexRow>(
    `SELECT ${INDEX_COLUMNS} FROM keys FINAL WHERE key_id IN {key_ids:Array(String)}`,
    { key_ids: keyIds },
  );
}

class KeyIndexRebuild {
  readonly #store: Store;
  readonly #redis: Redis;

  constructor(store: Store, redis: Redis) {
    this.#store = store;
    this.#redis = redis;
  }

  registered(): Promise<number> {
    return this.#inParts<IndexRow>(`SELECT ${INDEX_COLUMNS} FROM keys FINAL WHERE key_id > {after:String}`, (rows) =>
      this.#fill(rows),
    );
  }

  /** A key that nobody registered belongs to the organization that used it first, also when Redis forgot. */
  discovered(): Promise<number> {
    return this.#inParts<{ key_id: string; organization: string }>(
      `SELECT key_id, ${USED_BY} AS organization FROM key_totals WHERE key_id > {after:String} GROUP BY key_id`,
      (rows) =>
        this.#addMissing(
          KEY_OWNER,
          rows.flatMap((row) => (row.organization === '' ? [] : [[row.key_id, row.organization] as const])),
        ),
    );
  }

  /** A registered key of no organization is no organization's to report, unless one did so before it was registered. */
  unowned(): Promise<number> {
    return this.#inParts<{ key_id: string }>(
      `SELECT key_id FROM keys FINAL WHERE organization_id = '' AND key_id > {after:String}`,
      (rows) =>
        this.#addMissing(
          KEY_OWNER,
          rows.map(({ key_id }) => [key_id, ''] as const),
        ),
    );
  }

  async #inParts<T extends { key_id: string }>(select: string, tell: (rows: T[]) => Promise<number>): Promise<number> {
    let mended = 0;
    let after = '';
    for (;;) {
      const rows = await this.#store.queryWriter<T>(`${select} ORDER BY key_id LIMIT ${READ_KEYS}`, { after });
      for (let at = 0; at < rows.length; at += COMMAND_KEYS) mended += await tell(rows.slice(at, at + COMMAND_KEYS));
      if (rows.length < READ_KEYS) return mended;
      after = rows.at(-1)!.key_id;
    }
  }

  /**
   * A key may be changed between its reading and what is written here: then an old hash would lead to it again, or a former organization own it. So
   * what was written is read once more. A writer tells the index after it stored a key as well, and so one of the two comes last with what is true.
   */
  async #fill(rows: readonly IndexRow[]): Promise<number> {
    let told = await this.#mend(rows);
    const mended = told.length;
    let seen = rows;
    for (let look = 1; told.length > 0 && look < MAX_LOOKS; look++) {
      if (await this.#standStill(seen)) break;
      seen = await this.#again(rows);
      const present = new Map(seen.map((row) => [row.key_id, row]));
      const fresh = told.flatMap((row) => present.get(row.key_id) ?? []);
      const former = told.filter((row) => row.sha256 !== '' && present.get(row.key_id)?.sha256 !== row.sha256);
      await forgetHashes(this.#redis, former);
      const given = told.filter((row) => row.sha256 !== '' && !row.deleted && present.get(row.key_id)?.deleted);
      told = await this.#mend([...fresh, ...(await this.#liveWith([...former, ...given]))]);
    }
    return mended;
  }

  /**
   * Whether all keys between the first and the last of these are as they were read: every change raises a version. Reading them once more would take
   * a million keys ten seconds.
   */
  async #standStill(rows: readonly IndexRow[]): Promise<boolean> {
    const [now] = await this.#store.queryWriter<{ keys: number; versions: number }>(
      `SELECT count() AS keys, sum(version) AS versions ${IN_RANGE}`,
      endsOf(rows),
    );
    return now!.keys === rows.length && now!.versions === rows.reduce((sum, row) => sum + row.version, 0);
  }

  #again(rows: readonly IndexRow[]): Promise<IndexRow[]> {
    return this.#store.queryWriter<IndexRow>(`SELECT ${INDEX_COLUMNS} ${IN_RANGE} ORDER BY key_id`, endsOf(rows));
  }

  /** Keys that took over what others had. */
  async #liveWith(former: readonly IndexRow[]): Promise<IndexRow[]> {
    if (former.length === 0) return [];
    return this.#store.queryWriter<IndexRow>(
      `SELECT ${INDEX_COLUMNS} FROM keys FINAL WHERE sha256 IN {hashes:Array(String)} AND NOT deleted`,
      { hashes: former.map((row) => row.sha256) },
    );
  }

  /** A deleted key keeps its hash, so that attempts to use it are seen, unless a live key has the same one. @returns the rows Redis had otherwise */
  async #mend(rows: readonly IndexRow[]): Promise<IndexRow[]> {
    const owned = rows.filter((row) => row.organization_id !== '');
    const hashed = rows.filter((row) => row.sha256 !== '');
    const owners = await this.#present(
      KEY_OWNER,
      owned.map((row) => row.key_id),
    );
    const holders = await this.#present(
      KEY_BY_HASH,
      hashed.map((row) => row.sha256),
    );
    const misowned = owned.filter((row, at) => owners[at] !== row.organization_id);
    const misled = hashed.filter((row, at) => (row.deleted ? holders[at] === null : holders[at] !== row.key_id));
    const live = misled.filter((row) => !row.deleted).flatMap((row) => [row.sha256, row.key_id]);
    if (misowned.length > 0)
      await this.#redis.hset(KEY_OWNER, ...misowned.flatMap((row) => [row.key_id, row.organization_id]));
    if (live.length > 0) await this.#redis.hset(KEY_BY_HASH, ...live);
    const pipeline = this.#redis.pipeline();
    for (const row of misled) if (row.deleted) pipeline.hsetnx(KEY_BY_HASH, row.sha256, row.key_id);
    await pipeline.exec();
    return [...new Set([...misowned, ...misled])];
  }

  /** Most are there already, so they are asked for first: a command for each would take a million keys half a minute. */
  async #addMissing(hash: string, entries: readonly Entry[]): Promise<number> {
    const present = await this.#present(
      hash,
      entries.map(([field]) => field),
    );
    const missing = entries.filter((_, at) => present[at] === null);
    const pipeline = this.#redis.pipeline();
    for (const [field, value] of missing) pipeline.hsetnx(hash, field, value);
    await pipeline.exec();
    return missing.length;
  }

  async #present(hash: string, fields: readonly string[]): Promise<(string | null)[]> {
    return fields.length === 0 ? [] : this.#redis.hmget(hash, ...fields);
  }
}

const endsOf = (rows: readonly IndexRow[]) => ({ first: rows[0]!.key_id, last: rows.at(-1)!.key_id });
