import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Queue } from 'bullmq';
import type { Config } from '../ingest/config.ts';
import { ConfigError } from '../ingest/config-error.ts';
import { type BatchJob, openBatchQueue } from '../ingest/queue.ts';
import type { Redis } from '../ingest/redis.ts';
import { type BackupFile, type BackupPlace, openBackupPlace } from './backup-place.ts';
import { type RedisLine, redisLines, restoreRedisLine } from './backup-redis.ts';
import { countOf, loadTable, type SavedTable, saveTable, tablesOf } from './backup-tables.ts';
import { holdBatches } from './batch-hold.ts';
import { migrate } from './clickhouse/migrate.ts';
import { applyRetention } from './clickhouse/retention.ts';
import type { Store } from './clickhouse/store.ts';
import { noteBackup } from './last-backup.ts';
import { shardsInUse } from './shards-in-use.ts';

/** Description of a backup; written last, so that a place without it holds no backup. */
interface Manifest {
  format: 1;
  createdAt: string;
  /** Number of the newest migration. */
  schema: number;
  tables: SavedTable[];
  redis: BackupFile;
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

/**
 * Writes everything to a new folder, or to an S3-compatible store. Workers stand still meanwhile, collectors do not: batches
 * wait in Redis.
 * @param address a folder, or `s3://bucket/prefix`
 * @throws {ConfigError} when the place holds something or cannot be used, another backup runs, or the tables are on a cluster
 */
export async function backup({ config, store, redis, say }: BackupParts, address: string): Promise<Manifest> {
  refuseCluster(config);
  const place = openBackupPlace(address, config);
  const queues = await openQueues(redis, config);
  try {
    await place.prepare();
    return await holdBatches(redis, queues, async (hold) => {
      const tables: Manifest['tables'] = [];
      for (const table of await tablesOf(store)) {
        const saved = await saveTable(store, table, place);
        say(`${table.name}: ${saved.rows} rows`);
        tables.push(saved);
      }
      const waiting = await place.save(REDIS_FILE, async (path) => {
        const text = Readable.from(mapped(redisLines(redis, queues), (line) => `${JSON.stringify(line)}\n`));
        await pipeline(text, createGzip(), createWriteStream(path, { mode: 0o600 }));
      });
      const manifest: Manifest = {
        format: FORMAT,
        createdAt: new Date().toISOString(),
        schema: await schemaOf(store),
        tables,
        redis: waiting,
      };
      await hold.confirm();
      await place.saveText(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
      await noteBackup(redis, Date.now());
      return manifest;
    });
  } finally {
    for (const queue of queues) await queue.close();
    place.close();
  }
}

/**
 * Brings a backup into an empty store, under the schema it was written with, and then brings the schema up to date.
 * @param address of the backup: a folder, or `s3://bucket/prefix`
 * @throws {ConfigError} when there is no whole backup, the store holds something, or a backup or another restore runs
 */
export async function restore(parts: BackupParts, address: string): Promise<RestoreSummary> {
  refuseCluster(parts.config);
  const place = openBackupPlace(address, parts.config);
  try {
    return await restoreFrom(parts, place);
  } finally {
    place.close();
  }
}

/** Under a hold: of two restores at once each would find the store empty, and its rows would be there twice. */
async function restoreFrom(parts: BackupParts, place: BackupPlace): Promise<RestoreSummary> {
  const manifest = await checkedManifest(place);
  const queues = await openQueues(parts.redis, parts.config);
  try {
    return await holdBatches(parts.redis, queues, async (hold) => {
      await refuseFilled(parts.store);
      await hold.confirm();
      const rows = await restoreTables(parts, place, manifest);
      return { rows, tables: manifest.tables.length, ...(await restoreRedis(parts, place, manifest, queues)) };
    });
  } finally {
    for (const queue of queues) await queue.close();
  }
}

/** @returns rows of all tables */
async function restoreTables({ config, store, say }: BackupParts, place: BackupPlace, manifest: Manifest) {
  await migrate(store, config, manifest.schema);
  // Before the rows: a part learns when it is to go as it is written, and one that is never merged would stay for good.
  await applyRetention(store, config);
  const present = new Map((await tablesOf(store)).map((table) => [table.name, table]));
  let rows = 0;
  for (const saved of manifest.tables) {
    const loaded = await loadTable(store, present.get(saved.table)!, saved, place);
    const more = loaded - saved.rows;
    say(`${saved.table}: ${loaded} rows${more > 0 ? `, ${more} more than the manifest says` : ''}`);
    rows += loaded;
  }
  await migrate(store, config);
  return rows;
}

async function restoreRedis(
  { redis, store, say }: BackupParts,
  place: BackupPlace,
  manifest: Manifest,
  queues: readonly Queue<BatchJob>[],
): Promise<Pick<RestoreSummary, 'keys' | 'queued' | 'countedAlready'>> {
  const summary = { keys: 0, queued: 0, countedAlready: 0 };
  await place.use(manifest.redis, async (path) => {
    for await (const line of createInterface({ input: createReadStream(path).pipe(createGunzip()) })) {
      const saved = JSON.parse(line) as RedisLine;
      const outcome = await restoreRedisLine(saved, { redis, queues, store });
      if (outcome === 'counted_already' && 'batchId' in saved) say(countedAlready(saved.batchId));
      summary[outcome === 'key' ? 'keys' : outcome === 'queued' ? 'queued' : 'countedAlready']++;
    }
  });
  return summary;
}

/** It may have waited because a view refused it, and a restored table cannot be asked to fill only what is missing. */
const countedAlready = (batchId: string) =>
  `batch ${batchId}: its rows are in requests and it is not queued; GET /v1/invariants says whether a rollup lacks them`;

function refuseCluster(config: Config): void {
  if (config.CLICKHOUSE_CLUSTER) {
    throw new ConfigError("CLICKHOUSE_CLUSTER: a cluster is backed up with ClickHouse's own BACKUP … ON CLUSTER");
  }
}

/** Those beyond INGEST_SHARDS as well: a restore spreads what waited over the shards that there are. */
const openQueues = async (redis: Redis, config: Config) =>
  (await shardsInUse(redis, config.INGEST_SHARDS)).map((shard) => openBatchQueue(redis, shard));

async function schemaOf(store: Store): Promise<number> {
  const [row] = await store.queryWriter<{ newest: number }>('SELECT max(number) AS newest FROM schema_migrations');
  return row!.newest;
}

/** @throws {ConfigError} naming the first file that is missing or was changed */
async function checkedManifest(place: BackupPlace): Promise<Manifest> {
  const text = await place.readText(MANIFEST);
  if (text === undefined) throw new ConfigError(`${place.name}: holds no whole backup (${MANIFEST} is missing)`);
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.format !== FORMAT) {
    throw new ConfigError(`${place.name}/${MANIFEST}: format ${manifest.format} needs a newer Keytally`);
  }
  await place.check([...manifest.tables.flatMap((table) => table.files), manifest.redis]);
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
