import { type Store, withSettings } from '../clickhouse/store.ts';
import { DIRECTORY_COLUMNS, keyDirectory } from './key-directory.ts';
import { KEY_ORDERS, LIMIT_USED, orderRows } from './key-order.ts';
import { limitUse } from './limit-use.ts';

/** Building takes at most this share of the time, unless the list would become too old. */
const BUILD_SHARE = 0.05;
const OLDEST_MS = 5 * 60_000;
/** Generations kept: one that is being read stays until the next but one is there. */
const KEPT_GENERATIONS = 2;
/**
 * A list older than this is not used any more. After an outage of the workers the pages read it until the next one is built: while
 * they are away nothing is counted, so its figures are as good as ever, and changes of the registry are read beside it.
 */
const USABLE_MS = 20 * 3_600_000;
/** A generation that is not finished after this time will never be. */
const BUILT_WITHIN_MS = 10 * 60_000;
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
  return newest === undefined || nowMs - newest.finished_ms >= Math.min(newest.duration_ms / BUILD_SHARE, OLDEST_MS);
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
 * Builds a new generation of the key list when there are many keys, the last one is old enough and nobody else builds one.
 * @param nowMs also names the generation: a repeat of the same slot builds it anew in its place
 * @param signal ends it after the statement under way
 * @returns the number of keys in it, undefined when none was due
 */
export async function buildKeyList(
  store: Store,
  liveKeysMax: number,
  nowMs: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const [counted] = await store.queryWriter<{ keys: number }>(
    `SELECT greatest((SELECT count() FROM keys), (SELECT count() FROM key_totals)) AS keys`,
  );
  const newest = await newestGeneration(store);
  if (!dueForBuild(counted!.keys, newest, liveKeysMax, nowMs)) return undefined;
  if (await isBeingBuilt(store, newest, nowMs)) return undefined;
  return buildGeneration(store, nowMs, signal);
}

/** Whether another slot began a generation a while ago that is not finished: on a crowded machine it may take longer than a slot. */
async function isBeingBuilt(store: Store, newest: Generation | undefined, nowMs: number): Promise<boolean> {
  const begun = await generationsIn(store, 'key_list');
  return begun.some((at) => at > (newest?.generation ?? 0) && at !== nowMs && Math.abs(nowMs - at) < BUILT_WITHIN_MS);
}

/** One processor, and blocks that become few parts: a page reads from each part of its order. */
const BUILD_SETTINGS = { max_threads: 1, max_insert_threads: 1, min_insert_block_size_rows: 524_288 };

/**
 * Builds a generation in any case.
 * @returns the number of keys in it, undefined when it was stopped
 * @throws Error when an order lacks keys, as where a second node has not yet got the rows of the first
 */
export async function buildGeneration(store: Store, nowMs: number, signal?: AbortSignal): Promise<number | undefined> {
  for (const table of TABLES) await dropOldGenerations(store, table, nowMs);
  const startedAt = performance.now();
  for (const statement of statementsOf(nowMs)) {
    if (signal?.aborted) {
      for (const table of TABLES) await store.command(`ALTER TABLE ${table} DROP PARTITION ${nowMs}`);
      return undefined;
    }
    await store.commandAside(withSettings(statement, BUILD_SETTINGS));
  }
  const [keys, places] = [await countOf(store, 'key_list', nowMs), await countOf(store, 'key_list_order', nowMs)];
  if (places !== keys * KEY_ORDERS.length) {
    throw new Error(`the orders of the key list hold ${places} places for ${keys} keys; the next slot builds it anew`);
  }
  // Only a generation named here is read: one that a crash left half built is dropped later.
  await store.insertRows('key_list_generations', [
    {
      generation: nowMs,
      keys,
      duration_ms: Math.ceil(performance.now() - startedAt),
      finished_at: new Date().toISOString(),
    },
  ]);
  return keys;
}

function statementsOf(generation: number): string[] {
  const rows = `INSERT INTO key_list (generation, ${DIRECTORY_COLUMNS.join(', ')}, limit_used)
     SELECT ${generation} AS generation, d.*, ${LIMIT_USED} AS limit_used FROM (${keyDirectory('1', generation)}) AS d
     LEFT JOIN (${limitUse('1', generation)}) AS u ON u.limited_id = d.key_id WHERE d.key_id != ''`;
  return [rows, ...KEY_ORDERS.map((order) => `INSERT INTO key_list_order ${orderRows(order, generation)}`)];
}

type ListTable = (typeof TABLES)[number];

async function countOf(store: Store, table: ListTable, generation: number): Promise<number> {
  const [row] = await store.queryWriter<{ n: number }>(
    `SELECT count() AS n FROM ${table} WHERE generation = {generation:UInt64}`,
    { generation },
  );
  return row!.n;
}

async function generationsIn(store: Store, table: ListTable): Promise<number[]> {
  const rows = await store.queryWriter<{ generation: number }>(
    `SELECT DISTINCT toUInt64(partition) AS generation FROM system.parts
     WHERE database = currentDatabase() AND table = '${table}' AND active`,
  );
  return rows.map((row) => row.generation);
}

/** Drops all but the newest finished generations, and what was left of this one by an attempt that failed. */
async function dropOldGenerations(store: Store, table: ListTable, building: number): Promise<void> {
  const kept = await store.queryWriter<{ generation: number }>(
    `SELECT generation FROM key_list_generations WHERE generation != {building:UInt64}
     ORDER BY generation DESC LIMIT ${KEPT_GENERATIONS - 1}`,
    { building },
  );
  const keep = new Set(kept.map((row) => row.generation));
  for (const generation of await generationsIn(store, table)) {
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
