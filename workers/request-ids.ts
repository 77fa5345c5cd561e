import { hash } from 'node:crypto';
import type { Batch } from '../ingest/batch.ts';
import { nextTurn } from '../ingest/event-loop.ts';
import type { UniqueRange } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';
import type { Replication } from '../ingest/replication.ts';
import type { RowRange } from './native-block.ts';

/**
 * Recognises a record that was sent before, however its payload was split this time, by its request id.
 *
 * The identity is (caller, key, request id, method, path, status, time): a client that always sends the same X-Request-Id is still counted
 * every time, because its requests differ in one of them, and so are the calls that one request makes in a mesh under its own id. An entry
 * that is sent again is the same in all of them. Ids are remembered for one to two windows after their receipt.
 * In Redis they lie in hashes of few entries, which Redis packs: measured 22 bytes per id at 4 million ids in a window,
 * 29 at a million, 94 at 100,000 where most hashes hold one (`npm run bench -- request-ids`).
 */
export const WINDOW_SECONDS = 3_600;
/** Hashes per window: at 4 million ids each still holds few enough to stay packed (hash-max-listpack-entries 128). */
const BUCKETS = 65_536;
/** Hash tags that the buckets of a window are spread over, for a cluster. */
const TAGS = 16;
/** Ids per script call: about 2 ms of Redis' time. */
const CHUNK_IDS = 1_000;
const DIGEST_BYTES = 8;
/** About 5 ms. */
const IDS_PER_TURN = 2_048;
const OWNER_BYTES = 6;

/**
 * KEYS: the tag, so that a cluster runs it on the node that has the buckets. ARGV: tag, current window, previous window, owner, seconds to
 * keep, then pairs of bucket and digest. Returns the positions (from 0) of ids that another batch owns.
 */
const CLAIM_SCRIPT = `
local foreign = {}
for i = 6, #ARGV, 2 do
  local bucket, id = ARGV[i], ARGV[i + 1]
  local before = redis.call('HGET', ARGV[1] .. ARGV[3] .. ':' .. bucket, id)
  if before and before ~= ARGV[4] then
    foreign[#foreign + 1] = (i - 6) / 2
  else
    local key = ARGV[1] .. ARGV[2] .. ':' .. bucket
    if redis.call('HSETNX', key, id, ARGV[4]) == 1 then
      redis.call('EXPIRE', key, ARGV[5], 'NX')
    elseif redis.call('HGET', key, id) ~= ARGV[4] then
      foreign[#foreign + 1] = (i - 6) / 2
    end
  end
end
return foreign`;

interface Id {
  row: number;
  digest: Buffer;
}

/** The request ids of a batch, each once. */
export interface RequestIds {
  /** The first row of each id. */
  rows: Uint32Array<ArrayBuffer>;
  /** What stands for them in Redis, DIGEST_BYTES each, in the order of `rows`. */
  digests: Uint8Array<ArrayBuffer>;
  /** Rows whose id stands earlier in the batch; ascending. */
  repeated: number[];
}

/** A digest of each id, for 50,000 rows about a tenth of a second in all: the event loop gets its turns. */
export async function requestIdsOf(batch: Batch, unique: readonly UniqueRange[]): Promise<RequestIds> {
  const rows: number[] = [];
  const digests: string[] = [];
  const repeated: number[] = [];
  const seen = new Set<string>();
  let done = 0;
  for (const { row, digest } of idsOf(batch, unique)) {
    if (seen.has(digest)) repeated.push(row);
    else {
      seen.add(digest);
      rows.push(row);
      digests.push(digest);
    }
    if (++done % IDS_PER_TURN === 0) await nextTurn();
  }
  return { rows: Uint32Array.from(rows), digests: new Uint8Array(Buffer.from(digests.join(''), 'latin1')), repeated };
}

/**
 * Claims the request ids of a batch for it. Sticky, like the claims of Idempotency-Keys: a retry of the batch keeps
 * the same rows.
 * @returns rows whose id another batch owns, or that stand twice in this batch; ascending
 */
export async function repeatedRows(
  redis: Redis,
  replication: Pick<Replication, 'confirm'>,
  batchId: string,
  ids: RequestIds,
  receivedAtMs: number,
): Promise<number[]> {
  const repeated = [...ids.repeated];
  const byTag = byTagOf(ids);
  const window = Math.floor(receivedAtMs / 1000 / WINDOW_SECONDS);
  const owner = hash('sha1', batchId, 'buffer').subarray(0, OWNER_BYTES);
  for (const [tag, ids] of byTag.entries()) {
    for (let at = 0; at < ids.length; at += CHUNK_IDS) {
      const chunk = ids.slice(at, at + CHUNK_IDS);
      const foreign = await claim(redis, tag, window, owner, chunk);
      for (const position of foreign) repeated.push(chunk[position]!.row);
    }
    if (ids.length > 0) await replication.confirm(prefixOf(tag));
  }
  return repeated.sort((a, b) => a - b);
}

function byTagOf({ rows, digests }: RequestIds): Id[][] {
  const byTag = Array.from({ length: TAGS }, (): Id[] => []);
  const bytes = Buffer.from(digests.buffer);
  for (const [at, row] of rows.entries()) {
    const digest = bytes.subarray(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES);
    byTag[digest[0]! % TAGS]!.push({ row, digest });
  }
  return byTag;
}

/** Digests as one character per byte. */
function* idsOf(batch: Batch, unique: readonly UniqueRange[]): Generator<{ row: number; digest: string }> {
  for (const { caller, firstRow, rows, timeless } of unique) {
    for (let row = firstRow; row < firstRow + rows; row++) {
      const requestId = batch.requestId[row]!;
      if (requestId === '') continue;
      const what = `${batch.method.at(row)}\n${batch.path.at(row)}\n${batch.status.at(row)}`;
      const time = timeless ? '' : batch.timestampMs.at(row);
      const identity = `${caller}\n${batch.keyId.at(row)}\n${requestId}\n${what}\n${time}`;
      // In one call: a hash object for each id takes three times as long.
      yield { row, digest: hash('sha1', identity, 'binary').slice(0, DIGEST_BYTES) };
    }
  }
}

function prefixOf(tag: number): string {
  return `{keytally-ids-${tag}}:`;
}

async function claim(redis: Redis, tag: number, window: number, owner: Buffer, ids: readonly Id[]): Promise<number[]> {
  const pairs = ids.flatMap(({ digest }) => [String(digest.readUInt16BE(0) % BUCKETS), digest]);
  const prefix = prefixOf(tag);
  const args = [prefix, String(window), String(window - 1), owner, String(2 * WINDOW_SECONDS), ...pairs];
  return (await redis.eval(CLAIM_SCRIPT, 1, prefix, ...args)) as number[];
}

/** The row ranges without single rows that are left out (ascending). */
export function withoutRows(ranges: readonly RowRange[], rows: readonly number[]): RowRange[] {
  const kept: RowRange[] = [];
  for (const { first, end } of ranges) {
    let from = first;
    for (const row of rows) {
      if (row < from || row >= end) continue;
      if (row > from) kept.push({ first: from, end: row });
      from = row + 1;
    }
    if (from < end) kept.push({ first: from, end });
  }
  return kept;
}
