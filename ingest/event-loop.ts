/** Work that was begun, and work that is yet to begin. Few at a time: each belongs to a request or a batch. */
const going: (() => void)[] = [];
const beginning: (() => void)[] = [];
/** However much is going on, something new begins after so many turns: a preview of alerts goes on for seconds. */
const MAX_TURNS_TO_BEGIN = 16;
let turnsSinceBeginning = 0;

/**
 * Lets the event loop serve others: timers, sockets, lock renewals. Long work on rows calls it every few milliseconds, so that no
 * request waits behind a batch of 50,000. One piece of work a turn: fifty senders whose bodies came together would otherwise
 * all be parsed before the next timer or socket is looked at.
 */
export function nextTurn(): Promise<void> {
  return turnIn(going);
}

/**
 * A turn for work that begins. It comes after the work that was begun: many bodies half parsed are many objects that the garbage
 * collector moves about.
 */
export function turnToBegin(): Promise<void> {
  return turnIn(beginning);
}

function turnIn(line: (() => void)[]): Promise<void> {
  return new Promise((resolve) => {
    if (going.length + beginning.length === 0) setImmediate(serveOne);
    line.push(resolve);
  });
}

function serveOne(): void {
  const isNewsTurn = going.length === 0 || (beginning.length > 0 && turnsSinceBeginning >= MAX_TURNS_TO_BEGIN);
  turnsSinceBeginning = isNewsTurn ? 0 : turnsSinceBeginning + 1;
  (isNewsTurn ? beginning : going).shift()!();
  if (going.length + beginning.length > 0) setImmediate(serveOne);
}

/** Rows handled between two turns: about 5 ms of work. */
export const ROWS_PER_TURN = 4_096;
/** What is larger takes a turn of its own to parse. */
export const OWN_TURN_BYTES = 16 * 1024;
