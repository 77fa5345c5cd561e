import type { Store } from '../../workers/clickhouse/store.ts';

/**
 * From now on rows of this store stay however old they are, also in tables that are yet to come: what goes at some merge makes two looks
 * at the same store differ.
 */
export async function keepExpiredRows(store: Store): Promise<void> {
  await store.command('SYSTEM STOP TTL MERGES');
  const command = store.command.bind(store);
  store.command = async (sql, params) => {
    const into = /^ALTER TABLE (\w+) ATTACH PARTITION/.exec(sql)?.[1];
    if (into !== undefined) await command(`SYSTEM STOP TTL MERGES ${into}`);
    return command(sql, params);
  };
}

/** Rows that are past their time, a part for each; those of `requests` and `usage_minute` by the default retention. */
export const EXPIRED: Readonly<Record<string, string>> = {
  requests: "(timestamp, received_at, key_id, batch_id) SELECT now() - INTERVAL 50 DAY, now(), 'requested', 'old'",
  usage_minute: "(start, key_id, requests) SELECT now() - INTERVAL 20 DAY, 'old', 1",
  traffic_buckets: "(start, key_id, requests) SELECT now() - INTERVAL 50 DAY, 'old', 1",
  traffic_seconds: "(start, key_id, requests, counted_at) SELECT now(), 'old', 1, now() - INTERVAL 2 HOUR",
  country_hours: "(start, key_id, country, requests) SELECT now() - INTERVAL 5 DAY, 'old', 'DE', 1",
  alert_hours: "(hour, key_id, timed, p95_ms) SELECT now() - INTERVAL 50 DAY, 'old', 1, 1",
  alert_days: "(day, key_id, requests) SELECT now() - INTERVAL 9 DAY, 'old', 1",
  alert_day_countries: "(day, key_id, country, requests, share) SELECT now() - INTERVAL 9 DAY, 'old', 'DE', 1, 1",
  alert_baselines: "(hour, key_id) SELECT now() - INTERVAL 9 DAY, 'old'",
  key_list_generations: '(generation, keys, duration_ms, finished_at) SELECT 1, 1, 1, now() - INTERVAL 9 DAY',
};

/** Also a row of today in each table, so that a merge has two parts. */
export async function insertExpired(store: Store): Promise<void> {
  for (const [table, insert] of Object.entries(EXPIRED)) {
    await store.command(`INSERT INTO ${table} ${insert}`);
    const fresh = insert.replaceAll(/ - INTERVAL \d+ (DAY|HOUR)/g, '').replaceAll("'old'", "'fresh'");
    await store.command(`INSERT INTO ${table} ${fresh.replace('SELECT 1, 1', 'SELECT 2, 1')}`);
  }
}

const WHERE: Readonly<Record<string, string>> = {
  key_list_generations: 'generation = 1',
  requests: "batch_id = 'old'",
};

/** Rows past their time in each of the tables. */
export async function expiredRows(store: Store): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of Object.keys(EXPIRED)) {
    const old = WHERE[table] ?? "key_id = 'old'";
    const [row] = await store.queryWriter<{ n: number }>(`SELECT count() AS n FROM ${table} WHERE ${old}`);
    counts[table] = row!.n;
  }
  return counts;
}
