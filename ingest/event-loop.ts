const waiting: (() => void)[] = [];

/**
 * Lets the event loop serve others: timers, sockets, lock renewals. Long work on rows calls it every few milliseconds, so that no
 * request waits behind a batch of 50,000. One piece of work a turn: fifty senders whose bodies came together would otherwise
 * all be parsed before the next timer or socket is looked at. Those that wait are few: each belongs to a request or a batch in work.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    schedule();
    waiting.unshift(resolve);
  });
}

/**
 * A turn for work that begins. It comes after the work that was begun: many bodies half parsed are many objects that the garbage
 * collector moves about.
 */
export function turnToBegin(): Promise<void> {
  return new Promise((resolve) => {
    schedule();
    waiting.push(resolve);
  });
}

/** Before an entry is added. */
function schedule(): void {
  if (waiting.length === 0) setImmediate(serveOne);
}

function serveOne(): void {
  waiting.shift()!();
  if (waiting.length > 0) setImmediate(serveOne);
}

/** Rows handled between two turns: about 5 ms of work. */
export const ROWS_PER_TURN = 4_096;
/** What is larger takes a turn of its own to parse. */
export const OWN_TURN_BYTES = 16 * 1024;
