import type { Store } from '../../workers/clickhouse/store.ts';

/** Every table that a request is counted in. */
export const TIERS = [
  'requests',
  'usage_minute',
  'usage_quarter_hour',
  'usage_day',
  'endpoints_quarter_hour',
  'endpoints_day',
  'countries_quarter_hour',
  'countries_day',
  'statuses_quarter_hour',
  'statuses_day',
  'key_totals',
];

/** Requests that each tier counts. */
export async function tierCounts(store: Pick<Store, 'query'>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const tier of TIERS) {
    const what = tier === 'requests' ? 'count()' : 'sum(requests)';
    const [row] = await store.query<{ counted: number }>(`SELECT ${what} AS counted FROM ${tier}`);
    counts[tier] = row!.counted;
  }
  return counts;
}

/** What {@link tierCounts} says when every tier counts the same. */
export function everyTier(requests: number): Record<string, number> {
  return Object.fromEntries(TIERS.map((tier) => [tier, requests]));
}
