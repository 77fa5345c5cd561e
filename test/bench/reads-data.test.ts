import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../ingest/config.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import { migratedStore } from '../support/migrated-store.ts';
import { fillKeys, fillRequests } from './reads-data.ts';

// A bench runs for half an hour before it reaches its last statement: a migration that breaks one is to be heard of here.
let store: Store;
beforeAll(async () => {
  store = await migratedStore(parseConfig({}));
});
afterAll(() => store.close());

const count = async (table: string) => (await store.query<{ n: number }>(`SELECT count() AS n FROM ${table}`))[0]!.n;

test('requests of a bench are in every rollup', async () => {
  const told: number[] = [];
  await fillRequests(store, 300, Date.now() - 60_000, (rows) => told.push(rows));
  expect(told.at(-1)).toBe(300);
  expect(await count('requests')).toBe(300);
  for (const table of ['usage_day', 'endpoints_day', 'countries_day', 'statuses_day']) {
    const [row] = await store.query<{ n: number }>(`SELECT sum(requests) AS n FROM ${table}`);
    expect([table, row!.n]).toEqual([table, 300]);
  }
});

test('keys of a bench are registered and have totals, but for each tenth', async () => {
  const before = await count('key_totals FINAL');
  await fillKeys(store, 200);
  expect(await count('keys FINAL')).toBe(200);
  expect((await count('key_totals FINAL')) - before).toBe(180);
});
