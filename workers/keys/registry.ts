import type { Queue } from 'bullmq';
import { KEY_BY_HASH, KEY_OWNER } from '../../ingest/key-index.ts';
import type { Redis } from '../../ingest/redis.ts';
import { type DeliveryJob, handOverKeyEvents, openDeliveryQueue } from '../alerts/outbox.ts';
import type { Store } from '../clickhouse/store.ts';
import { countKeyChange } from '../metrics.ts';
import { type Change, nextVersion } from './change.ts';
import { recordChanges, recordMissing } from './change-record.ts';
import { announceDenials, changesDenials, DenialWatch } from './denials.ts';
import type { KeyEvent } from './events.ts';
import { claimHashes, type PendingWrite, updateIndex } from './hash-index.ts';
import { blankKey, type RegisteredKey } from './key.ts';
import { type HeldLocks, lockKeys } from './key-locks.ts';
import { type LifecycleJob, needsExpiryJob, openLifecycleQueue, scheduleExpiries } from './lifecycle-queue.ts';
import { USED_BY } from './used-by.ts';

/** Another writer changed the key in between, or is changing it now, or another key has its hash. */
export class KeyConflict extends Error {}

/** Keys that are changed together: one lock script, one read, one insert. */
export const CHANGE_CHUNK = 1_000;
/** One request waits this long for another that changes the same key; a batch leaves such keys out. */
const PATIENCE_MS = 2_000;
/** Keys read together for the index (every read passes over all keys behind it), and those told Redis in one command. */
const INDEX_CHUNK = 50_000;
const INDEX_COMMAND_KEYS = 5_000;

/** Says what to change of a key (a blank one when it is new); undefined = nothing, and nothing is written. */
export type Decision = (present: RegisteredKey) => Change | undefined;

export interface Updated {
  before: RegisteredKey | undefined;
  after: RegisteredKey;
  /** False when there was nothing to change. */
  changed: boolean;
}

export interface BatchUpdate {
  updated: Updated[];
  /** Keys that could not be changed, and why. */
  conflicts: Map<string, Conflict>;
}

/** Why a key could not be changed: what of it another request or key holds. */
export interface Conflict {
  field: 'key_id' | 'sha256';
  message: string;
}

const BUSY: Conflict = { field: 'key_id', message: 'the key is being changed by another request' };
const HASH_TAKEN: Conflict = { field: 'sha256', message: 'another key has this hash' };

/**
 * The key registry. ClickHouse holds the durable truth and has no compare-and-set, so a short lock in Redis
 * keeps two writers of one key apart. Every change leaves one audit row, also when the writer is killed.
 */
export class Registry {
  readonly store: Store;
  readonly denials: DenialWatch;
  readonly #redis: Redis;
  #queue: Queue<LifecycleJob> | undefined;
  #deliveryQueue: Queue<DeliveryJob> | undefined;

  constructor(store: Store, redis: Redis) {
    this.store = store;
    this.#redis = redis;
    this.denials = new DenialWatch(redis);
  }

  /** The key as it stands, also when deleted; undefined when it was never registered. */
  async find(keyId: string): Promise<RegisteredKey | undefined> {
    return (await this.findMany([keyId])).get(keyId);
  }

  /** As {@link find}, of up to {@link CHANGE_CHUNK} keys. */
  async findMany(keyIds: readonly string[]): Promise<Map<string, RegisteredKey>> {
    if (keyIds.length === 0) return new Map();
    const rows = await this.store.queryWriter<RegisteredKey>(
      'SELECT * FROM keys FINAL WHERE key_id IN {key_ids:Array(String)}',
      { key_ids: keyIds },
    );
    return new Map(rows.map((row) => [row.key_id, row]));
  }

