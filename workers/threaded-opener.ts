import { AskedThread } from '../ingest/asked-thread.ts';
import type { Config } from '../ingest/config.ts';
import type { UniqueRange } from '../ingest/queue.ts';
import type { RowRange } from './native-block.ts';
import {
  type BatchOpener,
  type KeptRows,
  type OpenedBatch,
  type QueuedBatch,
  UnreadableBatch,
} from './opened-batch.ts';
import type { Opened, OpenerAbout, OpenerAsk, OpenerStart } from './opener-messages.ts';
import type { RequestIds } from './request-ids.ts';

type Thread = AskedThread<OpenerAsk, OpenerAbout>;

const PROGRAM = new URL('./opener-thread.js', import.meta.url);
/** An error like any other of a batch: it is tried again, by this worker's successor. */
const gone = () => new Error('the thread that decodes batches has ended');

/**
 * Opens batches in `config.WORKER_THREADS` threads, in turns. A batch leaves about 20 MB of garbage, and the pauses of collecting it would hold up
 * whatever else this process serves: lock renewals, schedules, in a program of all parts every page.
 *
 * @param onCrash a thread ended that nobody stopped
 * @throws when one cannot start; the process is to end then
 */
export async function startThreadedOpener(config: Config, onCrash: (error: unknown) => void): Promise<BatchOpener> {
  const start: OpenerStart = { config };
  const startOne = () => AskedThread.start<OpenerAsk, OpenerAbout>({ program: PROGRAM, start, onCrash, gone });
  const threads = await Promise.all(Array.from({ length: config.WORKER_THREADS }, startOne));
  return new ThreadedOpener(threads);
}

class ThreadedOpener implements BatchOpener {
  readonly #threads: readonly Thread[];
  #turn = 0;
  #geoBuiltAtMs: number;

  constructor(threads: readonly Thread[]) {
    this.#threads = threads;
    this.#geoBuiltAtMs = threads[0]!.about.geoBuiltAtMs;
  }

  get geoBuiltAt(): Date {
    return new Date(this.#geoBuiltAtMs);
  }

  async open(batchId: string, { payload, receivedAtMs }: QueuedBatch): Promise<OpenedBatch> {
    const thread = this.#threads[this.#turn++ % this.#threads.length]!;
    const opened = await thread.ask<Opened>({ kind: 'open', batchId, job: { payload, receivedAtMs } });
    if ('unreadable' in opened) throw new UnreadableBatch(opened.unreadable);
    this.#geoBuiltAtMs = opened.geoBuiltAtMs;
    return new ThreadedBatch(thread, opened);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

class ThreadedBatch implements OpenedBatch {
  readonly #thread: Thread;
  readonly #batch: number;
  readonly rows: number;
  readonly rateLimits: OpenedBatch['rateLimits'];

  constructor(thread: Thread, { batch, rows, rateLimits }: Exclude<Opened, { unreadable: string }>) {
    this.#thread = thread;
    this.#batch = batch;
    this.rows = rows;
    this.rateLimits = rateLimits;
  }

  requestIds(unique: readonly UniqueRange[]): Promise<RequestIds> {
    return this.#thread.ask<RequestIds>({ kind: 'request_ids', batch: this.#batch, unique });
  }

  async block(ranges: readonly RowRange[]): Promise<Buffer> {
    const block = await this.#thread.ask<Uint8Array>({ kind: 'block', batch: this.#batch, ranges });
    return Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  }

  keep(rows: readonly number[]): Promise<KeptRows> {
    return this.#thread.ask<KeptRows>({ kind: 'keep', batch: this.#batch, rows });
  }

  close(): void {
    // A thread that has ended has let go of it already.
    this.#thread.ask({ kind: 'close', batch: this.#batch }).catch(() => undefined);
  }
}
