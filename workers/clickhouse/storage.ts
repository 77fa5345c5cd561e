import type { Config } from '../../ingest/config.ts';
import type { Store } from './store.ts';

/** What a table takes on disk, all shards together, one replica of each. */
export interface TableStorage {
  table: string;
  rows: number;
  /** Compressed, with indexes and marks, without parts that merges have replaced. */
  bytes_on_disk: number;
  bytes_per_row: number;
  /** First and last month that has rows, `YYYYMM`; '' for a table without months. */
  oldest_partition: string;
  newest_partition: string;
}

/** What one key takes, estimated: its share of the rows of each table. */
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
/** Every table that has rows of keys and is large. */
const KEY_TABLES = ['requests', 'usage_minute', ...ROLLUPS];
const MAX_KEYS = 1_000;

/** What a node says of itself: of one replica of every shard, where there are several. */
export function ofEveryShard(config: Config, table: `system.${string}`): string {
  return config.CLICKHOUSE_CLUSTER ? `cluster('${config.CLICKHOUSE_CLUSTER}', ${table})` : table;
}

/** Largest first. */
export async function storagePerTable(store: Store, config: Config): Promise<TableStorage[]> {
  return store.query<TableStorage>(
    `SELECT replaceRegexpOne(p.table, '_local$', '') AS table, sum(p.rows) AS rows, sum(p.bytes_on_disk) AS bytes_on_disk,
            round(sum(p.bytes_on_disk) / greatest(sum(p.rows), 1), 2) AS bytes_per_row,
            min(if(match(p.partition, '^[0-9]{6}$'), p.partition, '')) AS oldest_partition,
            max(if(match(p.partition, '^[0-9]{6}$'), p.partition, '')) AS newest_partition
     FROM ${ofEveryShard(config, 'system.parts')} AS p WHERE p.database = {database:String} AND p.active
     GROUP BY table ORDER BY bytes_on_disk DESC, table`,
    { database: config.CLICKHOUSE_DATABASE },
  );
}

/**
 * The keys that take most, largest first: rows of each table times what a row takes there on average.
 * @param keyIds only these; undefined = the largest of all
 */
export async function storagePerKey(
  store: Store,
  config: Config,
  limit: number,
  keyIds?: readonly string[],
): Promise<KeyStorage[]> {
  const tables = await storagePerTable(store, config);
  const bytesPerRow = new Map(tables.map(({ table, bytes_per_row }) => [table, bytes_per_row]));
  const where = keyIds ? 'WHERE key_id IN {key_ids:Array(String)}' : '';
  const counts = KEY_TABLES.map(
    (table) =>
      `SELECT key_id, ${table === 'requests' ? 'count()' : '0'} AS requests,
              ${table === 'requests' ? '0' : 'count()'} AS rollup_rows,
              count() * toFloat64(${bytesPerRow.get(table) ?? 0}) AS bytes
       FROM ${table} ${where} GROUP BY key_id`,
  );
  return store.query<KeyStorage>(
    `SELECT key_id, sum(requests) AS requests, sum(rollup_rows) AS rollup_rows, round(sum(bytes)) AS bytes_on_disk
     FROM (${counts.join('\nUNION ALL\n')})
     GROUP BY key_id ORDER BY bytes_on_disk DESC, key_id LIMIT {limit:UInt32}`,
    { limit: Math.min(limit, MAX_KEYS), ...(keyIds ? { key_ids: keyIds } : {}) },
  );
}
