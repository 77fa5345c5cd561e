import { type Batch, decodeBatch, encodeBatch } from '../ingest/batch.ts';
import { partOfBatch } from '../ingest/batch-part.ts';
import type { Config } from '../ingest/config.ts';
import type { Logger } from '../ingest/logger.ts';
import type { BatchJob } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';
import type { Replication } from '../ingest/replication.ts';
import { traced } from '../ingest/tracing.ts';
import { claimForBatch, ownRanges } from './claims.ts';
import type { Store } from './clickhouse/store.ts';
import { type DeadLetter, MAX_LETTERS_PER_BATCH, wholeBatch, writeDeadLetters } from './dead-letter.ts';
import { classifyInsertError } from './errors.ts';
import type { Geo } from './geo.ts';
import { insertRequests } from './insert.ts';
import { insertIsolating, type Poison } from './isolate.ts';
import { insertSeconds, lastInsert, rowsDead, rowsInserted, rowsRepeated } from './metrics.ts';
import type { RowRange } from './native-block.ts';
import { writeRateLimits } from './rate-limits.ts';
import { type Enrichment, requestBlock } from './request-block.ts';
import { repeatedRows, withoutRows } from './request-ids.ts';
import { sampleRow } from './sample-row.ts';

export interface BatchParts {
  store: Store;
  redis: Redis;
  replication: Pick<Replication, 'confirm'>;
  geo: Geo;
  config: Config;
  log: Logger;
}

/**
 * Takes one batch to ClickHouse: decode, leave out what another batch owns, enrich, insert once under the
 * batch's id. Returning means ClickHouse confirmed every row, or it stands in dead_letters.
 *
 * @throws whatever the store raised when the same batch may succeed later
 */
export async function processBatch(parts: BatchParts, batchId: string, job: BatchJob): Promise<void> {
  let batch: Batch;
  try {
    batch = await decodeBatch(job.payload);
  } catch (error) {
    await bury(parts, [wholeBatch(batchId, job, `cannot be decoded: ${(error as Error).message}`)]);
    return;
  }
  const ranges = await rowsToInsert(parts, batchId, job, batch);
  rowsRepeated.inc(batch.rows - count(ranges));
  if (ranges.length === 0) return;
  const decoded = { batchId, job, batch, enrichment: { geo: parts.geo, ipStorage: parts.config.IP_STORAGE } };
  try {
    await insertTimed(parts.store, batchId, decoded, ranges);
    parts.log.debug({ batch_id: batchId, rows: count(ranges), repeated: batch.rows - count(ranges) }, 'batch counted');
  } catch (error) {
    if (classifyInsertError(error) !== 'dead_letter') throw error;
    await isolate(parts, decoded, ranges);
  }
  await writeRateLimits(parts.store, batch);
}

/** The rows of the batch that no earlier batch owns, by Idempotency-Key or by request id. */
async function rowsToInsert(parts: BatchParts, batchId: string, job: BatchJob, batch: Batch): Promise<RowRange[]> {
  const { redis, replication } = parts;
  const foreign = await claimForBatch(redis, replication, batchId, job.claims);
  const ranges = ownRanges(batch.rows, foreign);
  if (!job.unique) return ranges;
  return withoutRows(ranges, await repeatedRows(redis, replication, batchId, batch, job.unique, job.receivedAtMs));
}

async function insertTimed(store: Store, token: string, decoded: Decoded, ranges: readonly RowRange[]): Promise<void> {
  const { batch, batchId, job, enrichment } = decoded;
  const rowCount = count(ranges);
  const block = await requestBlock(batch, batchId, job.receivedAtMs, ranges, enrichment);
  const stop = insertSeconds.startTimer();
  const attributes = { 'db.system.name': 'clickhouse', 'db.collection.name': 'requests', 'keytally.rows': rowCount };
  await traced('INSERT requests', { kind: 'CLIENT', attributes }, () => insertRequests(store, token, block));
  stop();
  rowsInserted.inc(rowCount);
  lastInsert.setToCurrentTime();
}

/** A batch on its way, decoded. */
interface Decoded {
  batchId: string;
  job: BatchJob;
  batch: Batch;
  enrichment: Enrichment;
}

async function isolate(parts: BatchParts, decoded: Decoded, ranges: readonly RowRange[]): Promise<void> {
  const poison: Poison[] = [];
  for (const range of ranges) {
    const bad = await insertIsolating(
      range,
      decoded.batchId,
      (part, token) => insertTimed(parts.store, token, decoded, [part]),
      (error) => classifyInsertError(error) === 'dead_letter',
    );
    poison.push(...bad);
  }
  await bury(parts, await lettersOf(decoded, poison));
}

/** One letter per bad row; beyond the bound one letter with all the others. Each holds its own rows and no more. */
async function lettersOf(
  { batchId, job, batch, enrichment }: Decoded,
  poison: readonly Poison[],
): Promise<DeadLetter[]> {
  const letter = async (id: string, rows: readonly number[], reason: string): Promise<DeadLetter> => ({
    id,
    batchId,
    rows: rows.length,
    reason,
    sample: sampleRow(batch, batchId, job.receivedAtMs, rows[0]!, enrichment),
    payload: await encodeBatch(partOfBatch(batch, rows)),
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
