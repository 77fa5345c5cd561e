import { appendFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Config, parseConfig } from '../../ingest/config.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { backup, restore } from '../../workers/backup.ts';
import { endAbandonedHold } from '../../workers/batch-hold.ts';
import { checkInvariants } from '../../workers/invariants.ts';
import { withinStores } from '../support/backup-stores.ts';
import { ClickHouseHttp } from '../support/clickhouse-http.ts';
import { keepExpiredRows } from '../support/expired-rows.ts';
import { Random } from '../support/random.ts';
import { RedisServer } from '../support/redis-server.ts';
import { fingerprints } from '../support/same-tables.ts';
import { startStack, testConfig } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { generateTraffic } from '../support/traffic.ts';

const ROWS = 3_000;

/** A system that was used for a while, then stopped. */
async function usedSystem(env: Record<string, string> = {}): Promise<Config> {
  const stack = await startStack(env);
  const now = Date.now();
  const traffic = generateTraffic(new Random(5), ROWS, 7, now - 20 * 86_400_000, now);
  for (let at = 0; at < ROWS; at += 1_000) await stack.send(traffic.slice(at, at + 1_000));
  await stack.call('/v1/keys/key_1', {
    method: 'PUT',
    body: { name: 'registered', expires_at: '2099-01-01T00:00:00Z' },
  });
  await stack.call('/v1/keys/key_1/deactivate', { method: 'POST', body: { reason: 'test' } });
  await stack.call('/v1/plans/gold', { method: 'PUT', body: { limits: { per_day: 5 } } });
  await stack.call('/v1/policies', { method: 'POST', body: { name: 'leaks', kind: 'leaked' } });
  const token = await stack.token({ name: 'acme', scopes: ['ingest', 'read'], organization_id: 'acme' });
  await stack.send([{ key_id: 'found-by-acme', status: 200 }], { token });
  const headers = { 'Idempotency-Key': 'sent-before' };
  await stack.send([{ key_id: 'key_1', status: 200 }], { headers });
  await stack.untilCounted(ROWS + 2);
  await stack.stop();
  return stack.config;
}

test('an embedded system, restored into an empty one: every table the same, repeats still known, and it runs on', async () => {
  const config = await usedSystem();
  const folder = join(tempFolder(), 'backup');
  const before = await withinStores(config, async (parts) => {
    await keepExpiredRows(parts.store);
    // A batch that nobody counted yet, and one that is counted but still in the queue, as after kill -9.
    const queue = openBatchQueue(parts.redis, 0);
    const [row] = await parts.store.query<{ id: string }>('SELECT batch_id AS id FROM requests LIMIT 1');
    const job = { rows: 1, claims: [], receivedAtMs: Date.now(), payload: await onePayload() };
    await queue.pause();
    await queue.add('batch', job, { jobId: 'not-counted-yet' });
    await queue.add('batch', job, { jobId: row!.id });
    await queue.close();
    await backup(parts, folder);
    return fingerprints(parts.store);
  });
  const empty = testConfig();
  const after = await withinStores(empty, async (parts) => {
    await keepExpiredRows(parts.store);
    const said: string[] = [];
    const summary = await restore({ ...parts, say: (line) => said.push(line) }, folder);
    expect(summary).toMatchObject({ queued: 1, countedAlready: 1 });
    expect(said.filter((line) => line.startsWith('batch '))).toEqual([
      expect.stringContaining('its rows are in requests'),
    ]);
    const { invariants } = await checkInvariants(parts.store, empty, { settled: false, pauseMs: 0, days: 20 });
    expect(invariants.filter(({ violations }) => violations !== 0)).toEqual([]);
    return fingerprints(parts.store);
  });
  expect(after).toEqual(before);
  expect(Object.keys(before).length).toBeGreaterThan(20);
  const stack = await startStack({ KEYTALLY_DATA_DIR: empty.KEYTALLY_DATA_DIR });
  await stack.untilCounted(ROWS + 3);
  await stack.send([{ key_id: 'key_1', status: 200 }], { headers: { 'Idempotency-Key': 'sent-before' } });
  await stack.send([{ key_id: 'key_1', status: 200 }], { headers: { 'Idempotency-Key': 'sent-after' } });
  await stack.untilCounted(ROWS + 4);
  expect((await stack.call('/v1/keys/key_1')).json).toMatchObject({ name: 'registered', status: 'inactive' });
  const rival = await stack.token({ name: 'rival', scopes: ['ingest'], organization_id: 'rival' });
  const foreign = await stack.call('/v1/requests', {
    method: 'POST',
    token: rival,
    body: [{ key_id: 'found-by-acme', status: 200 }],
  });
  expect(foreign.status).toBe(400);
  const { invariants } = await checkInvariants(stack.store, empty, { settled: false, pauseMs: 0, days: 20 });
  expect(invariants.filter(({ violations }) => violations !== 0)).toEqual([]);
  await stack.stop();
}, 180_000);

async function onePayload(): Promise<string> {
  const { Batch, encodeBatch } = await import('../../ingest/batch.ts');
  const batch = new Batch();
  batch.add(
    {
      ...{ keyId: 'late', timestampMs: Date.now(), method: 'GET', path: '/a', route: '/a', status: 200, latencyMs: 1 },
      ...{ requestBytes: 0, responseBytes: 0, ip: '', country: '', userAgent: '', requestId: '', service: '' },
      ...{ environment: '', rateLimited: false, error: '' },
    },
    '',
  );
  return encodeBatch(batch);
}

