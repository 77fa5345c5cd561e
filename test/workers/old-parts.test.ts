import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../../workers/clickhouse/store.ts';
import { migratedStore } from '../support/migrated-store.ts';
import { testConfig } from '../support/stack.ts';
import { everyTier, TIERS, tierCounts } from '../support/tiers.ts';

const config = testConfig();
const ROLLUPS = TIERS.filter((table) => /_(minute|quarter_hour|day)$/.test(table));
const INSERTS = 4;
const ROWS_PER_INSERT = 50;

let store: Store;
beforeAll(async () => {
  store = await migratedStore(config);
});
afterAll(() => store.close());

async function partsOf(table: string): Promise<number> {
  const [row] = await store.query<{ parts: number }>(
    `SELECT count() AS parts FROM system.parts WHERE database = currentDatabase() AND table = {table:String} AND active`,
    { table },
  );
  return row!.parts;
}

test('parts of every rollup are merged when they are a day old', async () => {
  const tables = await store.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase()
     AND create_table_query LIKE '%min_age_to_force_merge_seconds = 86400%' ORDER BY name`,
  );
  expect(ROLLUPS).toHaveLength(9);
  expect(tables.map(({ name }) => name)).toEqual([...ROLLUPS].sort());
});

test('old parts become one, however unlike, and count what they counted', async () => {
  const at = new Date(Date.now() - 60_000).toISOString();
  for (let insert = 0; insert < INSERTS; insert++) {
    const rows = Array.from({ length: ROWS_PER_INSERT * 4 ** insert }, (_, n) => ({
      timestamp: at,
      received_at: at,
      key_id: `key_${n}`,
      method: 'GET',
      route: '/a',
      status: 200,
      country: 'SE',
      latency_ms: n,
      batch_id: `batch-${insert}`,
    }));
    await store.insertRows('requests', rows);
  }
  const before = await tierCounts(store);
  expect(before).toEqual(everyTier(before.requests!));
  for (const table of ROLLUPS) {
    await store.command(`ALTER TABLE ${table} MODIFY SETTING min_age_to_force_merge_seconds = 1`);
  }
  await expect.poll(() => Promise.all(ROLLUPS.map(partsOf))).toEqual(ROLLUPS.map(() => 1));
  expect(await tierCounts(store)).toEqual(before);
});
