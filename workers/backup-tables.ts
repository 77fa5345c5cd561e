import { ConfigError } from '../ingest/config-error.ts';
import type { BackupFile, BackupPlace } from './backup-place.ts';
import { attachPartitions } from './clickhouse/attach-partitions.ts';
import type { Store } from './clickhouse/store.ts';

/** Holds one table's parts while they are written out. */
const SNAPSHOT = 'backup_snapshot';
/** Takes one table's rows in before they are counted. */
const STAGING = 'restored_rows';

/** Folding all rows of a large rollup takes longer than a page would wait. */
const COUNT_SETTINGS = { max_execution_time: 590 };

export interface Table {
  name: string;
  /** How its rows are counted: merges fold rows of one key together at any moment, and FINAL counts them folded. */
  counted: string;
}

export interface SavedTable {
  table: string;
  rows: number;
  files: BackupFile[];
}

/** Tables that hold rows. Views are part of the schema. */
export async function tablesOf(store: Store): Promise<Table[]> {
  const rows = await store.queryWriter<{ name: string; engine: string }>(
    `SELECT name, engine FROM system.tables WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree')
       AND name NOT IN ('schema_migrations', '${STAGING}', '${SNAPSHOT}') ORDER BY name`,
  );
  return rows.map(({ name, engine }) => ({ name, counted: engine === 'MergeTree' ? name : `${name} FINAL` }));
}

export async function countOf(store: Store, { counted }: Pick<Table, 'counted'>): Promise<number> {
  const [row] = await store.queryAside<{ n: number }>(`SELECT count() AS n FROM ${counted}`, {}, COUNT_SETTINGS);
  return row!.n;
}

/**
 * One file per partition: each is written in one go, and none grows without bound. They come from hard links to the parts as
 * they are now: registry and alerts are written while the backup runs, and a row that came between the writing of a file and the
 * counting made a backup that no restore would take.
 */
export async function saveTable(store: Store, { name, counted }: Table, place: BackupPlace): Promise<SavedTable> {
  return withTwin(store, SNAPSHOT, name, async () => {
    const files: BackupFile[] = [];
    for (const id of await attachPartitions(store, SNAPSHOT, name)) {
      const select = `SELECT * FROM ${SNAPSHOT} WHERE _partition_id = '${id}'`;
      files.push(await place.save(`${name}.${id}.native.gz`, (path) => store.exportNative(select, path)));
    }
    return { table: name, rows: await countOf(store, { counted: counted.replace(name, SNAPSHOT) }), files };
  });
}

/**
 * Counted beside the table and handed to it whole: in the table itself old rows would go before they are counted, and the views
 * of `requests` would see rows whose sums come back by themselves.
 * @returns rows that came back
 * @throws {ConfigError} when there are fewer than were saved
 */
export async function loadTable(
  store: Store,
  { name, counted }: Table,
  { rows, files }: SavedTable,
  place: BackupPlace,
): Promise<number> {
  return withTwin(store, STAGING, name, async () => {
    for (const file of files) await place.use(file, (path) => store.importNative(STAGING, path));
    const loaded = await countOf(store, { counted: counted.replace(name, STAGING) });
    if (loaded < rows) throw new ConfigError(`${name}: ${loaded} rows came back of ${rows}`);
    await attachPartitions(store, name, STAGING);
    return loaded;
  });
}

/**
 * An empty table of the same shape, while `act` runs. Nothing in it goes by its age: a new table checks for expired rows
 * immediately. Rows that the original still held would be deleted between writing the file and counting it. Its parts know all the same when their rows are to go.
 */
async function withTwin<T>(store: Store, twin: string, of: string, act: () => Promise<T>): Promise<T> {
  // Its parts are links or are handed on: the bound against dropping much by mistake (50 GB) would end every larger backup.
  const drop = () => store.command(`DROP TABLE IF EXISTS ${twin} SYNC SETTINGS max_table_size_to_drop = 0`);
  await drop();
  try {
    await store.command(`CREATE TABLE ${twin} AS ${of}`);
    await store.command(`SYSTEM STOP TTL MERGES ${twin}`);
    return await act();
  } finally {
    await drop();
  }
}
