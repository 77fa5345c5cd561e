import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Name of the threads in which the engine merges parts, of which it starts two with its first table. */
const MERGE_THREAD = 'MergeMutate';
/** A third of the weight of everybody else (Linux: 335 of 1,024), while there is somebody else. */
export const MERGE_NICE = 5;
const THREADS = '/proc/self/task';

/**
 * Has merges stand back for inserts and reads where all share the processors of one machine: what a merge does can wait, and an insert
 * that waits is how a backlog begins (docs/benchmarks.md, "Merges stand back"). The engine's own setting for it (`os_threads_nice_value_merge_mutate`) needs a
 * privilege to take priority back, which a thread that never gets it back does not. Linux only; elsewhere nothing changes.
 */
export function haveMergesStandBack(): void {
  for (const thread of mergeThreads()) standBack(thread);
}

/** Ids of the threads; empty where the system does not list them. */
export function mergeThreads(): number[] {
  try {
    return readdirSync(THREADS)
      .filter((id) => nameOf(id) === MERGE_THREAD)
      .map(Number);
  } catch {
    return [];
  }
}

/** A thread may end between being listed and being asked. */
function nameOf(id: string): string {
  try {
    return readFileSync(`${THREADS}/${id}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Where a sandbox forbids it, merges go on as they would. */
function standBack(thread: number): void {
  try {
    setPriority(thread, MERGE_NICE);
  } catch {}
}
