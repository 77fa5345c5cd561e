import { accessSync, constants, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityOf } from '../../ingest/process-identity.ts';

/** A file system in memory, where the system has one: thousands of small files are made and removed twice as fast there. */
const IN_MEMORY = '/dev/shm';
/** A run holds under 2 GB at a time. */
const ENOUGH_BYTES = 6e9;

/** Says that this run has its folder. */
const RUN_FOLDER = 'KEYTALLY_TEST_RUN_FOLDER';

/**
 * One folder for everything that a run of the tests leaves in the system's folder for such: vitest ends its processes by a
 * signal, so none of them can tidy up at its end (thousands of folders had gathered).
 */
export default function setup(): () => void {
  // Each project of the run asks for it.
  if (process.env[RUN_FOLDER]) return () => {};
  const root = hasRoom(IN_MEMORY) ? IN_MEMORY : tmpdir();
  removeAbandoned(root);
  const folder = mkdtempSync(join(root, `keytally-tests-${process.pid}-`));
  process.env.TMPDIR = folder;
  process.env[RUN_FOLDER] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Folders of runs that were killed: in memory they would stay until the machine starts again. */
function removeAbandoned(root: string): void {
  for (const name of readdirSync(root)) {
    const pid = /^keytally-tests-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || identityOf(Number(pid)) !== undefined) continue;
    try {
      rmSync(join(root, name), { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      // A server that outlived its run still writes there: this run can do without, a later one tries again.
      console.warn(`${join(root, name)} is left of an earlier run: ${(error as Error).message}`);
    }
  }
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
