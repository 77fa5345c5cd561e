import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../ingest/package-root.ts';
import { licencesOf, PERMITTED } from './licences/licences.ts';

test('every package that ships has a licence that permits it', () => {
  const packages = licencesOf(packageRoot());
  console.info(`${packages.length} packages`);
  expect(packages.length).toBeGreaterThan(50);
  expect(packages.filter(({ permitted }) => !permitted)).toEqual([]);
});

test('docs/licences.md lists what ships, with version and licence', () => {
  const listed = readFileSync(join(packageRoot(), 'docs/licences.md'), 'utf8');
  const missing = licencesOf(packageRoot()).filter(
    ({ name, licence }) => !listed.includes(`| ${name} |`) || !listed.includes(licence),
  );
  // npm run licences -- --write
  expect(missing.map(({ name }) => name)).toEqual([]);
});

test('a licence that obliges whoever runs it is not on the list', () => {
  for (const licence of ['GPL-3.0-only', 'AGPL-3.0', 'SSPL-1.0', 'BUSL-1.1', 'UNLICENSED', ''])
    expect(PERMITTED.has(licence)).toBe(false);
});
