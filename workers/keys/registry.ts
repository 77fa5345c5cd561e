import type { Queue } from 'bullmq';
import type { Redis } from '../../ingest/redis.ts';
import { INDEX_BUILT_KEY } from '../../ingest/token.ts';
import { type DeliveryJob, handOverKeyEvents, openDeliveryQueue } from '../alerts/outbox.ts';
import type { Store } from '../clickhouse/store.ts';
import { type HeldLocks, lockFree, PATIENCE_MS } from '../locks.ts';
import { countKeyChange } from '../metrics.ts';
import { type Change, nextVersion } from './change.ts';
import { recordChanges, recordMissing } from './change-record.ts';
import { announceDenials, changesDenials, DenialWatch } from './denials.ts';
import type { KeyEvent } from './events.ts';
import { claimHashes, confirmIndex, type PendingWrite, updateIndex } from './hash-index.ts';
import { doubtIndex } from './index-look.ts';
import { blankKey, type RegisteredKey } from './key.ts';
import { type LifecycleJob, needsExpiryJob, openLifecycleQueue, scheduleExpiries } from './lifecycle-queue.ts';

/** Another writer changed the key in between, or is changing it now, or another key has its hash. */
export class KeyConflict extends Error {}

/** Keys that are changed together: one lock script, one read, one insert. */
export const CHANGE_CHUNK = 1_000;

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
    const locks = await lockFree(this.#redis, 'key', keyIds, patienceMs);
    try {
      const held = new Set(locks.ids);
      const busy = keyIds.filter((keyId) => !held.has(keyId));
      const conflicts = new Map(busy.map((keyId) => [keyId, BUSY]));
      return { conflicts, updated: await this.#change(locks, decide, conflicts) };
    } finally {
      await locks.release();
    }
  }

  async #change(locks: HeldLocks, decide: Decision, conflicts: Map<string, Conflict>): Promise<Updated[]> {
    const present = await this.findMany(locks.ids);
    const now = new Date().toISOString();
    const results = locks.ids.map((keyId): Updated => {
      const before = present.get(keyId);
      const base = before ?? blankKey(keyId, now);
      const change = decide(base);
      return { before, after: change ? nextVersion(before, base, change, now) : base, changed: change !== undefined };
    });
    const writes = results.filter((result) => result.changed);
    const newHashes = writes.filter(({ before, after }) => before?.sha256 !== after.sha256 || before.deleted);
    const refused = await this.#claim(newHashes);
    for (const keyId of refused) conflicts.set(keyId, HASH_TAKEN);
    await this.#write(
      writes.filter(({ after }) => !refused.has(after.key_id)),
      locks,
    );
    return results.filter(({ after }) => !refused.has(after.key_id));
  }

  /** @returns the key ids whose hash belongs to another key */
  async #claim(writes: readonly PendingWrite[]): Promise<Set<string>> {
    const refused = await this.#heldByOthers(writes);
    const rest = writes.filter(({ after }) => !refused.has(after.key_id));
    for (const keyId of await claimHashes(this.#redis, rest, (ids) => this.findMany(ids))) refused.add(keyId);
    return refused;
  }

  /** A Redis that has not got the index back yet would let a hash be claimed that a key has. */
  async #heldByOthers(writes: readonly PendingWrite[]): Promise<Set<string>> {
    const claimed = writes.map(({ after }) => after).filter((after) => after.sha256 !== '');
    if (claimed.length === 0 || (await this.#redis.exists(INDEX_BUILT_KEY)) === 1) return new Set();
    const holders = await this.store.queryWriter<Pick<RegisteredKey, 'key_id' | 'sha256'>>(
      'SELECT key_id, sha256 FROM keys FINAL WHERE sha256 IN {hashes:Array(String)} AND NOT deleted',
      { hashes: claimed.map((after) => after.sha256) },
    );
    const holderOf = new Map(holders.map((row) => [row.sha256, row.key_id]));
    const taken = claimed.filter((after) => (holderOf.get(after.sha256) ?? after.key_id) !== after.key_id);
    return new Set(taken.map((after) => after.key_id));
  }

  async #write(writes: readonly PendingWrite[], locks: HeldLocks): Promise<void> {
    if (writes.length === 0) return;
    const rows = writes.map(({ after }) => after);
    // A version must not be replaced before its audit row exists: its writer may have been killed.
    await recordMissing(
      this.store,
      writes.flatMap(({ before }) => before ?? []),
    );
    const events = await this.#storeAndIndex(writes, rows, locks);
    await this.#announce(writes);
    await this.handOver(events);
  }

  /** The index last: without Redis it is mended later, what is stored needs its audit row. */
  async #storeAndIndex(
    writes: readonly PendingWrite[],
    rows: readonly RegisteredKey[],
    locks: HeldLocks,
  ): Promise<KeyEvent[]> {
    try {
      await updateIndex(this.#redis, writes);
      if (!(await locks.renew()))
        throw new KeyConflict('the store answers too slowly to change keys; nothing was changed');
      await this.store.insertRows('keys', rows);
      for (const row of rows) countKeyChange(row.change_action);
      const events = await recordChanges(this.store, rows);
      await confirmIndex(this.#redis, writes);
      return events;
    } catch (error) {
      await doubtIndex(this.#redis).catch(() => undefined);
      throw error;
    }
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
}
