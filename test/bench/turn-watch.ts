/**
 * Loaded before a part (`node --import`), it notes the longest turns of the part's event loop and how long its thread ran and waited
 * for a processor in them (Linux: /proc/self/task/…/schedstat, nanoseconds). SIGUSR2 begins anew, `TURN_WATCH_FILE` has the result.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const LOOK_EVERY_MS = 5;

/** Longest of each since the beginning, milliseconds; not of the same turn. */
export interface LongestTurns {
  /** On the clock. */
  turnMs: number;
  /** Time of a processor that the thread itself took in one turn. */
  ranMs: number;
}

const file = process.env.TURN_WATCH_FILE;
if (file !== undefined) watch(file);

function watch(path: string): void {
  let longest: LongestTurns = { turnMs: 0, ranMs: 0 };
  let before = now();
  const look = () => {
    const { atMs, ranMs } = now();
    longest.turnMs = Math.max(longest.turnMs, atMs - before.atMs - LOOK_EVERY_MS);
    longest.ranMs = Math.max(longest.ranMs, ranMs - before.ranMs);
    before = { atMs, ranMs };
  };
  setInterval(look, LOOK_EVERY_MS).unref();
  process.on('SIGUSR2', () => {
    longest = { turnMs: 0, ranMs: 0 };
    before = now();
  });
  process.on('SIGTERM', () => writeFileSync(path, JSON.stringify(longest)));
}

function now() {
  const [ran] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return { atMs: performance.now(), ranMs: Number(ran) / 1e6 };
}
