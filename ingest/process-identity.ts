import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process that cannot be confused with a later one that got the same number. */
export interface ProcessIdentity {
  pid: number;
  /** Boot and start time on Linux, start time elsewhere; '' when the system does not tell. */
  started: string;
}

/** Identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid) };
}

/** Whether exactly this process still runs. A zombie does not run; a process of another user does. */
export function isRunning(identity: ProcessIdentity): boolean {
  if (!Number.isSafeInteger(identity.pid) || identity.pid <= 0) return false;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  if (process.platform === 'linux' && stateOf(identity.pid) === 'Z') return false;
  const started = startOf(identity.pid);
  return started === '' || identity.started === '' || started === identity.started;
}

/** Identity of a running process by its number; undefined when there is none. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const identity = { pid, started: startOf(pid) };
  return isRunning(identity) ? identity : undefined;
}

/** Field 22 of /proc/<pid>/stat counts ticks since boot, so the boot belongs to it. */
function startOf(pid: number): string {
  if (process.platform === 'linux') {
    const ticks = statOf(pid)[19];
    return ticks === undefined ? '' : `${bootId()}:${ticks}`;
  }
  const result = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C' } });
  return result.status === 0 ? result.stdout.trim() : '';
}

function stateOf(pid: number): string {
  return statOf(pid)[0] ?? '';
}

/** Fields from the third on: the second is the program's name, which may hold blanks and parentheses. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Command line of a process as `ps` shows it; '' when there is none. */
export function commandOf(pid: number): string {
  const result = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  if (result.status === 0) return result.stdout.trim();
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
