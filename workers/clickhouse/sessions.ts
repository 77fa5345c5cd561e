import type { ClickHouseClient } from '@clickhouse/client';
import { Problem } from '../../ingest/problem.ts';
import { readsRefused } from '../metrics.ts';

/** Reads that may wait: pages and gateways come again without having been answered, and a line of those who left would never end. */
export const MAX_WAITING_READS = 2_000;

/**
 * Connections to the engine that do the same work. The embedded engine runs the statements of one connection one after another and
 * keeps a thread of Node's small pool waiting for each that stands in line, so they stand in line here: whichever connection is
 * free first takes the next one, and a slow statement holds up nobody while another connection is free.
 */
export class Sessions {
  readonly #clients: readonly ClickHouseClient[];
  readonly #inTurn: boolean;
  readonly #maxWaiting: number;
  readonly #free: ClickHouseClient[];
  readonly #waiting: ((client: ClickHouseClient) => void)[] = [];

  /**
   * @param inTurn one statement at a time per connection; a server takes them side by side on the first
   * @param maxWaiting statements that may stand in line; default: all, for what others count: batches under way, jobs
   */
  constructor(clients: readonly ClickHouseClient[], inTurn: boolean, maxWaiting = Number.POSITIVE_INFINITY) {
    this.#clients = clients;
    this.#inTurn = inTurn;
    this.#maxWaiting = maxWaiting;
    this.#free = [...clients];
  }

  /** @throws {Problem} 503 when too many wait already */
  async run<Result>(work: (client: ClickHouseClient) => Promise<Result>): Promise<Result> {
    if (!this.#inTurn) return work(this.#clients[0]!);
    const client = this.#free.pop() ?? (await this.#turn());
    try {
      return await work(client);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(client);
      else this.#free.push(client);
    }
  }

  #turn(): Promise<ClickHouseClient> {
    if (this.#waiting.length >= this.#maxWaiting) {
      readsRefused.inc();
      throw new Problem(503, 'Not able to answer', 'too many reads wait for the store; retry later', {
        headers: { 'Retry-After': '5' },
      });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
  }
}
