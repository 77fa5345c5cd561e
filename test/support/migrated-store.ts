import { join } from 'node:path';
import type { Config } from '../../ingest/config.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { openStore, type Store } from '../../workers/clickhouse/store.ts';
import { startFromTemplate } from './start-from-template.ts';
import { tempFolder } from './temp-folder.ts';

/** The embedded engine on a folder of its own, with all tables. */
export async function migratedStore(config: Config): Promise<Store> {
  const folder = join(tempFolder(), 'clickhouse');
  startFromTemplate(folder);
  const store = await openStore(config, folder);
  await migrate(store, config);
  return store;
}
