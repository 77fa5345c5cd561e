import type { Store } from '../../workers/clickhouse/store.ts';
import { DIRECTORY_COLUMNS } from '../../workers/keys/key-directory.ts';
import { changedKeys, type Generation } from '../../workers/keys/key-list.ts';
import { CHOOSING_NAMES, comparePositions, type KeyListRequest, type Position, pageOf } from './key-page.ts';
import { inOrderOf, type KeyRow, listKeysOf } from './keys.ts';

/** Up to this many changed keys travel as a list of ids; more are named by a subquery, which takes longer. */
const MAX_CHANGED_IDS = 2_000;
/** A page's rows are the first that are read: a second processor would only be told to wait. Rare words are looked for in all rows. */
const ONE_PROCESSOR = { max_threads: 1 };

/**
 * A page from a generation of `key_list`. The registry's fields, and keys that appeared since, are those of now; the figures of
 * the others those of the generation. Read apart and merged here: sorting a union would read every column of every key.
 * @param appeared keys without an entry in the registry that are newer than the generation
 */
export async function listKeysFrom(
  store: Store,
  generation: Generation,
  request: KeyListRequest,
  nowMs: number,
  appeared: readonly string[] = [],
): Promise<KeyRow[]> {
  const [changed, first] = await Promise.all([
    store.query<{ key_id: string }>(`${changedKeys(generation)} LIMIT ${MAX_CHANGED_IDS + 1}`),
    positions(store, generation, request, nowMs, '1'),
  ]);
  if (changed.length > MAX_CHANGED_IDS) return pastManyChanges(store, generation, request, nowMs);
  const fresh = [...new Set([...changed.map((row) => row.key_id), ...appeared])];
  if (fresh.length === 0) return rowsAt(store, generation, first);
  const others = positionsBeside(store, generation, request, nowMs, first, fresh);
  const [unchanged, live] = await Promise.all([
    others.then((page) => rowsAt(store, generation, page)),
    listKeysOf(store, 'key_id IN {fresh:Array(String)}', request, nowMs, { fresh }),
  ]);
  return merged(request, unchanged, live);
}

/** After a large import: until the next generation every page looks at all that changed. */
async function pastManyChanges(
  store: Store,
  generation: Generation,
  request: KeyListRequest,
  nowMs: number,
): Promise<KeyRow[]> {
  const condition = `key_id IN (${changedKeys(generation)})`;
  const [unchanged, live] = await Promise.all([
    positions(store, generation, request, nowMs, `NOT (${condition})`).then((page) => rowsAt(store, generation, page)),
    listKeysOf(store, condition, request, nowMs),
  ]);
  return merged(request, unchanged, live);
}

function merged(request: KeyListRequest, unchanged: readonly KeyRow[], live: readonly KeyRow[]): KeyRow[] {
  const sign = request.descending ? -1 : 1;
  return [...unchanged, ...live].sort((a, b) => sign * comparePositions(a, b)).slice(0, request.limit);
}

/** The page without the fresh keys; read anew only when one of them is on it and others follow. */
async function positionsBeside(
  store: Store,
  generation: Generation,
  request: KeyListRequest,
  nowMs: number,
  first: readonly Position[],
  fresh: readonly string[],
): Promise<readonly Position[]> {
  const known = new Set(fresh);
  const kept = first.filter((row) => !known.has(row.key_id));
  if (kept.length === first.length || first.length < request.limit) return kept;
  return positions(store, generation, request, nowMs, 'key_id NOT IN {fresh:Array(String)}', fresh);
}

async function positions(
  store: Store,
  { generation }: Generation,
  request: KeyListRequest,
  nowMs: number,
  condition: string,
  fresh: readonly string[] = [],
): Promise<Position[]> {
  const from = `(SELECT order_value, limit_used, ${CHOOSING_NAMES} FROM key_list_order
    WHERE generation = ${generation} AND sorted_by = '${request.sort}' AND ${condition})`;
  const [sql, params] = pageOf('key_id', from, request, nowMs);
  return store.query<Position>(sql, { ...params, fresh }, request.search === '' ? ONE_PROCESSOR : {});
}

async function rowsAt(store: Store, { generation }: Generation, page: readonly Position[]): Promise<KeyRow[]> {
  if (page.length === 0) return [];
  const rows = await store.query<Omit<KeyRow, 'sort_value'>>(
    `SELECT ${DIRECTORY_COLUMNS.join(', ')} FROM key_list WHERE generation = ${generation} AND key_id IN {page:Array(String)}`,
    { page: page.map((row) => row.key_id) },
    ONE_PROCESSOR,
  );
  return inOrderOf(page, rows);
}
