import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { type Config, ConfigError } from '../ingest/config.ts';
import { openBatchQueue } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';
import { type RedisLine, redisLines, restoreRedisLine } from './backup-redis.ts';
import { holdBatches } from './batch-hold.ts';
import { migrate } from './clickhouse/migrate.ts';
import type { Store } from './clickhouse/store.ts';

/** Description of a backup; written last, so that a folder without it is no backup. */
interface Manifest {
  format: 1;
  createdAt: string;
  /** Number of the newest migration. */
  schema: number;
  tables: { table: string; rows: number; files: BackupFile[] }[];
  redis: BackupFile;
}

interface BackupFile {
  file: string;
  sha256: string;
}

export interface BackupParts {
  config: Config;
  store: Store;
  redis: Redis;
  say: (line: string) => void;
}

export interface RestoreSummary {
  rows: number;
  tables: number;
  keys: number;
  queued: number;
  countedAlready: number;
}

const FORMAT = 1;
const MANIFEST = 'manifest.json';
const REDIS_FILE = 'redis.ndjson.gz';
/** Raw rows feed the views; they come back without them, because the rollups come back themselves. */
const RAW = 'requests';
const STAGING = 'restored_requests';

/**
 * Writes everything to a new folder. Workers stand still meanwhile, collectors do not: batches wait in Redis.
 * @throws {ConfigError} when the folder holds something, or the tables are on a cluster
 */
