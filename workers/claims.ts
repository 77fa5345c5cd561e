import type { BatchClaim } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';
import type { Replication } from '../ingest/replication.ts';
import type { RowRange } from './native-block.ts';

const CLAIMS = '{keytally}:claim:';

/**
 * Claims every Idempotency-Key of a batch for that batch. A claim is sticky: a retry of the same batch finds
 * its own name and keeps the same rows, any other batch finds a foreign name and leaves the rows out.
 *
 * @returns the claims whose rows must not be inserted: owned by another batch, or repeated within this one
 */
export async function claimForBatch(
  redis: Redis,
  replication: Pick<Replication, 'confirm'>,
  batchId: string,
  claims: readonly BatchClaim[],
): Promise<BatchClaim[]> {
  const owners = await Promise.all(
    claims.map(async ({ id, keepSeconds }) => {
      const key = `${CLAIMS}${id}`;
      const owner = await redis.set(key, batchId, 'EX', keepSeconds, 'NX', 'GET');
      // A batch that waited long for the store must not lose its claim between two attempts.
      if (owner === batchId) await redis.expire(key, keepSeconds);
      return owner ?? batchId;
    }),
  );
  // A claim lost with its node after the insert would let a repeat be counted.
  if (claims.length > 0) await replication.confirm(CLAIMS);
  // Repeats that were gathered into the same batch: the first of them counts.
  const first = new Set<string>();
  return claims.filter(({ id }, at) => {
    const repeated = first.has(id);
    first.add(id);
    return repeated || owners[at] !== batchId;
  });
}

/** The rows of a batch without those of `foreign` claims (which do not overlap), in order. */
export function ownRanges(rows: number, foreign: readonly BatchClaim[]): RowRange[] {
  const ranges: RowRange[] = [];
  let first = 0;
  for (const claim of [...foreign].sort((a, b) => a.firstRow - b.firstRow)) {
    if (claim.firstRow > first) ranges.push({ first, end: claim.firstRow });
    first = claim.firstRow + claim.rows;
  }
  if (first < rows) ranges.push({ first, end: rows });
  return ranges;
}
