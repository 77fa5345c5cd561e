import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { packageRoot } from '../ingest/package-root.ts';
import { ensureRedisServer, REDIS_ARGV0 } from '../ingest/redis-install.ts';
import { readMigrations } from '../workers/clickhouse/migrate.ts';
import { openStore } from '../workers/clickhouse/store.ts';
import { fixedPort } from './support/fixed-port.ts';
import { startStack, testConfig } from './support/stack.ts';
import { tempFolder } from './support/temp-folder.ts';

/** A Redis with the users of docs/redis-users.acl. */
async function startWithUsers(): Promise<number> {
  const folder = tempFolder();
  const acl = readFileSync(join(packageRoot(), 'docs/redis-users.acl'), 'utf8').replaceAll(/^#.*\n/gm, '');
  writeFileSync(join(folder, 'users.acl'), acl);
  const port = await fixedPort();
  const options = { bind: '127.0.0.1', port, dir: folder, aclfile: join(folder, 'users.acl'), save: '' };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(await ensureRedisServer(() => {}), args, { argv0: REDIS_ARGV0, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return port;
}

test('the whole program runs as the documented Redis user, which may do nothing else', async () => {
  const port = await startWithUsers();
  const url = `redis://keytally:change-me@127.0.0.1:${port}`;
  const redis = new Redis(url);
  redis.on('error', () => undefined);
  await expect.poll(() => redis.ping().catch(() => '')).toBe('PONG');
  const stack = await startStack({ REDIS_URL: url });
  const token = await stack.token({ name: 'gateway', scopes: ['ingest'], organization_id: 'acme' });
  await stack.send([{ key_id: 'k', status: 200 }], { token, headers: { 'Idempotency-Key': 'once' } });
  const kong = { key_id: 'k', status: 200, request_id: 'r-1', timestamp: Date.now() };
  await stack.call('/v1/ingest/keytally', { method: 'POST', body: [kong] });
  await stack.untilCounted(2);
  const soon = new Date(Date.now() + 1_500).toISOString();
  await stack.call('/v1/keys/expiring', { method: 'PUT', body: { expires_at: soon, sha256: 'a'.repeat(64) } });
  await expect.poll(async () => (await stack.call('/v1/keys/expiring')).json.status).toBe('expired');
  expect((await stack.call('/v1/keys/denied')).json.data).toMatchObject([{ key_id: 'expiring' }]);
  expect((await stack.call('/v1/session', { method: 'POST', token: '', body: { token } })).status).toBe(204);
  expect((await stack.call('/readyz')).json).toMatchObject({ status: 'ready' });
  await stack.stop();
  for (const [command, ...args] of [
    ['get', 'somebody-elses-key'],
    ['config', 'get', 'maxmemory'],
    ['flushall'],
    ['keys', '*'],
    ['shutdown'],
    ['acl', 'list'],
    ['subscribe', 'other-channel'],
  ]) {
    await expect(redis.call(command!, ...args), command).rejects.toThrow(/NOPERM/);
  }
  redis.disconnect();
});

const USERS = readFileSync(join(packageRoot(), 'docs/clickhouse-users.sql'), 'utf8');

/** System tables that the statements of these folders name. */
function systemTables(...folders: string[]): string[] {
  const files = folders.flatMap((folder) =>
    readdirSync(join(packageRoot(), folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const code = files
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(packageRoot(), name), 'utf8').replaceAll(/^\s*(\*|\/\*|\/\/).*$/gm, ''));
  const named = code.flatMap((text) => [...text.matchAll(/(?<![.\w])system\.([a-z_]+)\b/g)].map(([, table]) => table!));
  // A file of that name is imported too.
  return [...new Set(named)].filter((table) => table !== 'ts').sort();
}

test.each([
  ['keytally_worker', systemTables('workers'), 'tables'],
  // What it shares with the workers stands in workers/clickhouse.
  ['keytally_api', systemTables('api', 'workers/clickhouse'), 'disks'],
])('%s may read every table of the system that it asks', (user, asked, known) => {
  expect(asked).toContain(known);
  expect(asked.filter((table) => !USERS.includes(`GRANT SELECT ON system.${table} TO ${user};`))).toEqual([]);
});

test('the engine’s parser understands every statement, and what a cluster needs is there', async () => {
  const statements = USERS.replaceAll(/^--.*$/gm, '')
    .split(';')
    .map((text) => text.trim());
  const store = await openStore(testConfig(), tempFolder());
  for (const statement of statements.filter((text) => text !== '')) {
    await store.query('SELECT formatQuery({statement:String})', { statement });
  }
  // As backup-tables.ts has it.
  expect(statements).toContain('GRANT SYSTEM TTL MERGES ON keytally.* TO keytally_worker');
  const everywhere = statements.filter((text) => text.includes(' ON *.* TO '));
  expect(everywhere.find((text) => text.endsWith(' keytally_worker'))).toMatch(/CLUSTER, REMOTE/);
  expect(everywhere.find((text) => text.endsWith(' keytally_api'))).toMatch(/REMOTE/);
  await store.close();
});

test('every table has its grants: the api may read all, write no count, and the reader sees counts only', () => {
  const tables = readMigrations().flatMap(({ sql: text }) =>
    [...text.matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g)].map(([, name]) => name!),
  );
  const granted = (right: string, user: string) =>
    new Set(
      [...USERS.matchAll(new RegExp(`GRANT ${right} ON keytally\\.(\\w+) TO ${user}`, 'g'))].map(([, name]) => name!),
    );
  const written = granted('INSERT', 'keytally_api');
  const read = granted('SELECT', 'keytally_reader');
  const counts = /^(requests|usage_|endpoints_|countries_|statuses_|key_totals|key_countries|country_|traffic_)/;
  const madeByWorkers = /^(key_list|key_rate_limits|alert_(hours|days|day_countries|baselines|progress)$)/;
  // A new table: may the api write it, may a dashboard read it? Say so in docs/clickhouse-users.sql.
  expect(tables.filter((name) => !counts.test(name) && !madeByWorkers.test(name) && !written.has(name))).toEqual([]);
  expect([...written].filter((name) => counts.test(name) || madeByWorkers.test(name))).toEqual([]);
  expect([...read].sort()).toEqual(tables.filter((name) => counts.test(name) && name !== 'requests').sort());
});
