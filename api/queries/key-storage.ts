import type { Config } from '../../ingest/config.ts';
import type { TableStorage } from '../../workers/clickhouse/storage.ts';
import type { Store } from '../../workers/clickhouse/store.ts';

/** What one key takes, estimated: its share of the rows of each large table. */
export interface KeyStorage {
  key_id: string;
  /** Single requests kept. */
  requests: number;
  /** Rows in the rollups. */
  rollup_rows: number;
  bytes_on_disk: number;
}

const ROLLUPS = ['usage', 'endpoints', 'countries', 'statuses'].flatMap((name) => [
  `${name}_quarter_hour`,
  `${name}_day`,
]);
const DAY_MS = 86_400_000;

/**
 * The keys that take most, largest first: rows of each table times what a row takes there on average. Single requests are taken from the counts
 * of the days they are kept, to the day: reading them all would take minutes where there are billions.
 * @param keyId only this one; '' = the largest of all
 */
export async function storagePerKey(
  store: Store,
  config: Pick<Config, 'RETENTION_REQUESTS_DAYS'>,
  tables: readonly TableStorage[],
  { limit, keyId }: { limit: number; keyId: string },
): Promise<KeyStorage[]> {
  const bytesPerRow = (name: string) => tables.find(({ table }) => table === name)?.bytes_per_row ?? 0;
  const ofKey = `({key_id:String} = '' OR key_id = {key_id:String})`;
  const rollups = ['usage_minute', ...ROLLUPS].map(
    (table) =>
      `SELECT key_id, 0 AS requests, count() AS rollup_rows, count() * toFloat64(${bytesPerRow(table)}) AS bytes
       FROM ${table} WHERE ${ofKey} GROUP BY key_id`,
  );
  const single = `SELECT key_id, sum(u.requests) AS requests, 0 AS rollup_rows, sum(u.requests) * toFloat64(${bytesPerRow('requests')}) AS bytes
       FROM usage_day AS u WHERE ${ofKey} AND start >= toDateTime({kept_from:Int64}, 'UTC') GROUP BY key_id`;
  return store.query<KeyStorage>(
    `SELECT key_id, sum(requests) AS requests, sum(rollup_rows) AS rollup_rows, round(sum(bytes)) AS bytes_on_disk
     FROM (${[single, ...rollups].join('\nUNION ALL\n')})
     GROUP BY key_id ORDER BY bytes_on_disk DESC, key_id LIMIT {limit:UInt32}`,
    { limit, key_id: keyId, kept_from: keptFrom(Date.now(), config.RETENTION_REQUESTS_DAYS) },
  );
}

/** First UTC day of which single requests are kept, epoch seconds: they go when they are a day older than said (retention.ts). */
const keptFrom = (nowMs: number, days: number): number => (Math.floor(nowMs / DAY_MS) - days) * (DAY_MS / 1000);
