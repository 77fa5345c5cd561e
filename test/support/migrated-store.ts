import type { Config } from '../../ingest/config.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { openStore, type Store } from '../../workers/clickhouse/store.ts';
import { tempFolder } from './temp-folder.ts';

/** The embedded engine on a folder of its own, with all tables. */
export async function migratedStore(config: Config): Promise<Store> {
  const store = await openStore(config, tempFolder());
  await migrate(store, config);
  return store;
}
