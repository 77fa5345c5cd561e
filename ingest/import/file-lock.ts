import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { ConfigError } from '../config-error.ts';
import { isRunning, ownIdentity, type ProcessIdentity } from '../process-identity.ts';

/** A holder is done within milliseconds: one of this age was killed, unless it is seen running. */
const STALE_MS = 10_000;
/** Longer than that, so that a killed holder is outlasted. */
const PATIENCE_MS = 15_000;
const POLL_MS = 20;

/**
 * Runs `act` while no other process does so for the same file. Not for long work: the thread stands still while it waits. A holder that only
 * stands still (a disk that hangs, SIGSTOP) keeps its lock: taken for killed, it went on beside the next one, and one of their positions was lost.
 * @throws {ConfigError} when others hold the lock for longer than {@link PATIENCE_MS}
 */
export function withFileLock<T>(file: string, act: () => T): T {
  const lock = `${file}.lock`;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; !take(lock); waitedMs += POLL_MS) {
    if (waitedMs >= PATIENCE_MS) throw new ConfigError(`${lock}: another import holds it; remove it if none runs`);
    if (ageMs(lock) > STALE_MS && !isHeld(lock)) rmSync(lock, { force: true });
    else Atomics.wait(sleeper, 0, 0, POLL_MS);
  }
  try {
    return act();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock: string): boolean {
  try {
    const descriptor = openSync(lock, 'wx');
    writeFileSync(descriptor, JSON.stringify(ownIdentity()));
    closeSync(descriptor);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** 0 when it is gone meanwhile. */
function ageMs(lock: string): number {
  const modified = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  return modified === undefined ? 0 : Date.now() - modified;
}

/** Whether the process that wrote it runs. One of another machine or container is not seen, and goes by its age. */
function isHeld(lock: string): boolean {
  try {
    return isRunning(JSON.parse(readFileSync(lock, 'utf8')) as ProcessIdentity);
  } catch {
    // Gone meanwhile, or its writer was killed before it wrote.
    return false;
  }
}
