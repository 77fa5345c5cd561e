import type { Store } from './clickhouse/store.ts';

/** Something that could not be counted, kept with its reason and enough to try again. */
export interface DeadLetter {
  /** Stable, so that writing it twice keeps one. */
  id: string;
  batchId: string;
  rows: number;
  reason: string;
  /** First row as it was to be inserted; the batch was redacted before it was queued. */
  sample: string;
  /** The compressed batch as in the queue. */
  payload: string;
  firstRow: number;
}

const MAX_REASON_CHARACTERS = 1_000;
const MAX_SAMPLE_CHARACTERS = 4_000;
/** Bad rows of one batch that are kept one by one; the rest is kept as one letter with the whole batch. */
export const MAX_LETTERS_PER_BATCH = 100;

export async function writeDeadLetters(store: Store, letters: readonly DeadLetter[]): Promise<void> {
  const at = new Date();
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
      outcome: 'waiting',
      version: at.getTime(),
    })),
  );
}
