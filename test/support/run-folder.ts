import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system in memory, where the system has one: thousands of small files are made and removed twice as fast there. */
const IN_MEMORY = '/dev/shm';
/** A run holds under 2 GB at a time. */
const ENOUGH_BYTES = 6e9;

/**
 * One folder for everything that a run of the tests leaves in the system's folder for such: vitest ends its processes by a
 * signal, so none of them can tidy up at its end (thousands of folders had gathered).
 */
export default function setup(): () => void {
  const folder = mkdtempSync(join(hasRoom(IN_MEMORY) ? IN_MEMORY : tmpdir(), 'keytally-tests-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function hasRoom(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}