test('a system on servers is saved while it runs and counts: what was taken meanwhile is counted afterwards', async () => {
  const redis = await RedisServer.create(tempFolder());
  await redis.start(134_217_728);
  const server = new ClickHouseHttp(tempFolder());
  await server.start();
  const env = { REDIS_URL: redis.url, CLICKHOUSE_URL: server.url };
  const stack = await startStack(env);
  const folder = join(tempFolder(), 'backup');
  let sent = 0;
  const post = async () => {
    await stack.send(Array.from({ length: 20 }, (_, n) => ({ key_id: `k${n % 3}`, status: 200 })));
    sent += 20;
    await new Promise((resolve) => setTimeout(resolve, 250));
  };
  for (let n = 0; n < 5; n++) await post();
  let saving = true;
  const load = (async () => {
    while (saving) await post();
  })();
  const manifest = await withinStores(stack.config, (parts) => backup(parts, folder));
  saving = false;
  await load;
  await stack.untilCounted(sent);
  const saved = manifest.tables.find(({ table }) => table === 'requests')!.rows;
  await stack.stop();
  await server.stop();
  // One folder of the engine per process at a time.
  server.close();
  const emptyServer = new ClickHouseHttp(tempFolder());
  await emptyServer.start();
  const emptyRedis = await RedisServer.create(tempFolder());
  await emptyRedis.start(134_217_728);
  const empty = testConfig({ REDIS_URL: emptyRedis.url, CLICKHOUSE_URL: emptyServer.url });
  await withinStores(empty, async (parts) => {
    const summary = await restore(parts, folder);
    const [row] = await parts.store.query<{ n: number }>('SELECT sum(requests) AS n FROM key_totals');
    expect(row!.n).toBe(saved);
    const { invariants } = await checkInvariants(parts.store, empty, { settled: false, pauseMs: 0 });
    expect(invariants.filter(({ violations }) => violations !== 0)).toEqual([]);
    console.info(`${saved} of ${sent} records counted when saved, ${summary.queued} batches waited`);
  });
  await emptyServer.stop();
  emptyServer.close();
  await redis.stop();
  await emptyRedis.stop();
}, 120_000);

test('a hold whose holder was killed is ended by a worker', async () => {
  const server = await RedisServer.create(tempFolder());
  await server.start(67_108_864);
  const redis = await connectRedis(server.url, 'worker', () => {});
  const queue = openBatchQueue(redis, 0);
  await queue.pause();
  expect(await endAbandonedHold(redis, [queue])).toBe(false);
  expect(await queue.isPaused()).toBe(true);
  await redis.set('{keytally}:hold', '1');
  await redis.set('{keytally}:hold:alive', '1', 'EX', 30);
  expect(await endAbandonedHold(redis, [queue])).toBe(false);
  await redis.del('{keytally}:hold:alive');
  expect(await endAbandonedHold(redis, [queue])).toBe(true);
  expect(await queue.isPaused()).toBe(false);
  await queue.close();
  redis.disconnect();
  await server.stop();
});

test('a backup that was changed, is not whole, or meets a filled store is refused in one line', async () => {
  const config = await usedSystem();
  const folder = join(tempFolder(), 'backup');
  await withinStores(config, (parts) => backup(parts, folder));
  await expect(withinStores(config, (parts) => backup(parts, folder))).rejects.toThrow(/is not empty/);
  await expect(withinStores(config, (parts) => restore(parts, folder))).rejects.toThrow(
    /the store is not empty: \w+ holds/,
  );
  const file = readdirSync(folder).find((name) => name.startsWith('usage_day.'))!;
  appendFileSync(join(folder, file), 'x');
  await expect(withinStores(testConfig(), (parts) => restore(parts, folder))).rejects.toThrow(/checksum differs/);
  rmSync(join(folder, file));
  await expect(withinStores(testConfig(), (parts) => restore(parts, folder))).rejects.toThrow(/is missing/);
  rmSync(join(folder, 'manifest.json'));
  await expect(withinStores(testConfig(), (parts) => restore(parts, folder))).rejects.toThrow(/no whole backup/);
  const cluster = { ...parseConfig({}), CLICKHOUSE_CLUSTER: 'main' };
  await expect(backup({ config: cluster } as never, folder)).rejects.toThrow(/CLICKHOUSE_CLUSTER/);
}, 120_000);

test('what is written while a table is saved is not in the backup, and does not make it useless', async () => {
  const config = await usedSystem();
  const folder = join(tempFolder(), 'backup');
  await withinStores(config, async (parts) => {
    const note = (name: string) =>
      parts.store.insertRows('alert_progress', [
        { name, until: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' },
      ]);
    await note('before');
    const save = parts.store.exportNative.bind(parts.store);
    let written = 0;
    parts.store.exportNative = async (select, path) => {
      await save(select, path);
      await note(`meanwhile-${written++}`);
    };
    await backup(parts, folder);
    expect(written).toBeGreaterThan(5);
    const left = await parts.store.query("SELECT name FROM system.tables WHERE name = 'backup_snapshot'");
    expect(left).toEqual([]);
  });
  await withinStores(testConfig(), async (parts) => {
    await restore(parts, folder);
    const [row] = await parts.store.query<{ n: number }>(
      "SELECT count() AS n FROM alert_progress WHERE name = 'before'",
    );
    expect(row!.n).toBe(1);
  });
}, 120_000);
