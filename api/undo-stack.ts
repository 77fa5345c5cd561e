import type { Logger } from '../ingest/logger.ts';

type Undo = () => Promise<unknown> | unknown;

/** A start was asked to stop before it came to its end. */
export class StartStopped extends Error {
  constructor() {
    super('stopped during the start');
  }
}

/**
 * What has to be undone of a start, the last first. What comes up only after the undoing has begun is undone at once, and the start goes no further:
 * a Redis of our own that was being started when the stop came ran on without anybody.
 */
export class UndoStack {
  readonly #log: Logger;
  readonly #steps: Undo[] = [];
  readonly #late: Promise<void>[] = [];
  #undone: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @throws {StartStopped} when everything else is being undone already, or is */
  push(step: Undo): void {
    if (this.#undone === undefined) {
      this.#steps.push(step);
      return;
    }
    this.#late.push(this.#undone.then(() => this.#run(step)));
    throw new StartStopped();
  }

  /** Undoes everything; never rejects. The second call waits for the first. */
  async undo(): Promise<void> {
    this.#undone ??= this.#undoAll();
    await this.#undone;
    await Promise.all(this.#late);
  }

  async #undoAll(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await this.#run(step);
  }

  async #run(step: Undo): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#log.error({ err: error }, 'while stopping');
    }
  }
}
