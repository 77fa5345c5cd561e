import type { ClickHouseClient } from '@clickhouse/client';

/**
 * One connection to the engine. The embedded engine runs the statements of a session one after another and keeps a thread of
 * Node's small pool waiting for each that stands in line, so they stand in line here.
 */
export class Session {
  readonly client: ClickHouseClient;
  readonly #inTurn: boolean;
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /** @param inTurn one statement at a time; a server takes them side by side */
  constructor(client: ClickHouseClient, inTurn: boolean) {
    this.client = client;
    this.#inTurn = inTurn;
  }

  /** Statements under way and in line. */
  get pending(): number {
    return this.#pending;
  }

  async run<Result>(work: (client: ClickHouseClient) => Promise<Result>): Promise<Result> {
    this.#pending++;
    const turn = this.#inTurn ? this.#last.then(() => work(this.client)) : work(this.client);
    this.#last = turn.catch(() => undefined);
    return turn.finally(() => this.#pending--);
  }
}

/** The session with the least to do; of equals the one that comes first. Pure. */
export function leastBusy<One extends { readonly pending: number }>(sessions: readonly One[]): One {
  return sessions.reduce((best, session) => (session.pending < best.pending ? session : best));
}
