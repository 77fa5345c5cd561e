import { KEY_BY_HASH, KEY_OWNER } from '../../ingest/key-index.ts';
import type { Redis } from '../../ingest/redis.ts';
import type { RegisteredKey } from './key.ts';

/** A version of a key that is about to be written. */
export interface PendingWrite {
  before: RegisteredKey | undefined;
  after: RegisteredKey;
}

/**
 * Claims the new hashes of the edge's index, one key per hash: otherwise an organization could draw another's
 * traffic to itself by registering its hash. A claim whose holder no longer has the hash is taken over.
 *
 * @param find looks keys up by id
 * @returns the key ids whose hash belongs to another key
 */
export async function claimHashes(
  redis: Redis,
  writes: readonly PendingWrite[],
  find: (keyIds: string[]) => Promise<Map<string, RegisteredKey>>,
): Promise<Set<string>> {
  const changed = writes.map(({ after }) => after).filter((after) => after.sha256 !== '');
  const holders = await claim(redis, changed);
  const disputed = changed.filter((after, at) => holders[at] !== after.key_id);
  if (disputed.length === 0) return new Set();
  const claimants = new Map(changed.map((after) => [after.key_id, after.sha256]));
  const present = await find([...new Set(holders.filter((holder) => holder !== null))]);
  const refused = new Set<string>();
  for (const after of disputed) {
    const holder = holders[changed.indexOf(after)]!;
    const key = present.get(holder);
    const holds = (key?.sha256 === after.sha256 && !key.deleted) || claimants.get(holder) === after.sha256;
    if (holds) refused.add(after.key_id);
    else await redis.hset(KEY_BY_HASH, after.sha256, after.key_id);
  }
  return refused;
}

async function claim(redis: Redis, rows: readonly RegisteredKey[]): Promise<(string | null)[]> {
  if (rows.length === 0) return [];
  const pipeline = redis.pipeline();
  for (const row of rows) pipeline.hsetnx(KEY_BY_HASH, row.sha256, row.key_id);
  await pipeline.exec();
  return redis.hmget(KEY_BY_HASH, ...rows.map((row) => row.sha256));
}

/**
 * Takes old hashes out of the index and notes the owners. Before the rows are written: a writer that is killed
 * in between leaves an index that the next look over it fills again, never a hash that should not resolve any more.
 */
export async function updateIndex(redis: Redis, writes: readonly PendingWrite[]): Promise<void> {
  const gone = writes.flatMap(({ before, after }) =>
    before && before.sha256 !== '' && before.sha256 !== after.sha256 ? [before] : [],
  );
  await forgetHashes(redis, gone);
  await noteOwners(redis, writes);
}

/** What {@link updateIndex} said, once more when the rows are written: a rebuild that had read the keys before may have written what it read. */
export async function confirmIndex(redis: Redis, writes: readonly PendingWrite[]): Promise<void> {
  const moved = writes.filter(
    ({ before, after }) =>
      before?.sha256 !== after.sha256 ||
      before.deleted !== after.deleted ||
      before.organization_id !== after.organization_id,
  );
  if (moved.length === 0) return;
  await updateIndex(redis, moved);
  const live = moved.flatMap(({ after }) => (after.sha256 === '' || after.deleted ? [] : [after.sha256, after.key_id]));
  if (live.length > 0) await redis.hset(KEY_BY_HASH, ...live);
}

/** Takes a hash out of the index unless it leads to another key by now. */
const FORGET = `if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0`;

/** @returns how many of the hashes led to these keys, and do no more */
export async function forgetHashes(
  redis: Redis,
  keys: readonly Pick<RegisteredKey, 'key_id' | 'sha256'>[],
): Promise<number> {
  if (keys.length === 0) return 0;
  const pipeline = redis.pipeline();
  for (const { key_id, sha256 } of keys) pipeline.eval(FORGET, 1, KEY_BY_HASH, sha256, key_id);
  const answers = (await pipeline.exec()) ?? [];
  for (const [error] of answers) if (error) throw error;
  return answers.filter(([, answer]) => answer === 1).length;
}

/**
 * A key of no organization is noted as well: else the first organization to name it could add to its counts. Where one did so while the
 * key was registered already, under an earlier version of this program, it may go on until somebody says whose the key is.
 */
async function noteOwners(redis: Redis, writes: readonly PendingWrite[]): Promise<void> {
  const pipeline = redis.pipeline();
  for (const { before, after } of writes) {
    const isSaid = before?.organization_id !== after.organization_id;
    if (isSaid || after.organization_id !== '') pipeline.hset(KEY_OWNER, after.key_id, after.organization_id);
    else pipeline.hsetnx(KEY_OWNER, after.key_id, '');
  }
  await pipeline.exec();
}
