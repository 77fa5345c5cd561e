import { KEY_BY_HASH } from '../../ingest/key-index.ts';
import type { Redis } from '../../ingest/redis.ts';
import type { Store } from '../clickhouse/store.ts';
import { lockFree } from '../locks.ts';
import { forgetHashes } from './hash-index.ts';
import { readIndexRows } from './rebuild-index.ts';

/** Read together: the keys of hashes are spread over the whole table, so a small group costs as much as a large one. */
const READ_HASHES = 50_000;
/** Redis does nothing else meanwhile. */
const SCAN_HASHES = 1_000;
const LOCK_KEYS = 1_000;

export interface Pruned {
  /** Hashes that were taken out. */
  pruned: number;
  /** Hashes that lead to a key without them which was being changed. */
  left: number;
}

/** A hash of the index and the key it leads to. */
interface Lead {
  sha256: string;
  key_id: string;
}

/**
 * Takes hashes out of the edge's index that lead to a key which does not have them: left by a change that was never stored, or stored after
 * everybody had given it up. Those whose key is being changed are left to a later look.
 */
export async function pruneKeyIndex(store: Store, redis: Redis): Promise<Pruned> {
  const sum: Pruned = { pruned: 0, left: 0 };
  let waiting: Lead[] = [];
  let cursor = '0';
  do {
    const [next, pairs] = await redis.hscan(KEY_BY_HASH, cursor, 'COUNT', SCAN_HASHES);
    cursor = next;
    for (let at = 0; at < pairs.length; at += 2) waiting.push({ sha256: pairs[at]!, key_id: pairs[at + 1]! });
    if (waiting.length < READ_HASHES && cursor !== '0') continue;
    const { pruned, left } = await pruneAmong(store, redis, waiting);
    sum.pruned += pruned;
    sum.left += left;
    waiting = [];
  } while (cursor !== '0');
  return sum;
}

async function pruneAmong(store: Store, redis: Redis, leads: readonly Lead[]): Promise<Pruned> {
  const suspects = await withoutKey(store, leads);
  const sum: Pruned = { pruned: 0, left: 0 };
  for (let at = 0; at < suspects.length; at += LOCK_KEYS) {
    const chunk = suspects.slice(at, at + LOCK_KEYS);
    // A claim comes before the row of the key that makes it.
    const locks = await lockFree(redis, 'key', [...new Set(chunk.map((lead) => lead.key_id))], 0);
    try {
      const free = new Set(locks.ids);
      const judged = chunk.filter((lead) => free.has(lead.key_id));
      sum.left += chunk.length - judged.length;
      sum.pruned += await forgetHashes(redis, await withoutKey(store, judged));
    } finally {
      await locks.release();
    }
  }
  return sum;
}

/** Those whose key has another hash, or was never stored. */
async function withoutKey(store: Store, leads: readonly Lead[]): Promise<Lead[]> {
  const rows = await readIndexRows(store, [...new Set(leads.map((lead) => lead.key_id))]);
  const hashOf = new Map(rows.map((row) => [row.key_id, row.sha256]));
  return leads.filter((lead) => hashOf.get(lead.key_id) !== lead.sha256);
}
