import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Config } from './config.ts';
import { nextTurn } from './event-loop.ts';
import type { IntakeAnswer, IntakeRequest } from './intake.ts';
import { errorOf, type FromThread, type ThreadStart, type ToThread } from './intake-messages.ts';
import type { IntakePart } from './intake-part.ts';
import { recordsReceived, type ToldMetrics, tellMetricsOf } from './metrics.ts';
import { overloaded } from './problem.ts';
import { traceparent } from './tracing.ts';

/** Bodies that a thread has not answered; more are refused with 503, but one alone is taken whatever its size. Records have the gatherer's own bound. */
const MAX_UNANSWERED_BYTES = 128 * 1024 * 1024;
/** Answers of one turn of the event loop; the others wait for turns of their own: there may be thousands. */
const ANSWERS_A_TURN = 32;
const METRICS_TIMEOUT_MS = 2_000;

interface Unanswered {
  bytes: number;
  resolve(answer: IntakeAnswer): void;
  reject(error: Error): void;
}

/** A small body lies in memory that others share, which would be copied whole. */
function ownMemory(body: Buffer): Uint8Array<ArrayBuffer> {
  const isAlone = body.byteOffset === 0 && body.buffer.byteLength === body.byteLength;
  return isAlone && body.buffer instanceof ArrayBuffer ? (body as Uint8Array<ArrayBuffer>) : new Uint8Array(body);
}

const stopping = () => overloaded('the collector is stopping');

/**
 * An intake in a thread of its own. Parsing is most of a collector's work and leaves most of its garbage: beside it, sockets, health
 * checks and timers would wait for each of its turns.
 */
class IntakeThread {
  readonly #worker: Worker;
  readonly #unanswered = new Map<number, Unanswered>();
  readonly #metrics = new Map<number, (told: ToldMetrics) => void>();
  readonly #onCrash: (error: unknown) => void;
  #lastMetrics: ToldMetrics = [];
  #nextId = 0;
  #unansweredBytes = 0;
  #answersOfTurn = 0;
  #isClosing = false;
  #hasEnded = false;

  private constructor(start: ThreadStart, onCrash: (error: unknown) => void) {
    this.#onCrash = onCrash;
    this.#worker = new Worker(new URL('./intake-thread.js', import.meta.url), { workerData: start });
  }

  /** @throws what ended it before it could take anything */
  static async start(start: ThreadStart, onCrash: (error: unknown) => void): Promise<IntakeThread> {
    const thread = new IntakeThread(start, onCrash);
    await thread.#begin();
    return thread;
  }

  #begin(): Promise<void> {
    return new Promise((resolve, reject) => {
      let isReady = false;
      let failure: unknown;
      this.#worker.on('error', (error) => (failure = error));
      this.#worker.once('exit', (code) => {
        failure ??= new Error(`an intake thread ended with ${code}`);
        this.#hasEnded = true;
        this.#failUnanswered();
        if (!isReady) reject(failure);
        else if (!this.#isClosing) this.#onCrash(failure);
      });
      this.#worker.on('message', (message: FromThread) => {
        if (message.kind === 'ready') {
          isReady = true;
          resolve();
        } else if (message.kind === 'metrics') {
          this.#metrics.get(message.id)?.(message.metrics as ToldMetrics);
        } else this.#answered(message);
      });
    });
  }

  get unansweredBytes(): number {
    return this.#unansweredBytes;
  }

  take(request: IntakeRequest): Promise<IntakeAnswer> {
    if (this.#hasEnded) return Promise.reject(stopping());
    const id = this.#nextId++;
    const body = ownMemory(request.body);
    const bytes = body.byteLength;
    this.#unansweredBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#unanswered.set(id, { bytes, resolve, reject });
      this.#tell({ kind: 'take', id, request: { ...request, body }, trace: traceparent() }, [body.buffer]);
    });
  }

  #answered(message: Extract<FromThread, { kind: 'answer' | 'failed' }>): void {
    if (this.#answersOfTurn === 0) setImmediate(() => (this.#answersOfTurn = 0));
    if (++this.#answersOfTurn <= ANSWERS_A_TURN) this.#settle(message);
    else void nextTurn().then(() => this.#settle(message));
  }

  #settle(message: Extract<FromThread, { kind: 'answer' | 'failed' }>): void {
    const waiting = this.#unanswered.get(message.id);
    if (!waiting) return;
    this.#unanswered.delete(message.id);
    this.#unansweredBytes -= waiting.bytes;
    if (message.kind === 'answer') waiting.resolve(message.answer);
    else waiting.reject(errorOf(message.failure));
  }

  #failUnanswered(): void {
    for (const { reject } of this.#unanswered.values()) reject(stopping());
    this.#unanswered.clear();
    this.#unansweredBytes = 0;
  }

  /** Its metrics so far, or the last ones when it does not say in time: a counter never goes back. */
  metrics(): Promise<ToldMetrics> {
    const id = this.#nextId++;
    return new Promise<ToldMetrics>((resolve) => {
      const timer = setTimeout(() => resolve(this.#lastMetrics), METRICS_TIMEOUT_MS);
      this.#metrics.set(id, (told) => {
        clearTimeout(timer);
        this.#lastMetrics = told;
        resolve(told);
      });
      this.#tell({ kind: 'metrics', id });
    }).finally(() => this.#metrics.delete(id));
  }

  /** It ends by itself when Redis has, or refused, what it gathered. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#hasEnded) return;
    const ended = once(this.#worker, 'exit');
    this.#tell({ kind: 'close' });
    await ended;
  }

  #tell(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}

/**
 * An intake in `config.INGEST_THREADS` threads, which take bodies in turns; each gathers batches of its own.
 *
 * @param onCrash a thread ended that nobody stopped
 * @throws when one cannot start; the process is to end then
 */
export async function startThreadedIntake(
  config: Config,
  redisUrl: string,
  onCrash: (error: unknown) => void,
): Promise<IntakePart> {
  const start = () => IntakeThread.start({ config, redisUrl }, onCrash);
  const threads = await Promise.all(Array.from({ length: config.INGEST_THREADS }, start));
  const untell = tellMetricsOf(() => Promise.all(threads.map((thread) => thread.metrics())));
  let turn = 0;
  return {
    take: async (request) => {
      const thread = threads[turn++ % threads.length]!;
      if (thread.unansweredBytes > 0 && thread.unansweredBytes + request.body.length > MAX_UNANSWERED_BYTES) {
        recordsReceived.inc({ outcome: 'refused_overload' });
        throw overloaded('the collector is at its memory bound');
      }
      return thread.take(request);
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
      untell();
    },
  };
}