  /**
   * Changes or creates a key under its lock.
   * @param expectedVersion refuse unless the key has this version; undefined = whatever it has
   * @throws {KeyConflict} when another writer holds the key, the version differs or another key has its hash
   */
  async update(keyId: string, decide: Decision, expectedVersion?: number): Promise<Updated> {
    const { updated, conflicts } = await this.#locked([keyId], PATIENCE_MS, (present) => {
      if (expectedVersion !== undefined && expectedVersion !== present.version) {
        throw new KeyConflict(`the key has version ${present.version}, not ${expectedVersion}`);
      }
      return decide(present);
    });
    const conflict = conflicts.get(keyId);
    if (conflict !== undefined) throw new KeyConflict(`${conflict.field}: ${conflict.message}`);
    return updated[0]!;
  }

  /** Changes up to {@link CHANGE_CHUNK} different keys at once; those that others hold are left out. */
  updateMany(keyIds: readonly string[], decide: Decision): Promise<BatchUpdate> {
    return this.#locked(keyIds, 0, decide);
  }

  async #locked(keyIds: readonly string[], patienceMs: number, decide: Decision): Promise<BatchUpdate> {
    const locks = await lockKeys(this.#redis, keyIds, patienceMs);
    try {
      const held = new Set(locks.keyIds);
      const busy = keyIds.filter((keyId) => !held.has(keyId));
      const conflicts = new Map(busy.map((keyId) => [keyId, BUSY]));
      return { conflicts, updated: await this.#change(locks, decide, conflicts) };
    } finally {
      await locks.release();
    }
  }

  async #change(locks: HeldLocks, decide: Decision, conflicts: Map<string, Conflict>): Promise<Updated[]> {
    const present = await this.findMany(locks.keyIds);
    const now = new Date().toISOString();
    const results = locks.keyIds.map((keyId): Updated => {
      const before = present.get(keyId);
      const base = before ?? blankKey(keyId, now);
      const change = decide(base);
      return { before, after: change ? nextVersion(before, base, change, now) : base, changed: change !== undefined };
    });
    const writes = results.filter((result) => result.changed);
    const newHashes = writes.filter(({ before, after }) => before?.sha256 !== after.sha256 || before.deleted);
    const refused = await claimHashes(this.#redis, newHashes, (ids) => this.findMany(ids));
    for (const keyId of refused) conflicts.set(keyId, HASH_TAKEN);
    await this.#write(
      writes.filter(({ after }) => !refused.has(after.key_id)),
      locks,
    );
    return results.filter(({ after }) => !refused.has(after.key_id));
  }

  async #write(writes: readonly PendingWrite[], locks: HeldLocks): Promise<void> {
    if (writes.length === 0) return;
    const rows = writes.map(({ after }) => after);
    // A version must not be replaced before its audit row exists: its writer may have been killed.
    await recordMissing(
      this.store,
      writes.flatMap(({ before }) => before ?? []),
    );
    await updateIndex(this.#redis, writes);
    if (!(await locks.renew()))
      throw new KeyConflict('the store answers too slowly to change keys; nothing was changed');
    await this.store.insertRows('keys', rows);
    for (const row of rows) countKeyChange(row.change_action);
    const events = await recordChanges(this.store, rows);
    await this.#announce(writes);
    await this.handOver(events);
  }

  async #announce(writes: readonly PendingWrite[]): Promise<void> {
    const nowMs = Date.now();
    const denials = writes.filter(({ before, after }) => changesDenials(before, after));
    if (denials.length > 0) {
      const organizations = denials.flatMap(({ before, after }) => [
        before?.organization_id ?? after.organization_id,
        after.organization_id,
      ]);
      await announceDenials(this.#redis, organizations);
    }
    const expiring = writes.filter(
      ({ before, after }) =>
        needsExpiryJob(after, nowMs) && (before?.expires_at !== after.expires_at || before.status !== after.status),
    );
    if (expiring.length === 0) return;
    this.#queue ??= openLifecycleQueue(this.#redis);
    await scheduleExpiries(
      this.#queue,
      expiring.map(({ after }) => after),
      nowMs,
    );
  }

  /** Has stored events delivered to the platforms that own the keys. What is lost here is found by the relay of delivery. */
  async handOver(events: readonly KeyEvent[]): Promise<void> {
    if (events.length === 0) return;
    this.#deliveryQueue ??= openDeliveryQueue(this.#redis);
    await handOverKeyEvents(this.#deliveryQueue, events).catch(() => undefined);
  }

  /** Fills the edge's index from ClickHouse: after Redis was lost, or at the first start of a worker. */
  async rebuildIndex(): Promise<void> {
    await this.#indexRegistered();
    await this.#indexDiscovered();
    await this.#indexUnowned();
  }

  /** Most are there already, so they are asked for first: a command for each would take a million keys half a minute. */
  async #addMissing(hash: string, entries: readonly (readonly [field: string, value: string])[]): Promise<void> {
    if (entries.length === 0) return;
    const present = await this.#redis.hmget(hash, ...entries.map(([field]) => field));
    const pipeline = this.#redis.pipeline();
    for (const [at, [field, value]] of entries.entries()) if (present[at] === null) pipeline.hsetnx(hash, field, value);
    await pipeline.exec();
  }

  /** A key that nobody registered belongs to the organization that used it first, also when Redis forgot. */
  async #indexDiscovered(): Promise<void> {
    let after = '';
    for (;;) {
      const rows = await this.store.queryWriter<{ key_id: string; organization: string }>(
        `SELECT key_id, ${USED_BY} AS organization FROM key_totals WHERE key_id > {after:String}
         GROUP BY key_id ORDER BY key_id LIMIT ${INDEX_CHUNK}`,
        { after },
      );
      const owners = rows.flatMap((row) => (row.organization === '' ? [] : [[row.key_id, row.organization] as const]));
      for (let at = 0; at < owners.length; at += INDEX_COMMAND_KEYS)
        await this.#addMissing(KEY_OWNER, owners.slice(at, at + INDEX_COMMAND_KEYS));
      if (rows.length < INDEX_CHUNK) return;
      after = rows.at(-1)!.key_id;
    }
  }

  async #indexRegistered(): Promise<void> {
    let after = '';
    for (;;) {
      const rows = await this.store.queryWriter<IndexRow>(
        `SELECT key_id, organization_id, sha256, deleted FROM keys FINAL
         WHERE key_id > {after:String} ORDER BY key_id LIMIT ${INDEX_CHUNK}`,
        { after },
      );
      for (let at = 0; at < rows.length; at += INDEX_COMMAND_KEYS)
        await this.#fillIndex(rows.slice(at, at + INDEX_COMMAND_KEYS));
      if (rows.length < INDEX_CHUNK) return;
      after = rows.at(-1)!.key_id;
    }
  }

  /** A registered key of no organization is no organization's to report, unless one did so before it was registered. */
  async #indexUnowned(): Promise<void> {
    let after = '';
    for (;;) {
      const rows = await this.store.queryWriter<{ key_id: string }>(
        `SELECT key_id FROM keys FINAL WHERE organization_id = '' AND key_id > {after:String}
         ORDER BY key_id LIMIT ${INDEX_CHUNK}`,
        { after },
      );
      for (let at = 0; at < rows.length; at += INDEX_COMMAND_KEYS)
        await this.#addMissing(
          KEY_OWNER,
          rows.slice(at, at + INDEX_COMMAND_KEYS).map(({ key_id }) => [key_id, ''] as const),
        );
      if (rows.length < INDEX_CHUNK) return;
      after = rows.at(-1)!.key_id;
    }
  }

  /** A deleted key keeps its hash, so that attempts to use it are seen, unless a live key has the same one. */
  async #fillIndex(rows: readonly IndexRow[]): Promise<void> {
    const hashed = rows.filter((row) => row.sha256 !== '');
    const owners = rows.flatMap((row) => (row.organization_id === '' ? [] : [row.key_id, row.organization_id]));
    const live = hashed.flatMap((row) => (row.deleted ? [] : [row.sha256, row.key_id]));
    if (owners.length > 0) await this.#redis.hset(KEY_OWNER, ...owners);
    if (live.length > 0) await this.#redis.hset(KEY_BY_HASH, ...live);
    await this.#addMissing(
      KEY_BY_HASH,
      hashed.flatMap((row) => (row.deleted ? [[row.sha256, row.key_id] as const] : [])),
    );
  }
}

type IndexRow = Pick<RegisteredKey, 'key_id' | 'organization_id' | 'sha256' | 'deleted'>;
