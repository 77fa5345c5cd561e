import { AskedThread } from './asked-thread.ts';
import type { Config } from './config.ts';
import type { IntakeAnswer, IntakeRequest } from './intake.ts';
import type { IntakeAsk, IntakeStart } from './intake-messages.ts';
import type { IntakePart } from './intake-part.ts';
import { recordsReceived, type ToldMetrics, tellMetricsOf } from './metrics.ts';
import { overloaded } from './problem.ts';
import { traceparent } from './tracing.ts';

/** Bodies that a thread has not answered; more are refused with 503, but one alone is taken whatever its size. Records have the gatherer's own bound. */
const MAX_UNANSWERED_BYTES = 128 * 1024 * 1024;
const METRICS_TIMEOUT_MS = 2_000;
const PROGRAM = new URL('./intake-thread.js', import.meta.url);

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
  readonly #thread: AskedThread<IntakeAsk>;
  #lastMetrics: ToldMetrics = [];
  #unansweredBytes = 0;

  private constructor(thread: AskedThread<IntakeAsk>) {
    this.#thread = thread;
  }

  /** @throws what ended it before it could take anything */
  static async start(start: IntakeStart, onCrash: (error: unknown) => void): Promise<IntakeThread> {
    return new IntakeThread(await AskedThread.start({ program: PROGRAM, start, onCrash, gone: stopping }));
  }

  get unansweredBytes(): number {
    return this.#unansweredBytes;
  }

  async take(request: IntakeRequest): Promise<IntakeAnswer> {
    const body = ownMemory(request.body);
    const bytes = body.byteLength;
    this.#unansweredBytes += bytes;
    try {
      const ask: IntakeAsk = { kind: 'take', request: { ...request, body }, trace: traceparent() };
      return await this.#thread.ask<IntakeAnswer>(ask, [body.buffer]);
    } finally {
      this.#unansweredBytes -= bytes;
    }
  }

  /** Its metrics so far, or the last ones when it does not say in time: a counter never goes back. */
  metrics(): Promise<ToldMetrics> {
    return new Promise<ToldMetrics>((resolve) => {
      const useLast = () => resolve(this.#lastMetrics);
      const timer = setTimeout(useLast, METRICS_TIMEOUT_MS);
      const told = this.#thread.ask<ToldMetrics>({ kind: 'metrics' }).then((metrics) => {
        this.#lastMetrics = metrics;
        resolve(metrics);
      });
      told.catch(useLast).finally(() => clearTimeout(timer));
    });
  }

  /** It ends by itself when Redis has, or refused, what it gathered. */
  close(): Promise<void> {
    return this.#thread.close();
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
