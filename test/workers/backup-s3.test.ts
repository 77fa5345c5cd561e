import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Config } from '../../ingest/config.ts';
import { ConfigError } from '../../ingest/config-error.ts';
import { type BackupParts, backup, restore } from '../../workers/backup.ts';
import { lastBackupMs } from '../../workers/last-backup.ts';
import { openObjectStore, parseS3Address } from '../../workers/object-store.ts';
import { withinStores } from '../support/backup-stores.ts';
import { keepExpiredRows } from '../support/expired-rows.ts';
import { Random } from '../support/random.ts';
import { S3Server } from '../support/s3-server.ts';
import { fingerprints } from '../support/same-tables.ts';
import { startStack, testConfig } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { generateTraffic } from '../support/traffic.ts';

const ROWS = 1_000;
let server: S3Server;
const servers: S3Server[] = [];

beforeEach(async () => {
  server = await S3Server.start();
  servers.push(server);
});
afterAll(async () => {
  for (const one of servers) await one.close();
});

const env = (more: Record<string, string> = {}) => ({
  AWS_ACCESS_KEY_ID: server.accessKeyId,
  AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
  AWS_REGION: server.region,
  AWS_ENDPOINT_URL: server.url,
  ...more,
});
const open = (more: Record<string, string> = {}, address = 's3://backups/some/day') =>
  openObjectStore(address, testConfig(env(more)));

const within = <T>(config: Config, said: string[], act: (parts: BackupParts) => Promise<T>): Promise<T> =>
  withinStores(config, act, (line) => said.push(line));

test('a system, saved in an S3-compatible store and restored from it: every table the same; nothing secret is said', async () => {
  const stack = await startStack(env());
  const now = Date.now();
  await stack.send(generateTraffic(new Random(9), ROWS, 5, now - 20 * 86_400_000, now));
  await stack.call('/v1/keys/key_1', { method: 'PUT', body: { name: 'registered' } });
  await stack.untilCounted(ROWS);
  await stack.stop();
  const said: string[] = [];
  const address = 's3://backups/keytally/2026-11-21';
  server.busy = 2;
  const before = await within(stack.config, said, async (parts) => {
    await keepExpiredRows(parts.store);
    expect(await lastBackupMs(parts.redis)).toBe(0);
    await backup(parts, address);
    expect(await lastBackupMs(parts.redis)).toBeGreaterThan(now);
    await expect(backup(parts, address)).rejects.toThrow(/is not empty/);
    await expect(restore(parts, address)).rejects.toThrow(/the store is not empty: \w+ holds/);
    return fingerprints(parts.store);
  });
  expect([...server.objects.keys()]).toContain('keytally/2026-11-21/manifest.json');
  const empty = testConfig(env());
  const after = await within(empty, said, async (parts) => {
    await keepExpiredRows(parts.store);
    expect(await restore(parts, `${address}/`)).toMatchObject({ tables: Object.keys(before).length });
    return fingerprints(parts.store);
  });
  expect(after).toEqual(before);
  expect(said.join('\n')).not.toContain(server.secretAccessKey);
  const bytes = [...server.objects.values()].reduce((sum, object) => sum + object.length, 0);
  console.info(`${server.objects.size} objects, ${bytes} bytes, ${server.requests} requests`);

  const key = [...server.objects.keys()].find((name) => name.includes('usage_day.'))!;
  const object = server.objects.get(key)!;
  server.objects.set(key, Buffer.concat([object, Buffer.from('x')]));
  await expect(within(testConfig(env()), [], (parts) => restore(parts, address))).rejects.toThrow(/checksum differs/);
  server.objects.delete(key);
  await expect(within(testConfig(env()), [], (parts) => restore(parts, address))).rejects.toThrow(/is missing/);
  server.objects.delete('keytally/2026-11-21/manifest.json');
  await expect(within(testConfig(env()), [], (parts) => restore(parts, address))).rejects.toThrow(/no whole backup/);
}, 180_000);

test('a large file goes in parts and comes back; a cut connection is repeated, temporary credentials are signed', async () => {
  const [path, back] = [join(tempFolder(), 'large'), join(tempFolder(), 'back')];
  writeFileSync(path, randomBytes(40 * 2 ** 20));
  server.sessionToken = 'temporary/token==';
  const objects = open({ AWS_SESSION_TOKEN: server.sessionToken });
  expect(await objects.holdsAnything()).toBe(false);
  server.cut = 2;
  // The begin of an upload is not repeated: nobody knows whether there is one.
  await expect(objects.put('sm.all', path)).rejects.toThrow(/cannot be reached/);
  server.cut = 0;
  await objects.put('sm.all', path);
  expect([server.parts, server.uploads.size]).toEqual([3, 0]);
  server.cut = 2;
  expect(await objects.get('sm.all', back)).toBe(true);
  expect(readFileSync(back).equals(readFileSync(path))).toBe(true);
  expect([await objects.has('sm.all'), await objects.has('other')]).toEqual([true, false]);
  expect(await objects.get('other', back)).toBe(false);
  expect(await objects.holdsAnything()).toBe(true);
  expect(await open({ AWS_SESSION_TOKEN: server.sessionToken }, 's3://backups/some/da').holdsAnything()).toBe(false);
});

test('an upload that fails half way is taken back', async () => {
  const path = join(tempFolder(), 'large');
  writeFileSync(path, Buffer.alloc(40 * 2 ** 20));
  const set = server.uploads.set.bind(server.uploads);
  server.uploads.set = (id, upload) => {
    upload.parts.set = () => {
      server.cut = 10;
      setTimeout(() => (server.cut = 0), 1_000);
      return upload.parts;
    };
    return set(id, upload);
  };
  await expect(open().put('half', path)).rejects.toThrow(ConfigError);
  await expect.poll(() => server.uploads.size).toBe(0);
  expect(server.objects.size).toBe(0);
});

test('what cannot be used is named in one line without a secret', async () => {
  const path = join(tempFolder(), 'small');
  writeFileSync(path, 'small');
  const said = async (act: () => Promise<unknown>) => {
    const message = await act().then(
      () => '',
      (error: Error) => error.message,
    );
    expect(message).not.toContain('planted');
    return message;
  };
  const put = (more: Record<string, string>, address?: string) => said(async () => open(more, address).put('a', path));
  expect(await put({ AWS_SECRET_ACCESS_KEY: 'planted-wrong' })).toMatch(/403 SignatureDoesNotMatch/);
  expect(await put({ AWS_ACCESS_KEY_ID: 'planted-other' })).toMatch(/403 InvalidAccessKeyId/);
  expect(await put({}, 's3://elsewhere/x')).toMatch(/404 NoSuchBucket/);
  expect(await put({ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' })).toMatch(/cannot be reached/);
  expect(await put({ AWS_SECRET_ACCESS_KEY: '' })).toMatch(/AWS_SECRET_ACCESS_KEY: are needed/);
});

test.each([
  ['s3://backups', { bucket: 'backups', prefix: '' }],
  ['s3://backups/', { bucket: 'backups', prefix: '' }],
  ['s3://my.backups/a/b/', { bucket: 'my.backups', prefix: 'a/b/' }],
])('%s', (address, expected) => expect(parseS3Address(address)).toEqual(expected));

test.each(['s3://', 's3://B', 's3://backups/a?b', 's3://backups/../x', 's3://backups/a b'])(
  '%s is no address',
  (address) => expect(() => parseS3Address(address)).toThrow(ConfigError),
);
