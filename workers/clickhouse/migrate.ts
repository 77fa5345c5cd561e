import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../ingest/config.ts';
import { ConfigError } from '../../ingest/config-error.ts';
import { packageRoot } from '../../ingest/package-root.ts';
import type { Store } from './store.ts';

/** Blocks whose tokens each table remembers. Views' targets need the same window as requests, or a retry counts twice there. */
const DEDUPLICATION_WINDOW = 10_000;
const FILE = /^(\d{4})_[a-z_]+\.sql$/;

export interface Migration {
  number: number;
  file: string;
  sql: string;
}

/** Migration files in order. @throws Error when numbers repeat or leave a gap */
export function readMigrations(folder = join(packageRoot(), 'workers/clickhouse/migrations')): Migration[] {
  const migrations = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({
      number: Number(FILE.exec(file)?.[1] ?? Number.NaN),
      file,
      sql: readFileSync(join(folder, file), 'utf8'),
    }));
  migrations.forEach(({ number, file }, at) => {
    if (number !== at + 1) throw new Error(`migration ${file} should have number ${at + 1}`);
  });
  return migrations;
}

/** Also by time, which ClickHouse otherwise sets to an hour: an outage may last longer than that between two tries of a batch. */
const DEDUPLICATION_WINDOW_SECONDS = 7 * 86_400;

/**
 * Fills the placeholders of a migration, so that the same file serves one node and a cluster:
 * `${local}` suffix of the table that holds rows, `${on_cluster}`, `${MergeTree}` and its kin,
 * `${deduplication_window}`, `${distributed <table> <sharding key>}`.
 *
 * A table with `${local}` is sharded: its replicas are those of one shard. Any other is whole on every node (all nodes are
 * replicas of one another), so that joins with the registry stay on the node.
 */
export function expand(sql: string, cluster: string | undefined): string[] {
  const text = sql
    .replace(/^\s*--.*$/gm, '')
    .replaceAll('${local}', cluster ? '_local' : '')
    .replaceAll('${on_cluster}', cluster ? `ON CLUSTER '${cluster}'` : '')
    .replaceAll('${deduplication_window}', deduplicationWindow(cluster))
    .replace(/\$\{distributed (\w+) ([^}]+)\}/g, (_, table: string, shardingKey: string) =>
      cluster
        ? `CREATE TABLE IF NOT EXISTS ${table} ON CLUSTER '${cluster}' AS ${table}_local ` +
          `ENGINE = Distributed('${cluster}', currentDatabase(), ${table}_local, ${shardingKey});`
        : '',
    );
  return (
    text
      // At the end of a line only: a comment in quotes may hold one.
      .split(/;[ \t]*$/m)
      .map((statement) => statement.trim())
      .filter((statement) => statement !== '')
      .map((statement) => withEngine(statement, cluster))
  );
}

function deduplicationWindow(cluster: string | undefined): string {
  if (!cluster) return `non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`;
  return (
    `replicated_deduplication_window = ${DEDUPLICATION_WINDOW}, ` +
    `replicated_deduplication_window_seconds = ${DEDUPLICATION_WINDOW_SECONDS}`
  );
}

function withEngine(statement: string, cluster: string | undefined): string {
  const isSharded = /^CREATE TABLE IF NOT EXISTS \w+_local\b/.test(statement);
  const [path, replica] = isSharded ? ['{shard}', '{replica}'] : ['all', '{shard}-{replica}'];
  return statement.replace(/\$\{(\w*MergeTree)(?: (\w+))?\}/g, (_, engine: string, version?: string) =>
    cluster
      ? `Replicated${engine}('/clickhouse/tables/${path}/{database}/{table}', '${replica}'${version ? `, ${version}` : ''})`
      : `${engine}(${version ?? ''})`,
  );
}

/**
 * Brings the schema up to date. Every statement may be repeated, so that a start that was cut off, or two
 * starting at once, end in the same schema.
 * @param last newest migration to apply; default: all of them
 * @throws {ConfigError} when the schema was written by a newer program
 */
export async function migrate(store: Store, config: Config, last = Number.POSITIVE_INFINITY): Promise<void> {
  const cluster = config.CLICKHOUSE_CLUSTER;
  await makeVersions(store, cluster);
  const migrations = readMigrations();
  const [row] = await store.queryWriter<{ newest: number }>('SELECT max(number) AS newest FROM schema_migrations');
  const newest = row?.newest ?? 0;
  const wanted = Math.max(newest, Number.isFinite(last) ? last : 0);
  if (wanted > migrations.length) {
    throw new ConfigError(
      `CLICKHOUSE_DATABASE: its schema has version ${wanted}, this program knows ${migrations.length}: run a newer Keytally`,
    );
  }
  for (const migration of migrations.slice(newest, last)) {
    for (const statement of expand(migration.sql, cluster)) await store.command(statement);
    await store.insertRows('schema_migrations', [
      { number: migration.number, file: migration.file, applied_at: new Date().toISOString() },
    ]);
  }
}

/** Looked for first: a statement ON CLUSTER waits for every node, and with one of them down no worker could start. */
async function makeVersions(store: Store, cluster: string | undefined): Promise<void> {
  const found = await store.queryWriter(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'",
  );
  if (found.length > 0) return;
  const [versions] = expand(
    `CREATE TABLE IF NOT EXISTS schema_migrations \${on_cluster}
     (number UInt32, file String, applied_at DateTime64(3, 'UTC')) ENGINE = \${ReplacingMergeTree} ORDER BY number`,
    cluster,
  );
  await store.command(versions!);
}