export async function backup({ config, store, redis, say }: BackupParts, folder: string): Promise<Manifest> {
  refuseCluster(config);
  const target = resolve(folder);
  if (existsSync(target) && readdirSync(target).length > 0) throw new ConfigError(`${target}: is not empty`);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  const queues = openQueues(redis, config);
  try {
    return await holdBatches(redis, queues, async () => {
      const tables: Manifest['tables'] = [];
      for (const table of await tablesOf(store)) {
        const saved = await saveTable(store, table, target);
        say(`${table.name}: ${saved.rows} rows`);
        tables.push(saved);
      }
      const lines = redisLines(redis, queues);
      const text = Readable.from(mapped(lines, (line) => `${JSON.stringify(line)}\n`));
      await pipeline(text, createGzip(), createWriteStream(join(target, REDIS_FILE), { mode: 0o600 }));
      const manifest: Manifest = {
        format: FORMAT,
        createdAt: new Date().toISOString(),
        schema: await schemaOf(store),
        tables,
        redis: await described(target, REDIS_FILE),
      };
      writeFileSync(join(target, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
      return manifest;
    });
  } finally {
    for (const queue of queues) await queue.close();
  }
}

/**
 * Brings a backup into an empty store, under the schema it was written with, and then brings the schema up to date.
 * @throws {ConfigError} when the folder is no whole backup, or the store holds something
 */
export async function restore({ config, store, redis, say }: BackupParts, folder: string): Promise<RestoreSummary> {
  refuseCluster(config);
  const source = resolve(folder);
  const manifest = await checkedManifest(source);
  await refuseFilled(store);
  await migrate(store, config, manifest.schema);
  const present = new Map((await tablesOf(store)).map((table) => [table.name, table]));
  let rows = 0;
  for (const { table, rows: expected, files } of manifest.tables) {
    await loadTable(
      store,
      table,
      files.map(({ file }) => join(source, file)),
    );
    const loaded = await countOf(store, present.get(table)!);
    if (loaded !== expected) throw new ConfigError(`${table}: ${loaded} rows came back of ${expected}`);
    say(`${table}: ${loaded} rows`);
    rows += loaded;
  }
  await migrate(store, config);
  const summary: RestoreSummary = { rows, tables: manifest.tables.length, keys: 0, queued: 0, countedAlready: 0 };
  const queues = openQueues(redis, config);
  const input = createReadStream(join(source, REDIS_FILE)).pipe(createGunzip());
  for await (const line of createInterface({ input })) {
    const outcome = await restoreRedisLine(JSON.parse(line) as RedisLine, { redis, queues, store });
    summary[outcome === 'key' ? 'keys' : outcome === 'queued' ? 'queued' : 'countedAlready']++;
  }
  for (const queue of queues) await queue.close();
  return summary;
}

function refuseCluster(config: Config): void {
  if (config.CLICKHOUSE_CLUSTER) {
    throw new ConfigError("CLICKHOUSE_CLUSTER: a cluster is backed up with ClickHouse's own BACKUP … ON CLUSTER");
  }
}

const openQueues = (redis: Redis, config: Config) =>
  Array.from({ length: config.INGEST_SHARDS }, (_, shard) => openBatchQueue(redis, shard));

interface Table {
  name: string;
  /** How its rows are counted: merges fold rows of one key together at any moment, and FINAL counts them folded. */
  counted: string;
}

/** Tables that hold rows. Views are part of the schema. */
async function tablesOf(store: Store): Promise<Table[]> {
  const rows = await store.queryWriter<{ name: string; engine: string }>(
    `SELECT name, engine FROM system.tables WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree')
       AND name NOT IN ('schema_migrations', '${STAGING}') ORDER BY name`,
  );
  return rows.map(({ name, engine }) => ({ name, counted: engine === 'MergeTree' ? name : `${name} FINAL` }));
}

async function schemaOf(store: Store): Promise<number> {
  const [row] = await store.queryWriter<{ newest: number }>('SELECT max(number) AS newest FROM schema_migrations');
  return row!.newest;
}

async function countOf(store: Store, { counted }: Table): Promise<number> {
  const [row] = await store.queryWriter<{ n: number }>(`SELECT count() AS n FROM ${counted}`);
  return row!.n;
}

/** One file per partition: each is written in one go, and none grows without bound. */
async function saveTable(store: Store, table: Table, target: string): Promise<Manifest['tables'][number]> {
  const { name } = table;
  const partitions = await store.queryWriter<{ id: string }>(
    `SELECT DISTINCT _partition_id AS id FROM ${name} ORDER BY id`,
  );
  const files: BackupFile[] = [];
  for (const { id } of partitions) {
    const file = `${name}.${id}.native.gz`;
    await store.exportNative(`SELECT * FROM ${name} WHERE _partition_id = '${id}'`, join(target, file));
    files.push(await described(target, file));
  }
  return { table: name, rows: await countOf(store, table), files };
}

async function loadTable(store: Store, table: string, files: readonly string[]): Promise<void> {
  if (table !== RAW) {
    for (const file of files) await store.importNative(table, file);
    return;
  }
  await store.command(`DROP TABLE IF EXISTS ${STAGING}`);
  await store.command(`CREATE TABLE ${STAGING} AS ${RAW}`);
  for (const file of files) await store.importNative(STAGING, file);
  const partitions = await store.queryWriter<{ id: string }>(`SELECT DISTINCT _partition_id AS id FROM ${STAGING}`);
  for (const { id } of partitions)
    await store.command(`ALTER TABLE ${RAW} ATTACH PARTITION ID '${id}' FROM ${STAGING}`);
  await store.command(`DROP TABLE ${STAGING}`);
}

async function described(folder: string, file: string): Promise<BackupFile> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(folder, file)), hash);
  return { file, sha256: hash.digest('hex') };
}

/** @throws {ConfigError} naming the first file that is missing or was changed */
async function checkedManifest(source: string): Promise<Manifest> {
  const path = join(source, MANIFEST);
  if (!existsSync(path)) throw new ConfigError(`${source}: holds no whole backup (${MANIFEST} is missing)`);
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  if (manifest.format !== FORMAT) throw new ConfigError(`${path}: format ${manifest.format} needs a newer Keytally`);
  for (const { file, sha256 } of [...manifest.tables.flatMap((table) => table.files), manifest.redis]) {
    if (!existsSync(join(source, file))) throw new ConfigError(`${join(source, file)}: is missing`);
    if ((await described(source, file)).sha256 !== sha256) {
      throw new ConfigError(`${join(source, file)}: is not as it was written (its checksum differs)`);
    }
  }
  return manifest;
}

async function refuseFilled(store: Store): Promise<void> {
  for (const table of await tablesOf(store)) {
    const rows = await countOf(store, table);
    if (rows > 0)
      throw new ConfigError(`the store is not empty: ${table.name} holds ${rows} rows; restore into a new one`);
  }
}

async function* mapped<From, To>(source: AsyncIterable<From>, change: (from: From) => To): AsyncGenerator<To> {
  for await (const value of source) yield change(value);
}
