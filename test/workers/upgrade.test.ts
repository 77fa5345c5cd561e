import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Config, parseConfig } from '../../ingest/config.ts';
import { ConfigError } from '../../ingest/config-error.ts';
import { migrate, readMigrations } from '../../workers/clickhouse/migrate.ts';
import { openStore, type Store } from '../../workers/clickhouse/store.ts';
import { checkInvariants } from '../../workers/invariants.ts';
import { startStack, testConfig } from '../support/stack.ts';

/** Newest migration of the last release. */
const RELEASED = 8;
const config: Config = testConfig();

const HOUR_AGO = new Date(Date.now() - 3_600_000).toISOString();

/** What the released program had written: rows of each kind, through the tables of its schema. */
async function writeAsReleased(store: Store): Promise<void> {
  const request = {
    timestamp: HOUR_AGO,
    received_at: HOUR_AGO,
    method: 'GET',
    route: '/a',
    country: 'SE',
    batch_id: 'b',
  };
  await store.insertRows(
    'requests',
    Array.from({ length: 30 }, (_, n) => ({
      ...request,
      key_id: `k${n % 2}`,
      status: n % 10 === 0 ? 500 : 200,
      latency_ms: n,
    })),
  );
  await store.insertRows('keys', [
    {
      key_id: 'k0',
      organization_id: 'acme',
      name: 'old key',
      status: 'active',
      version: 1,
      updated_at: HOUR_AGO,
      registered_at: HOUR_AGO,
    },
  ]);
  await store.insertRows('plans', [{ plan: 'gold', limit_per_day: 100, version: 1, updated_at: HOUR_AGO }]);
  await store.insertRows('audit', [
    { at: HOUR_AGO, subject: 'k0', action: 'key.registered', actor: 'somebody', before: 'null', after: '{}' },
  ]);
  await store.insertRows('dead_letters', [
    {
      id: 'letter',
      at: HOUR_AGO,
      batch_id: 'letter',
      rows: 2,
      reason: 'old',
      sample: '',
      payload: 'AA==',
      outcome: 'waiting',
      version: 1,
    },
  ]);
}

test(`data of the released schema (${RELEASED}) is read right after the upgrade`, async () => {
  const store = await openStore(config, join(config.KEYTALLY_DATA_DIR, 'clickhouse'));
  await migrate(store, config, RELEASED);
  const [row] = await store.query<{ newest: number }>('SELECT max(number) AS newest FROM schema_migrations');
  expect(row!.newest).toBe(RELEASED);
  await writeAsReleased(store);
  await store.close();
  const stack = await startStack({ KEYTALLY_DATA_DIR: config.KEYTALLY_DATA_DIR });
  const [now] = await stack.store.query<{ newest: number }>('SELECT max(number) AS newest FROM schema_migrations');
  expect(now!.newest).toBe(readMigrations().length);
  const { json: usage } = await stack.call('/v1/keys/k0/usage');
  expect(usage.totals).toMatchObject({ requests: 15, server_errors: 3 });
  expect((await stack.call('/v1/keys/k0')).json).toMatchObject({
    name: 'old key',
    organization_id: 'acme',
    total_requests: 15,
  });
  expect((await stack.call('/v1/requests?key_id=k1')).json.data.length).toBe(15);
  expect((await stack.call('/v1/plans')).json.data).toMatchObject([{ plan: 'gold', limits: { per_day: 100 } }]);
  expect((await stack.call('/v1/keys/k0/history')).json.data).toMatchObject([{ action: 'key.registered' }]);
  expect((await stack.call('/v1/dead-letters')).json.data).toMatchObject([{ id: 'letter', rows: 2, reason: 'old' }]);
  expect((await stack.call('/v1/dead-letters/letter/replay', { method: 'POST' })).status).toBe(200);
  await stack.send([{ key_id: 'k0', status: 200 }]);
  // That only the platform's tokens reported a key before is known afterwards.
  const token = await stack.token({ name: 'rival', scopes: ['ingest', 'read'], organization_id: 'rival' });
  await stack.send([{ key_id: 'k1', status: 200 }], { token });
  await stack.untilCounted(32);
  expect((await stack.call('/v1/keys/k1', { token })).status).toBe(404);
  // The rows of a rollup are there a moment after those they count.
  await expect
    .poll(async () => {
      const { invariants } = await checkInvariants(stack.store, config, { settled: false, pauseMs: 0 });
      return invariants.filter(({ violations }) => violations !== 0);
    })
    .toEqual([]);
  await stack.stop();
});

test('a store of a newer program is refused in one line that names both versions, and nothing is changed', async () => {
  const store = await openStore(parseConfig({}), join(config.KEYTALLY_DATA_DIR, 'clickhouse'));
  await store.insertRows('schema_migrations', [{ number: 999, file: '0999_future.sql', applied_at: HOUR_AGO }]);
  const refusal = await migrate(store, config).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(ConfigError);
  const known = readMigrations().length;
  expect((refusal as Error).message).toBe(
    `CLICKHOUSE_DATABASE: its schema has version 999, this program knows ${known}: run a newer Keytally`,
  );
  const [row] = await store.query<{ n: number }>('SELECT count() AS n FROM requests');
  expect(row!.n).toBe(32);
  await store.close();
});
