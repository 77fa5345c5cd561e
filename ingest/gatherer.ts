import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { Batch, encodeBatch, MAX_BATCH_ROWS } from './batch.ts';
import type { BatchCleaner } from './clean-batch.ts';
import type { Logger } from './logger.ts';
import { batchesQueued, batchRows } from './metrics.ts';
import { Problem } from './problem.ts';
import type { BatchClaim, BatchJob, UniqueRange } from './queue.ts';
import type { RequestRecord } from './record.ts';
import type { Replication } from './replication.ts';

/** Records held in memory that Redis does not have yet. Beyond this the collector answers 503. */
export const MAX_PENDING_ROWS = 400_000;
/** After a pause this long a request waits only a fifth: company is not expected. Steady traffic always waits in full,
 * because an insert costs the same for 5 rows as for 500. */
const IDLE_MS = 1_000;
const IDLE_LINGER_DIVISOR = 5;
/** ClickHouse refuses an insert over more than 100 partitions for good, and a partition is a month. */
const MAX_BATCH_MONTHS = 90;
const ENQUEUE_TRIES = 4;
const ENQUEUE_RETRY_MS = 100;

interface OpenBatch {
  id: string;
  batch: Batch;
  /** Months of its records: partitions of one insert. */
  months: Set<number>;
  claims: BatchClaim[];
  unique: UniqueRange[];
  timer: NodeJS.Timeout;
  stored: Promise<void>;
  settle: { resolve: () => void; reject: (error: unknown) => void };
}

/** The request's Idempotency-Key as it is claimed; undefined without one. */
export type Claim = Pick<BatchClaim, 'id' | 'keepSeconds'> | undefined;

/** Where the records of one request come from, and how a repeat of it is recognised. */
export interface Origin {
  /** Organization of the token; '' for a token of the whole platform. */
  organizationId: string;
  claim: Claim;
  /** Id of the token when each record's request id tells a repeat; '' when it does not. */
  uniqueCaller: string;
}

/**
 * Gathers requests into batches and hands each to Redis as one job. A request is never split over two
 * batches: its Idempotency-Key could not be claimed as a whole otherwise.
 */
export class Gatherer {
  readonly #queues: readonly Queue<BatchJob>[];
  readonly #replication: Pick<Replication, 'confirm'>;
  readonly #cleaner: BatchCleaner;
  readonly #lingerMs: number;
  readonly #log: Logger;
  #open: OpenBatch | undefined;
  #pendingRows = 0;
  #lastFlushAtMs = 0;
  #nextShard = 0;
  #inFlight = new Set<Promise<void>>();

  constructor(
    queues: readonly Queue<BatchJob>[],
    replication: Pick<Replication, 'confirm'>,
    cleaner: BatchCleaner,
    lingerMs: number,
    log: Logger,
  ) {
    this.#queues = queues;
    this.#replication = replication;
    this.#cleaner = cleaner;
    this.#lingerMs = lingerMs;
    this.#log = log;
  }

  get pendingRows(): number {
    return this.#pendingRows;
  }

