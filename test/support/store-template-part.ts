import { parseConfig } from '../../ingest/config.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { openStore } from '../../workers/clickhouse/store.ts';

// Without retention: some tests keep rows of long ago. A process of its own: the embedded engine binds one data folder per process, and does not let go of it.
const config = parseConfig({});
const store = await openStore(config, process.argv[2]!);
await migrate(store, config);
await store.close();
// The engine's threads go on without a connection.
process.exit(0);
