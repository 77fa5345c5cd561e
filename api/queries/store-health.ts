import type { Config } from '../../ingest/config.ts';
import { ofEveryShard } from '../../workers/clickhouse/storage.ts';
import type { Store } from '../../workers/clickhouse/store.ts';

export interface StoredTable {
  table: string;
  rows: number;
  bytes: number;
  parts: number;
}

export interface StoreHealth {
  version: string;
  tables: StoredTable[];
  /** Newest receipt of the last day; null when there is none. */
  last_received_at: string | null;
}

/** Size of every table, all shards together and one replica of each, largest first; the version is that of the node that answers. */
export async function readStoreHealth(store: Store, config: Config): Promise<StoreHealth> {
  const [versions, tables, newest] = await Promise.all([
    store.query<{ version: string }>('SELECT version() AS version'),
    store.query<StoredTable>(
      `SELECT replaceRegexpOne(p.table, '_local$', '') AS table, sum(p.rows) AS rows, sum(p.bytes_on_disk) AS bytes,
              count() AS parts
       FROM ${ofEveryShard(config, 'system.parts')} AS p WHERE p.active AND p.database = {database:String}
       GROUP BY table ORDER BY bytes DESC, table LIMIT 200`,
      { database: config.CLICKHOUSE_DATABASE },
    ),
    store.query<{ at: string; any: number }>(
      `SELECT max(received_at) AS at, count() > 0 AS any FROM requests
       WHERE timestamp > now() - INTERVAL 1 DAY AND received_at > now() - INTERVAL 1 DAY`,
    ),
  ]);
  return {
    version: versions[0]!.version,
    tables,
    last_received_at: newest[0]?.any ? newest[0].at : null,
  };
}
