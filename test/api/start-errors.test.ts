import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lastPid } from '../../ingest/local-redis-config.ts';
import { packageRoot } from '../../ingest/package-root.ts';
import { identityOf } from '../../ingest/process-identity.ts';
import { ClickHouseHttp } from '../support/clickhouse-http.ts';
import { startPart } from '../support/process.ts';
import { RedisServer } from '../support/redis-server.ts';
import { tempFolder } from '../support/temp-folder.ts';

let taken: Server;
let takenPort: number;
beforeAll(async () => {
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  takenPort = (taken.address() as AddressInfo).port;
});
afterAll(() => taken.close());

/** Starts `keytally <command>`, which logs nothing but its end. */
function launch(command: string, env: Record<string, string>): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['dist/main.js', command], {
    cwd: packageRoot(),
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LOG_LEVEL: 'fatal',
      KEYTALLY_DATA_DIR: tempFolder(),
      ...env,
    },
  });
}

/** Runs `keytally <command>` to its end; only what is not a log record counts as said. */
function run(command: string, env: Record<string, string>): Promise<{ code: number | null; said: string[] }> {
  const child = launch(command, env);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) =>
    child.once('exit', (code) => resolve({ code, said: text.split('\n').filter((line) => line !== '') })),
  );
}

test.each([
  ['a bad variable', { PORT: 'eighty' }, /^PORT: .*eighty/],
  ['an unknown level', { LOG_LEVEL: 'loud' }, /^LOG_LEVEL: /],
  [
    'an unreachable Redis',
    { REDIS_URL: 'redis://user:hidden@127.0.0.1:1/0' },
    /^REDIS_URL: cannot reach Redis at redis:\/\/127\.0\.0\.1:1/,
  ],
  [
    'an unreachable ClickHouse',
    { CLICKHOUSE_URL: 'http://127.0.0.1:1' },
    /^CLICKHOUSE_URL: cannot use ClickHouse at http:\/\/127\.0\.0\.1:1/,
  ],
  ['a missing country file', { GEOIP_DB: '/nowhere/x.mmdb' }, /^GEOIP_DB: no file/],
  ['a cluster without a server', { CLICKHOUSE_CLUSTER: 'main' }, /^CLICKHOUSE_CLUSTER: needs CLICKHOUSE_URL/],
])('%s: one clear line and exit code 1', async (_name, env, line) => {
  const { code, said } = await run('start', env as unknown as Record<string, string>);
  expect({ code, lines: said.length, said: said.join('\n') }).toEqual({
    code: 1,
    lines: 1,
    said: expect.stringMatching(line),
  });
  expect(said.join()).not.toContain('hidden');
});

test.each([
  ['while the schema is made', /CREATE TABLE IF NOT EXISTS requests/],
  ['while the registry is read', /FROM keys/],
])('ClickHouse goes away during the start, %s: one clear line', async (_when, statement) => {
  const redis = await RedisServer.create(tempFolder());
  await redis.start(67_108_864);
  const server = new ClickHouseHttp(tempFolder());
  await server.start();
  let gone = false;
  server.fault = (text) => ((gone ||= statement.test(text)) ? 'cut_answer' : undefined);
  const { code, said } = await run('worker', { REDIS_URL: redis.url, CLICKHOUSE_URL: server.url, PORT: '0' });
  expect({ gone, code, lines: said.length, said: said[0] }).toEqual({
    ...{ gone: true, code: 1, lines: 1 },
    said: expect.stringMatching(/^CLICKHOUSE_URL: ClickHouse went away, or refused, during the start: /),
  });
  await server.stop();
  server.close();
  await redis.stop();
});

test('a Redis that is full refuses the start: one clear line that names Redis', async () => {
  const redis = await RedisServer.create(tempFolder());
  await redis.start(1);
  const { code, said } = await run('worker', { REDIS_URL: redis.url, KEYTALLY_DATA_DIR: tempFolder(), PORT: '0' });
  expect({ code, lines: said.length, said: said[0] }).toEqual({
    ...{ code: 1, lines: 1 },
    said: expect.stringMatching(/^REDIS_URL: Redis refused during the start: OOM /),
  });
  await redis.stop();
});

test('a worker alone prints the token of the first administrator that it made', async () => {
  const redis = await RedisServer.create(tempFolder());
  await redis.start(67_108_864);
  const worker = launch('worker', { REDIS_URL: redis.url, PORT: '0' });
  let text = '';
  worker.stdout.on('data', (chunk: Buffer) => (text += chunk));
  try {
    await expect.poll(() => text).toMatch(/^Administrator token, shown only now: kt_\w{40}\n$/);
  } finally {
    worker.kill('SIGTERM');
    await once(worker, 'exit');
    await redis.stop();
  }
}, 90_000);

test('a port in use: one clear line, and nothing is left running', async () => {
  const { code, said } = await run('start', { PORT: String(takenPort) });
  expect([code, said]).toEqual([1, [`PORT: 127.0.0.1:${takenPort} is in use by another program`]]);
});

test('SIGTERM in the middle of a start: exit code 0, and nothing is left running', async () => {
  const folder = tempFolder();
  const program = launch('start', { KEYTALLY_DATA_DIR: folder, PORT: '0' });
  const ended = once(program, 'exit');
  const redis = join(folder, 'redis');
  await expect.poll(() => lastPid(redis), { interval: 20 }).toBeGreaterThan(0);
  const pid = lastPid(redis);
  program.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(identityOf(pid)).toBeUndefined();
});

test('a data folder in use by another process', async () => {
  const folder = tempFolder();
  const first = await startPart('start', { KEYTALLY_DATA_DIR: folder });
  const { code, said } = await run('start', { KEYTALLY_DATA_DIR: folder, PORT: '0' });
  expect([code, said.length]).toEqual([1, 1]);
  expect(said[0]).toMatch(/in use/);
  await first.kill('SIGTERM');
});

test('a start without PUBLIC_URL says once what is missing then', async () => {
  const program = await startPart('start', { KEYTALLY_DATA_DIR: tempFolder() });
  await program.kill('SIGTERM');
  expect(program.log().match(/PUBLIC_URL is not set: messages carry no links/g)).toHaveLength(1);
});

test('stop and start again: the data are still there, nothing of the last moment is lost', async () => {
  const env = { KEYTALLY_DATA_DIR: tempFolder(), KEYTALLY_ADMIN_TOKEN: `kt_${'r'.repeat(40)}` };
  const headers = { Authorization: `Bearer ${env.KEYTALLY_ADMIN_TOKEN}` };
  const first = await startPart('start', env);
  const body = JSON.stringify(Array.from({ length: 50 }, () => ({ key_id: 'kept', status: 200 })));
  expect((await fetch(`${first.url}/v1/requests`, { method: 'POST', headers, body })).status).toBe(202);
  first.child.kill('SIGINT');
  expect(await first.exited).toBe(0);
  const second = await startPart('start', env);
  await expect
    .poll(async () => (await (await fetch(`${second.url}/v1/keys/kept`, { headers })).json()).total_requests)
    .toBe(50);
  await second.kill('SIGTERM');
});
