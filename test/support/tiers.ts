import type { Store } from '../../workers/clickhouse/store.ts';

/** Tables that count requests for the usage pages: each has its own retention. */
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

/** Tables that a request of any age is counted in, those of the alerts among them. */
export const ALL_TIERS = [...TIERS, 'key_countries', 'traffic_buckets'];

/** Requests that each tier counts. */
export async function tierCounts(
  store: Pick<Store, 'query'>,
  tiers: readonly string[] = TIERS,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const tier of tiers) {
    const what = tier === 'requests' ? 'count()' : 'sum(requests)';
    const [row] = await store.query<{ counted: number }>(`SELECT ${what} AS counted FROM ${tier}`);
    counts[tier] = row!.counted;
  }
  return counts;
}

/** What {@link tierCounts} says when every tier counts the same. */
export function everyTier(requests: number, tiers: readonly string[] = TIERS): Record<string, number> {
  return Object.fromEntries(tiers.map((tier) => [tier, requests]));
}
