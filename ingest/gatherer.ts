import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { Batch, encodeBatch, MAX_BATCH_ROWS } from './batch.ts';
import type { BatchCleaner } from './clean-batch.ts';
import { nextTurn } from './event-loop.ts';
import { FairShare, type Lane } from './fair-share.ts';
import { firstLingerMs, lingersOn, waitingBefore } from './linger.ts';
import type { Logger } from './logger.ts';
import { batchesQueued, batchRows } from './metrics.ts';
import type { ParsedRecords } from './parsed-records.ts';
import { overloaded, Problem } from './problem.ts';
import { BATCH_QUEUE, type BatchClaim, type BatchJob, type UniqueRange } from './queue.ts';
import type { Replication } from './replication.ts';
import { traced, traceparent } from './tracing.ts';

/** Records held in memory that Redis does not have yet. Beyond this the collector answers 503. */
const MAX_PENDING_ROWS = 400_000;
/** ClickHouse refuses an insert over more than 100 partitions for good, and a partition is a month. */
const MAX_BATCH_MONTHS = 90;
const ENQUEUE_TRIES = 4;
const ENQUEUE_RETRY_MS = 100;

/** Of these, records that a bulk sender may hold: the rest is for the others. */
const MAX_PENDING_BULK_ROWS = MAX_PENDING_ROWS / 2;
/** A bulk batch is small enough that a batch of the others does not wait long behind those under way. */
const MAX_BULK_BATCH_ROWS = 10_000;
/** Taken when no batch of the others waits. */
const BULK_PRIORITY = 1;
/** Requests of one batch that are answered in one turn of the event loop, the others in one turn each: there may be thousands. */
const ANSWERS_AT_ONCE = 32;

interface OpenBatch {
  id: string;
  lane: Lane;
  batch: Batch;
  /** Months of its records: partitions of one insert. */
  months: Set<number>;
  claims: BatchClaim[];
  unique: UniqueRange[];
  /** Traceparents of the requests in it, when they are traced. */
  causes: string[];
  requests: number;
  startedAtMs: number;
  /** Requests since the last look at it, without the one that opened it. */
  arrivals: number;
  isWaitedFor: boolean;
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
  /** The sender sends its next records after this answer: see sender-pace.ts. */
  isWaitedFor: boolean;
  /** Id of the token when each record's request id tells a repeat; '' when it does not. */
  uniqueCaller: string;
  /** Whether a repeat may have another time: see {@link UniqueRange}. */
  isTimeless: boolean;
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
  readonly #open = new Map<Lane, OpenBatch>();
  readonly #shares = new FairShare(Date.now());
  #pendingRows = 0;
  #pendingBulkRows = 0;
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
   * @param records handed over: there are none in it afterwards
   * @throws {Problem} 503 when too much is pending or Redis does not take the job
   */
  async add(records: ParsedRecords, origin: Origin): Promise<string> {
    const { rows } = records;
    const lane = this.#shares.lane(origin.organizationId, rows, Date.now());
    this.#checkRoom(lane, rows);
    const months = monthsOf(records);
    if (months.size > MAX_BATCH_MONTHS) throw tooManyMonths(months.size);
    const before = this.#open.get(lane);
    if (before && !fits(before, rows, months)) this.#flush(lane);
    const open = this.#open.get(lane) ?? this.#start(lane);
    open.arrivals++;
    const place = open.requests++;
    if (origin.isWaitedFor) open.isWaitedFor = true;
    for (const month of months) open.months.add(month);
    const span = { firstRow: open.batch.rows, rows };
    if (origin.claim) open.claims.push({ ...origin.claim, ...span });
    const timeless = origin.isTimeless ? ({ timeless: true } as const) : undefined;
    if (origin.uniqueCaller !== '') open.unique.push({ caller: origin.uniqueCaller, ...span, ...timeless });
    open.batch.append(records, origin.organizationId);
    records.clear();
    const cause = traceparent();
    if (cause) open.causes.push(cause);
    this.#pendingRows += rows;
    if (lane === 'bulk') this.#pendingBulkRows += rows;
    // The larger the block the less a row costs the engine, so a batch waits until it is full or its time is up.
    if (open.batch.rows >= maxRowsOf(lane)) this.#flush(lane);
    await open.stored;
    if (place >= ANSWERS_AT_ONCE) await nextTurn();
    return open.id;
  }

  #checkRoom(lane: Lane, rows: number): void {
    if (this.#pendingRows + rows > MAX_PENDING_ROWS) throw overloaded('the collector is at its memory bound');
    if (lane === 'bulk' && this.#pendingBulkRows + rows > MAX_PENDING_BULK_ROWS) {
      throw overloaded('this organization sends more than is taken at the moment');
    }
  }

