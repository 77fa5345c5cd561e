import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataFolderError, lockDataFolder } from '../../ingest/data-folder.ts';
import { identityOf, isRunning, ownIdentity } from '../../ingest/process-identity.ts';
import { builtModule } from '../support/built-module.ts';

const STARTERS = 8;
const ROUNDS = 5;

let root: string;
let dir: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keytally-folder-'));
  dir = join(root, 'data');
});

afterEach(async () => {
  for (const child of children.splice(0)) await killed(child);
  rmSync(root, { recursive: true, force: true });
});

/** A process that tries to take the folder and then stays; resolves with what it says. */
function starter(): Promise<{ child: ChildProcess; line: string }> {
  const module = pathToFileURL(builtModule('ingest/data-folder.ts')).href;
  const source = `
    import { lockDataFolder } from ${JSON.stringify(module)};
    await lockDataFolder(process.argv[1]).then(() => console.log('locked'), (error) => console.log(error.message));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return new Promise((resolve) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve({ child, line: chunk.toString().trim() }));
  });
}

function killed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/** What a process that is gone would have left behind. */
function lockOf(pid: number, started: string): string {
  return JSON.stringify({ pid, started, nonce: 'left-behind' });
}

describe('lockDataFolder', () => {
  it('creates the folder for its owner only and leaves it empty after release', async () => {
    const lock = await lockDataFolder(dir);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(readdirSync(dir)).toEqual(['keytally.lock']);
    expect(JSON.parse(readFileSync(join(dir, 'keytally.lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    lock.release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('names the running process that holds the folder, on one line', async () => {
    const { child, line } = await starter();
    expect(line).toBe('locked');
    await expect(lockDataFolder(dir)).rejects.toThrow(`data folder ${dir} is in use by process ${child.pid}`);
    await expect(lockDataFolder(dir)).rejects.toBeInstanceOf(DataFolderError);
    await killed(child);
    (await lockDataFolder(dir)).release();
  });

  it('refuses a second lock within one process', async () => {
    const lock = await lockDataFolder(dir);
    await expect(lockDataFolder(dir)).rejects.toThrow(`in use by process ${process.pid}`);
    lock.release();
    lock.release();
    (await lockDataFolder(dir)).release();
  });

  it('takes over from a dead process whose number somebody else has now', async () => {
    (await lockDataFolder(dir)).release();
    writeFileSync(join(dir, 'keytally.lock'), lockOf(process.pid, 'another-boot:1'));
    (await lockDataFolder(dir)).release();
  });

  it.each(['', '{"pid":', 'null', '[]', '{"pid":1,"nonce":"../../x"}'])(
    'takes over a damaged lock %j',
    async (text) => {
      (await lockDataFolder(dir)).release();
      writeFileSync(join(dir, 'keytally.lock'), text);
      const lock = await lockDataFolder(dir);
      expect(readdirSync(dir)).toEqual(['keytally.lock']);
      lock.release();
    },
  );

  it('takes over when the process that was taking over died as well', async () => {
    (await lockDataFolder(dir)).release();
    writeFileSync(join(dir, 'keytally.lock'), lockOf(process.pid, 'another-boot:1'));
    const second = { pid: process.pid, started: 'another-boot:2', nonce: 'also-left' };
    writeFileSync(join(dir, '.lock-after-left-behind'), JSON.stringify(second));
    const lock = await lockDataFolder(dir);
    expect(readdirSync(dir)).toEqual(['keytally.lock']);
    lock.release();
  });

  it('lets exactly one of several starters win, with and without a stale lock', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const lines = (await Promise.all(Array.from({ length: STARTERS }, () => starter()))).map(({ line }) => line);
      expect(lines.filter((line) => line === 'locked')).toHaveLength(1);
      expect(lines.filter((line) => line.includes('is in use by process'))).toHaveLength(STARTERS - 1);
      // Killed, so the next round starts from a stale lock.
      for (const child of children.splice(0)) await killed(child);
      expect(existsSync(join(dir, 'keytally.lock'))).toBe(true);
    }
  });

  it('says clearly that a folder cannot be written', async () => {
    writeFileSync(dir, 'a file');
    await expect(lockDataFolder(dir)).rejects.toThrow(`data folder ${dir} cannot be written: a file is in its place`);
    await expect(lockDataFolder(join(dir, 'below'))).rejects.toThrow('a file is in its place');
  });
});

describe('process identity', () => {
  it('tells a running process from a later one with its number', () => {
    const own = ownIdentity();
    expect(isRunning(own)).toBe(true);
    expect(isRunning({ ...own, started: 'another-boot:1' })).toBe(false);
    expect(identityOf(process.pid)).toEqual(own);
    expect(isRunning({ pid: 0, started: '' })).toBe(false);
    expect(isRunning({ pid: -1, started: '' })).toBe(false);
  });
});
