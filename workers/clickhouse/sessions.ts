import type { ClickHouseClient } from '@clickhouse/client';

/**
 * Connections to the engine that do the same work. The embedded engine runs the statements of one connection one after another and
 * keeps a thread of Node's small pool waiting for each that stands in line, so they stand in line here: whichever connection is
 * free first takes the next one, and a slow statement holds up nobody while another connection is free.
 */
export class Sessions {
  readonly #clients: readonly ClickHouseClient[];
  readonly #inTurn: boolean;
  readonly #free: ClickHouseClient[];
  readonly #waiting: ((client: ClickHouseClient) => void)[] = [];

  /** @param inTurn one statement at a time per connection; a server takes them side by side on the first */
  constructor(clients: readonly ClickHouseClient[], inTurn: boolean) {
    this.#clients = clients;
    this.#inTurn = inTurn;
    this.#free = [...clients];
  }

  async run<Result>(work: (client: ClickHouseClient) => Promise<Result>): Promise<Result> {
    if (!this.#inTurn) return work(this.#clients[0]!);
    const client = this.#free.pop() ?? (await new Promise<ClickHouseClient>((resolve) => this.#waiting.push(resolve)));
    try {
      return await work(client);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(client);
      else this.#free.push(client);
    }
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
  }
}
