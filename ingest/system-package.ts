import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Receives one line of progress, without line break. */
export type LogLine = (line: string) => void;

/** One program under the names its package has in each package manager. */
export interface SystemPackage {
  apt: string;
  brew?: string;
}

/** Where package managers put programs, for a PATH that lacks them (cron, systemd, a desktop's launcher). */
const USUAL_FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin', '/snap/bin'];

/** Another apt run (unattended upgrades, a parallel test) is waited for, not reported as a failure. */
const APT_LOCK_WAIT_SECONDS = 180;

/** Absolute path of the first of `names` that is an executable file in PATH or a usual folder. */
export function findProgram(names: readonly string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...USUAL_FOLDERS];
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}

/**
 * Installs a program through the machine's package manager: apt-get as root or through a sudo that asks nothing,
 * Homebrew on macOS. Says what it runs first.
 *
 * @returns '' when installed, else the reason why not, on one line
 */
export async function installSystemPackage(wanted: SystemPackage, log: LogLine): Promise<string> {
  if (process.platform === 'darwin') return installWithHomebrew(wanted, log);
  if (findProgram(['apt-get']) === undefined) return 'this machine has no apt-get';
  const prefix = await rootPrefix();
  if (prefix === undefined) return 'apt-get needs root, and sudo would ask for a password';
  return installWithApt(wanted.apt, prefix, log);
}

async function installWithApt(name: string, prefix: readonly string[], log: LogLine): Promise<string> {
  const apt = [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-o',
    `DPkg::Lock::Timeout=${APT_LOCK_WAIT_SECONDS}`,
  ];
  const install = [...prefix, ...apt, 'install', '-y', '--no-install-recommends', name];
  log(`${name} is missing: installing it with ${[...prefix, 'apt-get install', name].join(' ')}`);
  const first = await run(install);
  if (first.code === 0) return '';
  // A fresh image has no package lists, an old one has lists that name files the mirror no longer serves.
  log(`${name}: renewing the package lists with ${[...prefix, 'apt-get update'].join(' ')}`);
  await run([...prefix, ...apt, 'update']);
  const second = await run(install);
  return second.code === 0 ? '' : `apt-get install ${name} failed: ${lastLine(second.output)}`;
}

async function installWithHomebrew(wanted: SystemPackage, log: LogLine): Promise<string> {
  const brew = findProgram(['brew']);
  if (wanted.brew === undefined || brew === undefined) return 'this Mac has no Homebrew';
  log(`${wanted.brew} is missing: installing it with brew install ${wanted.brew}`);
  const result = await run([brew, 'install', '--quiet', wanted.brew]);
  return result.code === 0 ? '' : `brew install ${wanted.brew} failed: ${lastLine(result.output)}`;
}

/** What to put before a command that needs root; undefined when root cannot be had without a question. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  const sudo = findProgram(['sudo']);
  if (sudo === undefined) return undefined;
  return (await run([sudo, '-n', 'true'])).code === 0 ? ['sudo', '-n'] : undefined;
}

/** Runs a command to its end, never throws; output is kept for the error line and bounded. */
export function run(command: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => resolve({ code: 127, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
    // A service the package starts may keep our pipe open for ever: then the exit has to do.
    child.once('exit', (code) => setTimeout(() => resolve({ code: code ?? 1, output }), 500));
  });
}

/** The line that says why: apt's own error lines before anything else it printed last. */
function lastLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => line.startsWith('E: ')) ?? lines.at(-1) ?? 'no output').trim();
}
