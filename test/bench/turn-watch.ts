/**
 * Loaded before a part (`node --import`), it notes the longest turns of the part's event loop and how long its thread ran and waited
 * for a processor in them (Linux: /proc/self/task/…/schedstat, nanoseconds). SIGUSR2 begins anew, `TURN_WATCH_FILE` has the result.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const LOOK_EVERY_MS = 5;
const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;

/** Longest of each since the beginning, milliseconds; not of the same turn. */
export interface LongestTurns {
  /** On the clock. */
  turnMs: number;
  /** Time of a processor that the thread itself took in one turn; null where the system does not tell. */
  ranMs: number | null;
}

const file = process.env.TURN_WATCH_FILE;
// A thread of the part loads this too.
if (file !== undefined && isMainThread) watch(file);

function watch(path: string): void {
  let longest: LongestTurns = { turnMs: 0, ranMs: null };
  let before = now();
  const look = () => {
    const { atMs, ranMs } = now();
    longest.turnMs = Math.max(longest.turnMs, atMs - before.atMs - LOOK_EVERY_MS);
    if (ranMs !== null) longest.ranMs = Math.max(longest.ranMs ?? 0, ranMs - (before.ranMs ?? 0));
    before = { atMs, ranMs };
  };
  setInterval(look, LOOK_EVERY_MS).unref();
  process.on('SIGUSR2', () => {
    longest = { turnMs: 0, ranMs: null };
    before = now();
  });
  process.on('SIGTERM', () => writeFileSync(path, JSON.stringify(longest)));
}

function now(): { atMs: number; ranMs: number | null } {
  const ran = existsSync(SCHEDSTAT) ? readFileSync(SCHEDSTAT, 'utf8').split(' ')[0] : undefined;
  return { atMs: performance.now(), ranMs: ran === undefined ? null : Number(ran) / 1e6 };
}
