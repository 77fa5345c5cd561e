import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withFileLock } from '../../ingest/import/file-lock.ts';
import { builtModule } from '../support/built-module.ts';
import { tempFolder } from '../support/temp-folder.ts';

const LONG_AGO = new Date(0);

test('a holder that stands still keeps its lock, however long ago it took it; one that was killed does not', async () => {
  const file = join(tempFolder(), 'imports.json');
  const module = builtModule('ingest/import/file-lock.ts');
  const holding = `const { withFileLock } = await import(${JSON.stringify(module)});
    withFileLock(${JSON.stringify(file)}, () => { process.stdout.write('held'); for (;;); });`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', holding], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  holder.kill('SIGSTOP');
  utimesSync(`${file}.lock`, LONG_AGO, LONG_AGO);
  let ran = false;
  expect(() => withFileLock(file, () => (ran = true))).toThrow(/another import holds it/);
  expect(ran).toBe(false);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(withFileLock(file, () => existsSync(`${file}.lock`))).toBe(true);
  expect(existsSync(`${file}.lock`)).toBe(false);
});

test('a lock of which nobody knows whose it is goes by its age', () => {
  const file = join(tempFolder(), 'imports.json');
  writeFileSync(`${file}.lock`, '');
  utimesSync(`${file}.lock`, LONG_AGO, LONG_AGO);
  expect(withFileLock(file, () => JSON.parse(readFileSync(`${file}.lock`, 'utf8')).pid)).toBe(process.pid);
});
