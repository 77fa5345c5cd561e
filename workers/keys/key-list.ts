import { type Store, withSettings } from '../clickhouse/store.ts';
import { DIRECTORY_COLUMNS, keyDirectory } from './key-directory.ts';
import { KEY_ORDERS, LIMIT_USED, orderRows } from './key-order.ts';
import { limitUse } from './limit-use.ts';

/** Building takes at most this share of the time. */
const BUILD_SHARE = 0.05;
/** Generations kept: one that is being read stays until the next but one is there. */
const KEPT_GENERATIONS = 2;
/** A list older than this is not used any more; its builder is gone. */
const USABLE_MS = 15 * 60_000;
/** Rows written by a slower clock, or while the build was already reading, are met by looking back this far. */
const OVERLAP_MS = 10_000;

/** Both hold generations as partitions. */
const TABLES = ['key_list', 'key_list_order'] as const;

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

/** One processor, and blocks that become few parts: a page reads from each part of its order. */
const BUILD_SETTINGS = { max_threads: 1, max_insert_threads: 1, min_insert_block_size_rows: 524_288 };

/** Builds a generation in any case. @returns the number of keys in it */
export async function buildGeneration(store: Store, nowMs: number): Promise<number> {
  for (const table of TABLES) await dropOldGenerations(store, table, nowMs);
  const startedAt = performance.now();
  const build = (statement: string) => store.commandAside(withSettings(statement, BUILD_SETTINGS));
  await build(
    `INSERT INTO key_list (generation, ${DIRECTORY_COLUMNS.join(', ')}, limit_used)
     SELECT ${nowMs} AS generation, d.*, ${LIMIT_USED} AS limit_used FROM (${keyDirectory('1', nowMs)}) AS d
     LEFT JOIN (${limitUse('1', nowMs)}) AS u ON u.limited_id = d.key_id WHERE d.key_id != ''`,
  );
  for (const order of KEY_ORDERS) await build(`INSERT INTO key_list_order ${orderRows(order, nowMs)}`);
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
async function dropOldGenerations(store: Store, table: (typeof TABLES)[number], building: number): Promise<void> {
  const present = await store.queryWriter<{ generation: number }>(
    `SELECT DISTINCT toUInt64(partition) AS generation FROM system.parts
     WHERE database = currentDatabase() AND table = '${table}' AND active`,
  );
  const kept = await store.queryWriter<{ generation: number }>(
    `SELECT generation FROM key_list_generations WHERE generation != {building:UInt64}
     ORDER BY generation DESC LIMIT ${KEPT_GENERATIONS - 1}`,
    { building },
  );
  const keep = new Set(kept.map((row) => row.generation));
  for (const { generation } of present) {
    if (!keep.has(generation)) await store.command(`ALTER TABLE ${table} DROP PARTITION ${generation}`);
  }
}

/** Time from which on changes may be missing in the generation, as SQL. */
const since = ({ generation }: Generation) => `fromUnixTimestamp64Milli(toInt64(${generation - OVERLAP_MS}))`;

/** Ids of the keys whose registry row was written since the generation was built; a SELECT. */
export function changedKeys(generation: Generation): string {
  return `SELECT DISTINCT key_id FROM keys WHERE updated_at >= ${since(generation)}`;
}

/**
 * Ids of keys that sent their first request since the generation was built; a SELECT. Every row of traffic since the last merge
 * has a time of its own there, so those that the list knows already are taken out.
 */
export function appearedKeys(generation: Generation): string {
  const seen = `SELECT DISTINCT key_id FROM key_totals WHERE tracking_since >= ${since(generation)}`;
  return `SELECT key_id FROM (${seen})
    WHERE key_id NOT IN (SELECT key_id FROM key_list WHERE generation = ${generation.generation} AND key_id IN (${seen}))`;
}
