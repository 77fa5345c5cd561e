import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts';

/** What the lock file says about its owner. The nonce tells two locks of one process apart. */
interface Lock extends ProcessIdentity {
  nonce: string;
}

/** The data folder cannot be used; the message is one line for the person who started the process. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

const LOCK_FILE = 'keytally.lock';

/** Two starters can only get into each other's way a few times; more means something else is wrong. */
const MAX_ATTEMPTS = 20;

/**
 * Creates the data folder (0700) and takes it for this process: the embedded engine and the Redis in it belong to one.
 * A lock left by a dead process is taken over. Processes of other machines or containers that share the folder are
 * not seen.
 *
 * @throws DataFolderError when the folder cannot be written, or a running process holds it
 */
export async function lockDataFolder(dir: string): Promise<{ release(): void }> {
  const folder = resolve(dir);
  const lock: Lock = { ...ownIdentity(), nonce: randomUUID() };
  const draft = join(folder, `.lock-${lock.nonce}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(draft, JSON.stringify(lock), { mode: 0o600 });
  } catch (error) {
    throw new DataFolderError(`data folder ${folder} cannot be written: ${reasonOf(error)}`);
  }
  try {
    acquire(folder, join(folder, LOCK_FILE), draft);
  } finally {
    rmSync(draft, { force: true });
  }
  const release = () => {
    process.off('exit', release);
    if (read(join(folder, LOCK_FILE))?.nonce === lock.nonce) rmSync(join(folder, LOCK_FILE), { force: true });
  };
  process.once('exit', release);
  return { release };
}

/**
 * Puts the draft at `path`. A hard link appears at once with its content and only one of two starters can make it.
 * Replacing a dead owner's lock needs the same care, so the right to replace exactly that lock is itself a lock, named
 * by its nonce: two starters that both saw the dead owner cannot remove each other's fresh lock.
 */
function acquire(folder: string, path: string, draft: string): void {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (linked(draft, path)) return;
    const holder = read(path);
    if (holder === undefined) continue;
    if (isRunning(holder)) {
      throw new DataFolderError(`data folder ${folder} is in use by process ${holder.pid}`);
    }
    const right = join(folder, `.lock-after-${holder.nonce}`);
    acquire(folder, right, draft);
    const unchanged = read(path)?.nonce === holder.nonce;
    if (unchanged) replace(draft, path);
    rmSync(right, { force: true });
    if (unchanged) return;
  }
  throw new DataFolderError(`data folder ${folder} could not be locked: its lock file keeps changing`);
}

function linked(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') return false;
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS') return copied(draft, path);
    throw new DataFolderError(`lock file ${path} cannot be written: ${reasonOf(error)}`);
  }
}

/** For file systems without hard links: exclusive too, but a reader can see the file before its content. */
function copied(draft: string, path: string): boolean {
  try {
    writeFileSync(path, readFileSync(draft), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new DataFolderError(`lock file ${path} cannot be written: ${reasonOf(error)}`);
  }
}

/** Rename is atomic, but of two names of one file it does nothing: so it is done with a fresh copy. */
function replace(draft: string, path: string): void {
  const copy = `${draft}-copy`;
  writeFileSync(copy, readFileSync(draft), { mode: 0o600 });
  renameSync(copy, path);
}

/** The lock at `path`; undefined when it is gone. An unreadable one (power loss) counts as left by a dead process. */
function read(path: string): Lock | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const lock = JSON.parse(text) as Partial<Lock> | null;
    if (typeof lock?.pid === 'number' && typeof lock.nonce === 'string' && /^[\w-]+$/.test(lock.nonce)) {
      return { pid: lock.pid, started: String(lock.started ?? ''), nonce: lock.nonce };
    }
  } catch {
    // Not JSON: falls through to a lock nobody holds.
  }
  return { pid: 0, started: '', nonce: 'unreadable' };
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') return `no permission for user ${process.getuid?.() ?? ''}`.trim();
  if (code === 'EROFS') return 'the file system is read-only';
  if (code === 'ENOSPC') return 'the disk is full';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file is in its place';
  return message;
}
