import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../../workers/clickhouse/store.ts';
import { migratedStore } from '../support/migrated-store.ts';
import { testConfig } from '../support/stack.ts';

/** As `requests`, without what migration 0016 sets. */
const USUAL = 'requests_as_usual';
const INSERTS = 6;
const ROWS_PER_INSERT = 20;

let store: Store;
beforeAll(async () => {
  store = await migratedStore(testConfig());
  await store.command(
    `CREATE TABLE ${USUAL} AS requests ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY (key_id, timestamp)`,
  );
});
afterAll(() => store.close());

interface Part {
  type: string;
  level: number;
  rows: number;
}

const partsOf = (table: string) =>
  store.query<Part>(
    `SELECT part_type AS type, level, rows FROM system.parts
     WHERE database = currentDatabase() AND table = {table:String} AND active`,
    { table },
  );

test('a few parts of single requests wait for more, where the engine would merge them', async () => {
  const at = new Date(Date.now() - 60_000).toISOString();
  for (const table of ['requests', USUAL])
    for (let insert = 0; insert < INSERTS; insert++) {
      const rows = Array.from({ length: ROWS_PER_INSERT }, (_, n) => ({
        timestamp: at,
        key_id: `key_${n}`,
        path: `/${insert}`,
        status: 200,
      }));
      await store.insertRows(table, rows);
    }
  const mergedAsUsual = async () => (await partsOf(USUAL)).some(({ level }) => level > 0);
  await expect.poll(mergedAsUsual).toBe(true);
  const parts = await partsOf('requests');
  expect(parts.map(({ level, rows }) => ({ level, rows }))).toEqual(
    Array.from({ length: INSERTS }, () => ({ level: 0, rows: ROWS_PER_INSERT })),
  );
});

test('a part of some tens of megabytes is one file, where the engine would write one per column', async () => {
  for (const table of ['requests', USUAL])
    await store.command(
      `INSERT INTO ${table} (timestamp, key_id, path, status)
       SELECT now64(3), 'large', randomPrintableASCII(400), 200 FROM numbers(50000)`,
    );
  const large = async (table: string) => (await partsOf(table)).find(({ rows }) => rows >= 50_000)?.type;
  expect([await large('requests'), await large(USUAL)]).toEqual(['Compact', 'Wide']);
});
