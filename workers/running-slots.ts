import type { Logger } from '../ingest/logger.ts';
import { slotsLeftOut } from './metrics.ts';

/**
 * Time slots that this process works on: of each kind one at a time.
 *
 * A slot that comes while the one before still runs is left out, as `concurrencyPolicy: Forbid` of a Kubernetes CronJob does. Where a
 * sweep took longer than the time between two, each made those beside it slower until none of them came to its end.
 */
export class RunningSlots {
  readonly #log: Logger;
  readonly #startedMs = new Map<string, number>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Does the work of a slot, unless one of its kind is being done. @throws what the work throws */
  async run(kind: string, slot: string, work: () => Promise<void>): Promise<void> {
    const startedMs = this.#startedMs.get(kind);
    if (startedMs !== undefined) {
      slotsLeftOut.inc({ kind });
      const runningSeconds = Math.round((Date.now() - startedMs) / 1000);
      this.#log.warn({ kind, slot, runningSeconds }, 'slot left out: the one before still runs');
      return;
    }
    this.#startedMs.set(kind, Date.now());
    try {
      await work();
    } finally {
      this.#startedMs.delete(kind);
    }
  }
}
