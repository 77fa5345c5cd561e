import { decodeBatch, encodeBatch } from '../ingest/batch.ts';
import { partOfBatch } from '../ingest/batch-part.ts';
import { type BatchJob, openBatchQueue } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';
import type { Store } from './clickhouse/store.ts';
import { countedRows } from './insert.ts';
import { REQUEST_COLUMNS } from './request-block.ts';

export const OUTCOMES = ['waiting', 'replayed', 'dropped'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A letter as it is listed. */
export interface DeadLetterEntry {
  id: string;
  at: string;
  at_ms: number;
  batch_id: string;
  rows: number;
  reason: string;
  sample: string;
  outcome: Outcome;
}

interface StoredLetter extends DeadLetterEntry {
  payload: string;
  first_row: number;
  received_at_ms: number;
  claims: string;
  unique_rows: string;
  version: number;
}

/** What became of a wish to replay or drop. */
export type Settled =
  | { kind: 'done'; rows: number }
  /** The rows are in the store already, under the letter's id: nothing was queued. */
  | { kind: 'counted_already'; rows: number }
  | { kind: 'unknown' }
  /** It was replayed or dropped before. */
  | { kind: 'settled'; outcome: Outcome }
  /** Some rows were counted and some not: nobody can tell which without looking. */
  | { kind: 'partly_counted'; counted: number; rows: number };

/** Position behind the last letter of a page. */
export interface LetterCursor {
  atMs: number;
  id: string;
}

/** Letters that nobody looked at, for metrics. */
export interface WaitingLetters {
  waiting: number;
  /** Time of the oldest, epoch milliseconds; 0 when none waits. */
  oldest_ms: number;
}

const LISTED = 'id, at, toUnixTimestamp64Milli(at) AS at_ms, batch_id, rows, reason, sample, outcome';

/** Everything that could not be counted: to look at, to try again, to give up. */
export class DeadLetters {
  readonly #store: Store;
  readonly #redis: Redis;

  constructor(store: Store, redis: Redis) {
    this.#store = store;
    this.#redis = redis;
  }

  /** Newest first. */
  list(outcome: Outcome, after: LetterCursor | undefined, limit: number): Promise<DeadLetterEntry[]> {
    const older = after ? 'AND (toUnixTimestamp64Milli(at), id) < ({after_ms:Int64}, {after_id:String})' : '';
    return this.#store.query<DeadLetterEntry>(
      `SELECT ${LISTED} FROM dead_letters FINAL WHERE outcome = {outcome:String} ${older}
       ORDER BY at DESC, id DESC LIMIT {limit:UInt32}`,
      { outcome, limit, after_ms: after?.atMs ?? 0, after_id: after?.id ?? '' },
    );
  }

  async waiting(): Promise<WaitingLetters> {
    const [row] = await this.#store.query<WaitingLetters>(
      `SELECT count() AS waiting, if(waiting = 0, 0, toUnixTimestamp64Milli(min(at))) AS oldest_ms
       FROM dead_letters FINAL WHERE outcome = 'waiting'`,
    );
    return row!;
  }

  /**
   * Queues the rows of a letter again, unless the store has them. They are counted under the letter's id: a second
   * replay, also one at the same time, finds the same id in the queue, in the store's window or in `requests`.
   */
  async replay(id: string): Promise<Settled> {
    const letter = await this.#find(id);
    if (!letter) return { kind: 'unknown' };
    if (letter.outcome !== 'waiting') return { kind: 'settled', outcome: letter.outcome };
    const counted = await countedRows(this.#store, id);
    if (counted > 0 && counted < letter.rows) return { kind: 'partly_counted', counted, rows: letter.rows };
    if (counted === 0) await this.#enqueue(id, await jobOf(letter));
    await this.#settle(letter, 'replayed');
    return { kind: counted > 0 ? 'counted_already' : 'done', rows: letter.rows };
  }

  /** Gives a letter up: its rows are deleted, the letter with its reason stays. */
  async drop(id: string): Promise<Settled> {
    const letter = await this.#find(id);
    if (!letter) return { kind: 'unknown' };
    if (letter.outcome !== 'waiting') return { kind: 'settled', outcome: letter.outcome };
    await this.#settle(letter, 'dropped');
    return { kind: 'done', rows: letter.rows };
  }

  async #find(id: string): Promise<StoredLetter | undefined> {
    const [letter] = await this.#store.queryWriter<StoredLetter>(
      `SELECT ${LISTED}, payload, first_row, claims, unique_rows, version,
         toUnixTimestamp64Milli(received_at) AS received_at_ms
       FROM dead_letters FINAL WHERE id = {id:String}`,
      { id },
    );
    return letter;
  }

  async #enqueue(jobId: string, job: BatchJob): Promise<void> {
    const queue = openBatchQueue(this.#redis, 0);
    try {
      await queue.add('batch', job, { jobId });
    } finally {
      await queue.close();
    }
  }

  /** Its rows are in the queue or given up: only the reason is still of use. The next version after the letter's own: one that fails again writes a newer one and waits again. */
  async #settle(letter: StoredLetter, outcome: Outcome): Promise<void> {
    await this.#store.command(
      `INSERT INTO dead_letters (id, at, batch_id, rows, reason, sample, payload, first_row, received_at, claims,
         unique_rows, outcome, version)
       SELECT id, at, batch_id, rows, reason, if({outcome:String} = 'dropped', '', sample),
         '', first_row, received_at, claims, unique_rows,
         {outcome:String}, version + 1
       FROM dead_letters FINAL WHERE id = {id:String} AND version = {version:UInt64}`,
      { id: letter.id, outcome, version: letter.version },
    );
  }
}

/** The job of a letter. One written by an earlier version holds the whole batch; only its rows are taken. */
async function jobOf(letter: StoredLetter): Promise<BatchJob> {
  const { rows, payload, first_row: first, received_at_ms: receivedAtMs } = letter;
  const unique = parsed<NonNullable<BatchJob['unique']>>(letter.unique_rows);
  const job: BatchJob = { rows, claims: parsed(letter.claims), receivedAtMs, payload };
  if (unique.length > 0) job.unique = unique;
  if (letter.id === letter.batch_id) return job;
  const batch = await decodeBatch(payload);
  if (batch.rows === rows) return job;
  const wanted = Array.from({ length: rows }, (_, n) => first + n).filter((row) => row < batch.rows);
  return { ...job, payload: await encodeBatch(partOfBatch(batch, wanted)) };
}

function parsed<List extends readonly unknown[]>(json: string): List {
  return (json === '' ? [] : JSON.parse(json)) as List;
}

/** Columns of a letter's sample by name; undefined when there is none. Its escapes are left as the store has them. */
export function sampleFields(sample: string): Record<string, string> | undefined {
  if (sample === '') return undefined;
  const fields = sample.replace(/\n$/, '').split('\t');
  return Object.fromEntries(REQUEST_COLUMNS.slice(0, fields.length).map((name, at) => [name, fields[at]!]));
}
