import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseConfig } from '../../../../ingest/config.ts';
import { anyLimit } from '../../../../workers/alerts/limits/limit-use.ts';
import type { Store } from '../../../../workers/clickhouse/store.ts';
import { migratedStore } from '../../../support/migrated-store.ts';

let store: Store;
const TABLES = ['keys', 'plans'];

beforeAll(async () => {
  const config = parseConfig({});
  store = await migratedStore(config);
});
afterAll(() => store.close());
beforeEach(async () => {
  for (const table of TABLES) await store.command(`TRUNCATE TABLE ${table}`);
});

const key = { key_id: 'a', version: 1 };
const plan = { organization_id: '', plan: 'pro', version: 1 };
const cases: [what: string, rows: Record<string, object>, any: boolean][] = [
  ['nothing', {}, false],
  ['a key and a plan without limits', { keys: key, plans: plan }, false],
  ['a limit of zero, which is none', { keys: { ...key, limit_per_day: 0 } }, false],
  ...['limit_per_minute', 'limit_per_day', 'limit_per_month', 'limit_burst'].flatMap((limit): typeof cases => [
    [`${limit} of a key`, { keys: { ...key, [limit]: 5 } }, true],
    [`${limit} of a plan`, { plans: { ...plan, [limit]: 5 } }, true],
  ]),
];

test.each(cases)('whether anybody has a limit: %s', async (_, rows, any) => {
  for (const [table, row] of Object.entries(rows)) await store.insertRows(table, [row]);
  expect(await anyLimit(store)).toBe(any);
});
