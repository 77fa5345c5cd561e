import type { Store } from '../clickhouse/store.ts';
import { DIRECTORY_COLUMNS, keyDirectory } from './key-directory.ts';

/** Building takes at most this share of the time. */
const BUILD_SHARE = 0.05;
/** Generations kept: one that is being read stays until the next but one is there. */
const KEPT_GENERATIONS = 2;
/** A list older than this is not used any more; its builder is gone. */
const USABLE_MS = 15 * 60_000;
/** Far shorter than a generation is kept after the next one. */
const REMEMBERED_MS = 5_000;
/** Rows written by a slower clock, or while the build was already reading, are met by looking back this far. */
const OVERLAP_MS = 10_000;

export interface Generation {
  generation: number;
  keys: number;
  duration_ms: number;
  finished_ms: number;
}

/**
 * Whether to build the list now. Pure.
 * @param liveKeysMax up to this many keys are joined live for every page: exact to the second, and fast enough
 */
export function dueForBuild(keys: number, newest: Generation | undefined, liveKeysMax: number, nowMs: number): boolean {
  if (keys <= liveKeysMax) return false;
  return newest === undefined || nowMs - newest.finished_ms >= newest.duration_ms / BUILD_SHARE;
}

/** Whether pages may be read from this generation. Pure. */
export function isUsable(newest: Generation | undefined, nowMs: number): newest is Generation {
  return newest !== undefined && nowMs - newest.finished_ms < USABLE_MS;
}

export async function newestGeneration(store: Store): Promise<Generation | undefined> {
  const [row] = await store.query<Generation>(
    `SELECT generation, keys, duration_ms, toUnixTimestamp64Milli(finished_at) AS finished_ms
     FROM key_list_generations ORDER BY generation DESC LIMIT 1`,
  );
  return row;
}

/** The newest usable generation, remembered for a moment: every page of the key list asks for it. */
export class KeyLists {
  readonly #store: Store;
  #known: { newest: Generation | undefined; atMs: number } | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  async newest(nowMs: number): Promise<Generation | undefined> {
    if (!this.#known || nowMs - this.#known.atMs >= REMEMBERED_MS) {
      this.#known = { newest: await newestGeneration(this.#store), atMs: nowMs };
    }
    const { newest } = this.#known;
    return isUsable(newest, nowMs) ? newest : undefined;
  }
}

/**
 * Builds a new generation of the key list when there are many keys and the last one is old enough.
 * @param nowMs also names the generation: a repeat of the same slot builds it anew in its place
 * @returns the number of keys in it, undefined when none was due
 */
export async function buildKeyList(store: Store, liveKeysMax: number, nowMs: number): Promise<number | undefined> {
  const [counted] = await store.queryWriter<{ keys: number }>(
    `SELECT greatest((SELECT count() FROM keys), (SELECT count() FROM key_totals)) AS keys`,
  );
  const newest = await newestGeneration(store);
  return dueForBuild(counted!.keys, newest, liveKeysMax, nowMs) ? buildGeneration(store, nowMs) : undefined;
}

/** Builds a generation in any case. @returns the number of keys in it */
export async function buildGeneration(store: Store, nowMs: number): Promise<number> {
  await dropOldGenerations(store, nowMs);
  const startedAt = performance.now();
  await store.command(
    `INSERT INTO key_list (generation, ${DIRECTORY_COLUMNS.join(', ')})
     SELECT ${nowMs} AS generation, * FROM (${keyDirectory('1', nowMs)}) WHERE key_id != ''`,
  );
  const [built] = await store.queryWriter<{ keys: number }>(
    'SELECT count() AS keys FROM key_list WHERE generation = {generation:UInt64}',
    { generation: nowMs },
  );
  // Only a generation named here is read: one that a crash left half built is dropped later.
  await store.insertRows('key_list_generations', [
    {
      generation: nowMs,
      keys: built!.keys,
      duration_ms: Math.ceil(performance.now() - startedAt),
      finished_at: new Date().toISOString(),
    },
  ]);
  return built!.keys;
}

/** Drops all but the newest finished generations, and what was left of this one by an attempt that failed. */
async function dropOldGenerations(store: Store, building: number): Promise<void> {
  const present = await store.queryWriter<{ generation: number }>(
    `SELECT DISTINCT toUInt64(partition) AS generation FROM system.parts
     WHERE database = currentDatabase() AND table = 'key_list' AND active`,
  );
  const kept = await store.queryWriter<{ generation: number }>(
    `SELECT generation FROM key_list_generations WHERE generation != {building:UInt64}
     ORDER BY generation DESC LIMIT ${KEPT_GENERATIONS - 1}`,
    { building },
  );
  const keep = new Set(kept.map((row) => row.generation));
  for (const { generation } of present) {
    if (!keep.has(generation)) await store.command(`ALTER TABLE key_list DROP PARTITION ${generation}`);
  }
}

/** Ids of the keys that were changed, or appeared, since the generation was built; a SELECT. */
export function changedKeys({ generation }: Generation): string {
  const since = `fromUnixTimestamp64Milli(toInt64(${generation - OVERLAP_MS}))`;
  return `SELECT key_id FROM (SELECT key_id FROM keys WHERE updated_at >= ${since}
      UNION DISTINCT SELECT key_id FROM key_totals WHERE tracking_since >= ${since})`;
}
