import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../../workers/clickhouse/store.ts';
import { migratedStore } from '../support/migrated-store.ts';
import { testConfig } from '../support/stack.ts';

const INSERTS = 30;
const ROWS_PER_INSERT = 20;
/** As migration 0016 has it. */
const LEAST_PARTS = 10;

let store: Store;
beforeAll(async () => {
  store = await migratedStore(testConfig());
});
afterAll(() => store.close());

interface Merged {
  inserts: number;
  type: string;
  rows: number;
}

const merged = () =>
  store.query<Merged>(
    `SELECT max_block_number - min_block_number + 1 AS inserts, part_type AS type, rows FROM system.parts
     WHERE database = currentDatabase() AND table = 'requests' AND active AND level > 0`,
  );

test('single requests are merged ten parts at a time or more, into one file, and none is lost', async () => {
  const at = new Date(Date.now() - 60_000).toISOString();
  for (let insert = 0; insert < INSERTS; insert++) {
    const rows = Array.from({ length: ROWS_PER_INSERT }, (_, n) => ({
      timestamp: at,
      received_at: at,
      key_id: `key_${n}`,
      method: 'GET',
      route: '/a',
      status: 200,
      batch_id: `batch-${insert}`,
    }));
    await store.insertRows('requests', rows);
  }
  await expect.poll(async () => (await merged()).length, { timeout: 60_000 }).toBeGreaterThan(0);
  for (const { inserts, type, rows } of await merged()) {
    expect(inserts).toBeGreaterThanOrEqual(LEAST_PARTS);
    expect(type).toBe('Compact');
    expect(rows).toBe(inserts * ROWS_PER_INSERT);
  }
  expect(await store.query('SELECT count() AS rows FROM requests')).toEqual([{ rows: INSERTS * ROWS_PER_INSERT }]);
}, 90_000);
