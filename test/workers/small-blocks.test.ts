import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../../workers/clickhouse/store.ts';
import { migratedStore } from '../support/migrated-store.ts';
import { testConfig } from '../support/stack.ts';

const config = testConfig();
const KEYS = 100;
const MINUTES = 256;
/** Rows of eight bytes in the granules of 256 rows that fit into a block of 4 KiB. */
const GRANULES_PER_BLOCK = 2;

let store: Store;
beforeAll(async () => {
  store = await migratedStore(config);
});
afterAll(() => store.close());

test('the tables that reads of all keys take edges from have small blocks', async () => {
  const tables = await store.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase()
     AND create_table_query LIKE '%min_compress_block_size = 4096%' ORDER BY name`,
  );
  expect(tables.map(({ name }) => name)).toEqual([
    'countries_quarter_hour',
    'endpoints_quarter_hour',
    'statuses_quarter_hour',
    'usage_minute',
    'usage_quarter_hour',
  ]);
});

test('a minute of one key is unpacked without those of many others', async () => {
  // As a part of any size: small ones are one file by default, whose blocks are granules.
  await store.command('ALTER TABLE usage_minute MODIFY SETTING min_bytes_for_wide_part = 0');
  await store.command(
    `INSERT INTO usage_minute (key_id, start, requests)
     SELECT concat('key_', toString(intDiv(number, ${MINUTES}))), toDateTime(toStartOfMonth(now('UTC')), 'UTC') + 60 * (number % ${MINUTES}), number
     FROM numbers(${KEYS * MINUTES})`,
  );
  const [row] = await store.query<{ granules: number; blocks: number }>(
    `SELECT count() AS granules, uniqExact(requests.mark.1) AS blocks
     FROM mergeTreeIndex(currentDatabase(), 'usage_minute', with_marks = true) WHERE rows_in_granule > 0`,
  );
  expect(row!.granules).toBe(KEYS);
  expect(row!.blocks).toBeGreaterThanOrEqual(KEYS / GRANULES_PER_BLOCK);
});
