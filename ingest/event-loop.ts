/**
 * Lets the event loop serve others: timers, sockets, lock renewals. Long work on rows calls it every few milliseconds,
 * so that no request waits behind a batch of 50,000.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Rows handled between two turns: about 5 ms of work. */
export const ROWS_PER_TURN = 4_096;
