import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { nextTurn } from './event-loop.ts';
import { errorOf, type FromThread, type ToThread } from './thread-messages.ts';

/** Answers of one turn of the event loop; the others wait for turns of their own: there may be thousands. */
const ANSWERS_A_TURN = 32;

type Answer = Extract<FromThread, { kind: 'answer' | 'failed' }>;

interface Unanswered {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

export interface AskedThreadOptions {
  /** Compiled; serves with `serveThread`. */
  program: URL;
  /** What it is started with. Only what can pass to another thread, as all that is asked and answered. */
  start: unknown;
  /** It ended and nobody had told it to. */
  onCrash(error: unknown): void;
  /** The error of what was asked of a thread that ended. */
  gone(): Error;
}

/**
 * A thread that is asked and answers, for work that would hold up the event loop here. How much may be asked at a time is for those who ask to bound.
 */
export class AskedThread<Ask, About = unknown> {
  readonly #worker: Worker;
  readonly #options: AskedThreadOptions;
  readonly #unanswered = new Map<number, Unanswered>();
  #about: About | undefined;
  #nextId = 0;
  #answersOfTurn = 0;
  #isClosing = false;
  #hasEnded = false;

  private constructor(options: AskedThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(options.program, { workerData: options.start });
  }

  /** @throws what ended it before it could be asked anything */
  static async start<Ask, About>(options: AskedThreadOptions): Promise<AskedThread<Ask, About>> {
    const thread = new AskedThread<Ask, About>(options);
    thread.#about = await thread.#begin();
    return thread;
  }

  #begin(): Promise<About> {
    return new Promise((resolve, reject) => {
      let isReady = false;
      let failure: unknown;
      this.#worker.on('error', (error) => (failure = error));
      this.#worker.once('exit', (code) => {
        failure ??= new Error(`a thread ended with ${code}`);
        this.#hasEnded = true;
        for (const waiting of this.#unanswered.values()) waiting.reject(this.#options.gone());
        this.#unanswered.clear();
        if (!isReady) reject(failure);
        else if (!this.#isClosing) this.#options.onCrash(failure);
      });
      this.#worker.on('message', (message: FromThread) => {
        if (message.kind === 'ready') {
          isReady = true;
          resolve(message.about as About);
        } else if (message.kind === 'cannot_start') reject(errorOf(message.failure));
        else this.#answered(message);
      });
    });
  }

  /** What the thread told of itself. */
  get about(): About {
    return this.#about!;
  }

  /**
   * @param transfer memory that changes hands: empty here afterwards
   * @throws what the thread threw, a {@link Problem} as one; `gone()` when it has ended
   */
  ask<Result>(ask: Ask, transfer: ArrayBuffer[] = []): Promise<Result> {
    if (this.#hasEnded) return Promise.reject(this.#options.gone());
    const id = this.#nextId++;
    return new Promise<Result>((resolve, reject) => {
      this.#unanswered.set(id, { resolve: resolve as Unanswered['resolve'], reject });
      this.#tell({ kind: 'ask', id, ask }, transfer);
    });
  }

  #answered(message: Answer): void {
    if (this.#answersOfTurn === 0) setImmediate(() => (this.#answersOfTurn = 0));
    if (++this.#answersOfTurn <= ANSWERS_A_TURN) this.#settle(message);
    else void nextTurn().then(() => this.#settle(message));
  }

  #settle(message: Answer): void {
    const waiting = this.#unanswered.get(message.id);
    if (!waiting) return;
    this.#unanswered.delete(message.id);
    if (message.kind === 'answer') waiting.resolve(message.answer);
    else waiting.reject(errorOf(message.failure));
  }

  /** Tells it to end and waits until it has. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#hasEnded) return;
    const ended = once(this.#worker, 'exit');
    this.#tell({ kind: 'close' }, []);
    await ended;
  }

  #tell(message: ToThread<Ask>, transfer: ArrayBuffer[]): void {
    this.#worker.postMessage(message, transfer);
  }
}
