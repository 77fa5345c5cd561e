import type { Store } from '../../workers/clickhouse/store.ts';
import { TIERS } from '../support/tiers.ts';
import { untilPasses } from '../support/until-passes.ts';

const ROLLUPS = TIERS.filter((tier) => tier !== 'requests');

/** Waits until every rollup holds this many requests: raw rows can be read a moment before the views are filled. */
export async function untilRolledUp(store: Store, requests: number): Promise<void> {
  const counts = ROLLUPS.map((table) => `SELECT sum(requests) AS counted FROM ${table}`).join(' UNION ALL ');
  await untilPasses(async () => {
    const [row] = await store.query<{ counted: number }>(`SELECT min(counted) AS counted FROM (${counts})`);
    if (row!.counted < requests) throw new Error(`${row!.counted} of ${requests} requests are in every rollup`);
  });
}
