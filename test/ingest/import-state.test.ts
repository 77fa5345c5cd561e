import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError } from '../../ingest/config-error.ts';
import { ImportState } from '../../ingest/import/import-state.ts';
import { tempFolder } from '../support/temp-folder.ts';

const NAMES = { name: 'log-a', nameOfBeginning: 'log-b', formerNames: [] };
const POSITION = { offset: 4, line: 2, sha256: 'x' };

test('a file that is not there yet is made; the next run reads it', () => {
  const file = join(tempFolder(), 'new', 'imports.json');
  new ImportState(file).set(NAMES, POSITION, { offset: 0, line: 1, sha256: '' });
  expect(new ImportState(file).positionsOf(NAMES)).toEqual([POSITION]);
});

test.each(['', '{"log-a":[{"off', '[]', 'null'])(
  'a file that holds %j is refused by name and stays as it is',
  (text) => {
    const file = join(tempFolder(), 'imports.json');
    writeFileSync(file, text);
    expect(() => new ImportState(file)).toThrow(ConfigError);
    expect(() => new ImportState(file)).toThrow(`--state: ${file} cannot be read: `);
    expect(readFileSync(file, 'utf8')).toBe(text);
  },
);

test('so is one that cannot be read', () => {
  const file = join(tempFolder(), 'imports.json');
  mkdirSync(file);
  expect(() => new ImportState(file)).toThrow(`--state: ${file} cannot be read: EISDIR`);
});
