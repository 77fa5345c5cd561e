import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveRange } from '../../../api/queries/calendar.ts';
import { readFilteredUsage } from '../../../api/queries/filtered-usage.ts';
import { ONE_KEY } from '../../../api/queries/union.ts';
import { parseConfig } from '../../../ingest/config.ts';
import type { Store } from '../../../workers/clickhouse/store.ts';
import { migratedStore } from '../../support/migrated-store.ts';

const MINUTE_MS = 60_000;
const END_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 3_600_000;
const REQUESTS = [
  { timestamp: END_MS - 1, path: '/last' },
  { timestamp: END_MS, path: '/next' },
  { timestamp: END_MS - MINUTE_MS, path: '/first' },
  { timestamp: END_MS - MINUTE_MS - 1, path: '/before' },
];

let store: Store;
beforeAll(async () => {
  store = await migratedStore(parseConfig({}));
  // A part each: whole parts are left out by the times that they span.
  for (const { timestamp, path } of REQUESTS) {
    const time = new Date(timestamp).toISOString();
    await store.insertRows('requests', [
      { key_id: 'k', timestamp: time, method: 'GET', route: path, path, status: 200 },
    ]);
  }
});
afterAll(() => store.close());

test('a filtered range holds the requests of its last second, whatever else their part holds, and none of the next minute', async () => {
  const request = { fromMs: END_MS - MINUTE_MS, toMs: END_MS, bucket: 'minute', timezone: 'UTC' } as const;
  const range = resolveRange(request, 0, Date.now() / 1000);
  const usage = await readFilteredUsage(store, range, ONE_KEY('k'), { status: '200' }, true);
  expect(usage.endpoints.map(({ route }) => route).sort()).toEqual(['/first', '/last']);
  expect([usage.totals.requests, usage.previous?.requests]).toEqual([2, 1]);
});