  #start(lane: Lane): OpenBatch {
    const settle = {} as OpenBatch['settle'];
    const stored = new Promise<void>((resolve, reject) => Object.assign(settle, { resolve, reject }));
    const startedAtMs = Date.now();
    const lingerMs = firstLingerMs(this.#lingerMs, startedAtMs - this.#lastFlushAtMs);
    const timer = setTimeout(() => this.#due(open), lingerMs);
    const contents = { batch: new Batch(), months: new Set<number>(), claims: [], unique: [], causes: [] };
    const pace = { requests: 0, startedAtMs, arrivals: -1, isWaitedFor: false };
    const open: OpenBatch = { id: randomUUID(), lane, ...contents, ...pace, timer, stored, settle };
    this.#open.set(lane, open);
    return open;
  }

  async #due(open: OpenBatch): Promise<void> {
    const { lane, startedAtMs } = open;
    const waiting = await waitingBefore(this.#queues, lane);
    // It may have become full meanwhile, or the collector may be stopping.
    if (this.#open.get(lane) !== open) return;
    const { arrivals, isWaitedFor } = open;
    open.arrivals = 0;
    if (lingersOn({ ageMs: Date.now() - startedAtMs, waiting, arrivals, isWaitedFor }, this.#lingerMs)) {
      open.timer = setTimeout(() => this.#due(open), this.#lingerMs);
    } else this.#flush(lane);
  }

  #flush(lane: Lane): void {
    const open = this.#open.get(lane);
    if (!open) return;
    this.#open.delete(lane);
    clearTimeout(open.timer);
    this.#lastFlushAtMs = Date.now();
    const done = this.#storeTraced(open)
      .then(open.settle.resolve, open.settle.reject)
      .finally(() => {
        this.#pendingRows -= open.batch.rows;
        if (lane === 'bulk') this.#pendingBulkRows -= open.batch.rows;
        this.#inFlight.delete(done);
      });
    this.#inFlight.add(done);
  }

  /** In the trace of the first request in it; the others are linked. */
  #storeTraced(open: OpenBatch): Promise<void> {
    const [parent, ...links] = open.causes;
    const attributes = { 'messaging.system': 'bullmq', 'messaging.destination.name': BATCH_QUEUE, ...aboutBatch(open) };
    return traced(`send ${BATCH_QUEUE}`, { kind: 'PRODUCER', attributes, parent, links }, () => this.#store(open));
  }

  async #store(open: OpenBatch): Promise<void> {
    const { id: jobId, lane, batch, claims, unique } = open;
    await this.#cleaner.clean(batch);
    const payload = await encodeBatch(batch);
    const job: BatchJob = {
      rows: batch.rows,
      claims,
      receivedAtMs: Date.now(),
      payload,
      ...(unique.length > 0 ? { unique } : {}),
    };
    const trace = traceparent();
    if (trace) job.trace = trace;
    await this.#enqueue(jobId, lane, job);
    this.#log.debug({ batch_id: jobId, rows: batch.rows }, 'batch queued');
    batchesQueued.inc();
    batchRows.observe(batch.rows);
  }

  /**
   * Gives the job to one shard, or to the next when that one's node is away. It may then stand in two queues (the
   * answer was lost): the same id under the same token still counts once.
   */
  async #enqueue(jobId: string, lane: Lane, job: BatchJob): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const queue = this.#queues[this.#nextShard++ % this.#queues.length]!;
      try {
        await queue.add('batch', job, lane === 'bulk' ? { jobId, priority: BULK_PRIORITY } : { jobId });
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
    for (const lane of [...this.#open.keys()]) this.#flush(lane);
    await Promise.allSettled([...this.#inFlight]);
  }
}

const aboutBatch = ({ id, batch }: OpenBatch) => ({ 'messaging.message.id': id, 'keytally.rows': batch.rows });

function maxRowsOf(lane: Lane): number {
  return lane === 'bulk' ? MAX_BULK_BATCH_ROWS : MAX_BATCH_ROWS;
}

function fits({ lane, batch, months }: OpenBatch, rows: number, added: ReadonlySet<number>): boolean {
  if (batch.rows + rows > maxRowsOf(lane)) return false;
  let together = months.size;
  for (const month of added) if (!months.has(month)) together++;
  return together <= MAX_BATCH_MONTHS;
}

/** The UTC months of the records. Neighbours are mostly of the same day, so the calendar is seldom asked. */
function monthsOf({ rows, timestampMs: { values } }: ParsedRecords): Set<number> {
  const months = new Set<number>();
  let lastDay = Number.NaN;
  for (let row = 0; row < rows; row++) {
    const day = Math.floor(values[row]! / 86_400_000);
    if (day === lastDay) continue;
    lastDay = day;
    const date = new Date(values[row]!);
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