  /**
   * Adds one request's records. Resolves with the batch id once Redis has the job.
   * @throws {Problem} 503 when too much is pending or Redis does not take the job
   */
  async add(records: readonly RequestRecord[], origin: Origin): Promise<string> {
    if (this.#pendingRows + records.length > MAX_PENDING_ROWS) throw overloaded('the collector is at its memory bound');
    const months = monthsOf(records);
    if (months.size > MAX_BATCH_MONTHS) throw tooManyMonths(months.size);
    if (this.#open && !fits(this.#open, records.length, months)) this.#flush();
    const open = (this.#open ??= this.#start());
    for (const month of months) open.months.add(month);
    const span = { firstRow: open.batch.rows, rows: records.length };
    if (origin.claim) open.claims.push({ ...origin.claim, ...span });
    if (origin.uniqueCaller !== '') open.unique.push({ caller: origin.uniqueCaller, ...span });
    for (const record of records) open.batch.add(record, origin.organizationId);
    this.#pendingRows += records.length;
    // The larger the block the less a row costs the engine, so a batch waits until it is full or its time is up.
    if (open.batch.rows === MAX_BATCH_ROWS) this.#flush();
    await open.stored;
    return open.id;
  }

  #start(): OpenBatch {
    const settle = {} as OpenBatch['settle'];
    const stored = new Promise<void>((resolve, reject) => Object.assign(settle, { resolve, reject }));
    const idle = Date.now() - this.#lastFlushAtMs > IDLE_MS;
    const timer = setTimeout(() => this.#flush(), idle ? this.#lingerMs / IDLE_LINGER_DIVISOR : this.#lingerMs);
    return { id: randomUUID(), batch: new Batch(), months: new Set(), claims: [], unique: [], timer, stored, settle };
  }

  #flush(): void {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    clearTimeout(open.timer);
    this.#lastFlushAtMs = Date.now();
    const done = this.#store(open)
      .then(open.settle.resolve, open.settle.reject)
      .finally(() => {
        this.#pendingRows -= open.batch.rows;
        this.#inFlight.delete(done);
      });
    this.#inFlight.add(done);
  }

  async #store(open: OpenBatch): Promise<void> {
    const { id: jobId, batch, claims, unique } = open;
    await this.#cleaner.clean(batch);
    const payload = await encodeBatch(batch);
    const job: BatchJob = {
      rows: batch.rows,
      claims,
      receivedAtMs: Date.now(),
      payload,
      ...(unique.length > 0 ? { unique } : {}),
    };
    await this.#enqueue(jobId, job);
    this.#log.debug({ batch_id: jobId, rows: batch.rows }, 'batch queued');
    batchesQueued.inc();
    batchRows.observe(batch.rows);
  }

  /**
   * Gives the job to one shard, or to the next when that one's node is away. It may then stand in two queues (the
   * answer was lost): the same id under the same token still counts once.
   */
  async #enqueue(jobId: string, job: BatchJob): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const queue = this.#queues[this.#nextShard++ % this.#queues.length]!;
      try {
        await queue.add('batch', job, { jobId });
        return await this.#replication.confirm(queue.qualifiedName);
      } catch (error) {
        if (attempt === ENQUEUE_TRIES) {
          this.#log.error({ err: error, batch_id: jobId, rows: job.rows }, 'Redis did not take the batch');
          throw overloaded('the queue does not accept records at the moment');
        }
        await new Promise((resolve) => setTimeout(resolve, ENQUEUE_RETRY_MS * attempt));
      }
    }
  }

  /** Hands everything gathered to Redis; resolves when Redis has it or refused it. */
  async close(): Promise<void> {
    this.#flush();
    await Promise.allSettled([...this.#inFlight]);
  }
}

export function overloaded(detail: string): Problem {
  return new Problem(503, 'Not able to store', `${detail}; retry later`, { headers: { 'Retry-After': '5' } });
}

function fits({ batch, months }: OpenBatch, rows: number, added: ReadonlySet<number>): boolean {
  if (batch.rows + rows > MAX_BATCH_ROWS) return false;
  let together = months.size;
  for (const month of added) if (!months.has(month)) together++;
  return together <= MAX_BATCH_MONTHS;
}

/** The UTC months of the records. Neighbours are mostly of the same day, so the calendar is seldom asked. */
function monthsOf(records: readonly RequestRecord[]): Set<number> {
  const months = new Set<number>();
  let lastDay = Number.NaN;
  for (const { timestampMs } of records) {
    const day = Math.floor(timestampMs / 86_400_000);
    if (day === lastDay) continue;
    lastDay = day;
    const date = new Date(timestampMs);
    months.add(date.getUTCFullYear() * 12 + date.getUTCMonth());
  }
  return months;
}

function tooManyMonths(months: number): Problem {
  return new Problem(
    400,
    'Too long a time',
    `the records span ${months} months; send at most ${MAX_BATCH_MONTHS} in one request`,
  );
}
