import { vi } from 'vitest';
import type { Store } from '../../workers/clickhouse/store.ts';

const TABLES = ['usage_minute', 'usage_quarter_hour', 'usage_day', 'endpoints_quarter_hour', 'endpoints_day'].concat([
  'countries_quarter_hour',
  'countries_day',
  'statuses_quarter_hour',
  'statuses_day',
  'key_totals',
]);

/** Waits until every rollup holds this many requests: raw rows can be read a moment before the views are filled. */
export async function untilRolledUp(store: Store, requests: number): Promise<void> {
  const counts = TABLES.map((table) => `SELECT sum(requests) AS counted FROM ${table}`).join(' UNION ALL ');
  await vi.waitFor(
    async () => {
      const [row] = await store.query<{ counted: number }>(`SELECT min(counted) AS counted FROM (${counts})`);
      if (row!.counted < requests) throw new Error(`${row!.counted} of ${requests} requests are in every rollup`);
    },
    { timeout: 45_000, interval: 30 },
  );
}
