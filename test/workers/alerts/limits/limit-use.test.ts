import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseConfig } from '../../../../ingest/config.ts';
import { mayReachLimits } from '../../../../workers/alerts/limits/limit-use.ts';
import { migrate } from '../../../../workers/clickhouse/migrate.ts';
import { openStore, type Store } from '../../../../workers/clickhouse/store.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

let store: Store;
const now = Math.floor(Date.now() / 1000);
const TABLES = ['traffic_seconds', 'keys', 'plans'];

beforeAll(async () => {
  const config = parseConfig({});
  store = await openStore(config, tempFolder());
  await migrate(store, config);
});
afterAll(() => store.close());
beforeEach(async () => {
  for (const table of TABLES) await store.command(`TRUNCATE TABLE ${table}`);
});

const used = { traffic_seconds: { start: now, key_id: 'a', requests: 1 } };
const key = { key_id: 'a', version: 1 };
const plan = { organization_id: '', plan: 'pro', version: 1 };
const cases: [what: string, rows: Record<string, object>, may: boolean][] = [
  ['nothing', {}, false],
  ['use without limits', { ...used, keys: key, plans: plan }, false],
  ['a limit without use', { keys: { ...key, limit_per_day: 5 } }, false],
  [
    'a limit and use long ago',
    { traffic_seconds: { ...used.traffic_seconds, start: now - 600 }, keys: { ...key, limit_per_day: 5 } },
    false,
  ],
  ['use and a limit of zero, which is none', { ...used, keys: { ...key, limit_per_day: 0 } }, false],
  ...['limit_per_minute', 'limit_per_day', 'limit_per_month', 'limit_burst'].flatMap((limit): typeof cases => [
    [`use and ${limit} of a key`, { ...used, keys: { ...key, [limit]: 5 } }, true],
    [`use and ${limit} of a plan`, { ...used, plans: { ...plan, [limit]: 5 } }, true],
  ]),
];

test.each(cases)('whether a look can find anything: %s', async (_, rows, may) => {
  for (const [table, row] of Object.entries(rows)) await store.insertRows(table, [row]);
  expect(await mayReachLimits(store, now - 60)).toBe(may);
});
