import type { Logger } from '../ingest/logger.ts';
import type { BatchJob } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';
import type { Replication } from '../ingest/replication.ts';
import { traced } from '../ingest/tracing.ts';
import { claimForBatch, ownRanges } from './claims.ts';
import type { Store } from './clickhouse/store.ts';
import { type DeadLetter, MAX_LETTERS_PER_BATCH, wholeBatch, writeDeadLetters } from './dead-letter.ts';
import { classifyInsertError } from './errors.ts';
import { insertRequests } from './insert.ts';
import { insertIsolating, type Poison } from './isolate.ts';
import { insertSeconds, lastInsert, rowsDead, rowsInserted, rowsRepeated } from './metrics.ts';
import type { RowRange } from './native-block.ts';
import { type BatchOpener, type OpenedBatch, UnreadableBatch } from './opened-batch.ts';
import { writeRateLimits } from './rate-limits.ts';
import { repeatedRows, withoutRows } from './request-ids.ts';

export interface BatchParts {
  store: Store;
  redis: Redis;
  replication: Pick<Replication, 'confirm'>;
  opener: BatchOpener;
  log: Logger;
}

/**
 * Takes one batch to ClickHouse: open, leave out what another batch owns, insert once under the
 * batch's id. Returning means ClickHouse confirmed every row, or it stands in dead_letters.
 *
 * @throws whatever the store raised when the same batch may succeed later
 */
export async function processBatch(parts: BatchParts, batchId: string, job: BatchJob): Promise<void> {
  let batch: OpenedBatch;
  try {
    batch = await parts.opener.open(batchId, job);
  } catch (error) {
    if (!(error instanceof UnreadableBatch)) throw error;
    await bury(parts, [wholeBatch(batchId, job, `cannot be decoded: ${error.message}`)]);
    return;
  }
  try {
    await countBatch(parts, { batchId, job, batch });
  } finally {
    batch.close();
  }
}

async function countBatch(parts: BatchParts, opened: Opened): Promise<void> {
  const { batchId, job, batch } = opened;
  const ranges = await rowsToInsert(parts, batchId, job, batch);
  rowsRepeated.inc(batch.rows - count(ranges));
  if (ranges.length === 0) return;
  try {
    await insertTimed(parts.store, batchId, batch, ranges);
    parts.log.debug({ batch_id: batchId, rows: count(ranges), repeated: batch.rows - count(ranges) }, 'batch counted');
  } catch (error) {
    if (classifyInsertError(error) !== 'dead_letter') throw error;
    await isolate(parts, opened, ranges);
  }
  await writeRateLimits(parts.store, batch.rateLimits);
}

/** The rows of the batch that no earlier batch owns, by Idempotency-Key or by request id. */
async function rowsToInsert(
  parts: BatchParts,
  batchId: string,
  job: BatchJob,
  batch: OpenedBatch,
): Promise<RowRange[]> {
  const { redis, replication } = parts;
  const foreign = await claimForBatch(redis, replication, batchId, job.claims);
  const ranges = ownRanges(batch.rows, foreign);
  if (!job.unique) return ranges;
  const ids = await batch.requestIds(job.unique);
  return withoutRows(ranges, await repeatedRows(redis, replication, batchId, ids, job.receivedAtMs));
}

async function insertTimed(
  store: Store,
  token: string,
  batch: OpenedBatch,
  ranges: readonly RowRange[],
): Promise<void> {
  const rowCount = count(ranges);
  const block = await batch.block(ranges);
  const stop = insertSeconds.startTimer();
  const attributes = { 'db.system.name': 'clickhouse', 'db.collection.name': 'requests', 'keytally.rows': rowCount };
  await traced('INSERT requests', { kind: 'CLIENT', attributes }, () => insertRequests(store, token, block));
  stop();
  rowsInserted.inc(rowCount);
  lastInsert.setToCurrentTime();
}

/** A batch on its way. */
interface Opened {
  batchId: string;
  job: BatchJob;
  batch: OpenedBatch;
}

async function isolate(parts: BatchParts, opened: Opened, ranges: readonly RowRange[]): Promise<void> {
  const poison: Poison[] = [];
  for (const range of ranges) {
    const bad = await insertIsolating(
      range,
      opened.batchId,
      (part, token) => insertTimed(parts.store, token, opened.batch, [part]),
      (error) => classifyInsertError(error) === 'dead_letter',
    );
    poison.push(...bad);
  }
  await bury(parts, await lettersOf(opened, poison));
}

/** A batch that was given up, as one letter. One that cannot be opened is kept as it is, full addresses included. */
export async function letterOfWhole(
  parts: BatchParts,
  batchId: string,
  job: BatchJob,
  reason: string,
): Promise<DeadLetter> {
  const letter = wholeBatch(batchId, job, reason);
  const batch = await parts.opener.open(batchId, job).catch(() => undefined);
  if (batch === undefined) return letter;
  try {
    return { ...letter, ...(await batch.keep(Array.from({ length: batch.rows }, (_, row) => row))) };
  } finally {
    batch.close();
  }
}

/** One letter per bad row; beyond the bound one letter with all the others. Each holds its own rows and no more. */
async function lettersOf({ batchId, job, batch }: Opened, poison: readonly Poison[]): Promise<DeadLetter[]> {
  const letter = async (id: string, rows: readonly number[], reason: string): Promise<DeadLetter> => ({
    id,
    batchId,
    rows: rows.length,
    reason,
    ...(await batch.keep(rows)),
    firstRow: rows[0]!,
    receivedAtMs: job.receivedAtMs,
    // Decided already: these rows are the batch's own.
    claims: [],
    unique: [],
  });
  const letters: DeadLetter[] = [];
  for (const { row, error } of poison.slice(0, MAX_LETTERS_PER_BATCH)) {
    letters.push(await letter(`${batchId}-${row}`, [row], (error as Error).message));
  }
  const rest = poison.slice(letters.length).map(({ row }) => row);
  if (rest.length > 0) {
    letters.push(await letter(`${batchId}-rest`, rest, `${rest.length} more rows of this batch are bad`));
  }
  return letters;
}

export async function bury(parts: BatchParts, letters: readonly DeadLetter[]): Promise<void> {
  await writeDeadLetters(parts.store, letters);
  for (const { batchId, rows, reason } of letters) {
    rowsDead.inc(rows);
    parts.log.error({ batch_id: batchId, rows, reason: reason.slice(0, 300) }, 'rows went to dead_letters');
  }
}

function count(ranges: readonly RowRange[]): number {
  return ranges.reduce((sum, { first, end }) => sum + end - first, 0);
}
