import type { BatchClaim, BatchJob, UniqueRange } from '../ingest/queue.ts';
import type { Store } from './clickhouse/store.ts';
import { versionAfter } from './row-version.ts';

/** Something that could not be counted, kept with its reason and enough to try again. */
export interface DeadLetter {
  /** Stable, so that writing it twice keeps one. A replay counts its rows under this id. */
  id: string;
  batchId: string;
  rows: number;
  reason: string;
  /** First row as it was to be inserted; the batch was redacted before it was queued. */
  sample: string;
  /** Exactly the rows of this letter, compressed as in the queue; of a batch that can be decoded without full addresses (see opened-batch.ts). */
  payload: string;
  /** Row of the batch that the letter begins with. */
  firstRow: number;
  receivedAtMs: number;
  /** Repeats that are not decided yet; none for rows whose batch was inserted without them. */
  claims: readonly BatchClaim[];
  unique: readonly UniqueRange[];
}

const MAX_REASON_CHARACTERS = 1_000;
const MAX_SAMPLE_CHARACTERS = 4_000;
/** Bad rows of one batch that are kept one by one; the rest of them is kept as one letter. */
export const MAX_LETTERS_PER_BATCH = 100;

/** A batch of which nothing is known to be counted, as one letter. */
export function wholeBatch(batchId: string, job: BatchJob, reason: string): DeadLetter {
  const { rows, payload, receivedAtMs, claims, unique = [] } = job;
  return { id: batchId, batchId, rows, reason, sample: '', payload, firstRow: 0, receivedAtMs, claims, unique };
}

export async function writeDeadLetters(store: Store, letters: readonly DeadLetter[]): Promise<void> {
  const at = new Date();
  const previous = await versionsOf(store, letters);
  await store.insertRows(
    'dead_letters',
    letters.map((letter) => ({
      id: letter.id,
      at: at.toISOString(),
      batch_id: letter.batchId,
      rows: letter.rows,
      reason: letter.reason.slice(0, MAX_REASON_CHARACTERS),
      sample: letter.sample.slice(0, MAX_SAMPLE_CHARACTERS),
      payload: letter.payload,
      first_row: letter.firstRow,
      received_at: new Date(letter.receivedAtMs).toISOString(),
      claims: JSON.stringify(letter.claims),
      unique_rows: JSON.stringify(letter.unique),
      outcome: 'waiting',
      // Above that of a replay which is settled at the same time: a letter that failed again waits again.
      version: versionAfter((previous.get(letter.id) ?? 0) + 1),
    })),
  );
}

async function versionsOf(store: Store, letters: readonly DeadLetter[]): Promise<Map<string, number>> {
  const rows = await store.queryWriter<{ id: string; version: number }>(
    'SELECT id, max(version) AS version FROM dead_letters WHERE id IN {ids:Array(String)} GROUP BY id',
    { ids: letters.map(({ id }) => id) },
  );
  return new Map(rows.map(({ id, version }) => [id, version]));
}
