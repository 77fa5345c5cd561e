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
