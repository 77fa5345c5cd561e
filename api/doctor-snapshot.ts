import { z } from 'zod';
import type { Config } from '../ingest/config.ts';
import { openBatchQueue } from '../ingest/queue.ts';
import { mastersOf, type Redis } from '../ingest/redis.ts';
import { storagePerTable } from '../workers/clickhouse/storage.ts';
import type { Store } from '../workers/clickhouse/store.ts';
import { oldestJobMs } from '../workers/oldest-job.ts';
import { shardsInUse } from '../workers/shards-in-use.ts';
import { diskSpace } from './queries/disk-space.ts';

const number = z.number();

/** The running system in figures, at one moment: what `keytally doctor` judges. */
export const DoctorSnapshot = z.object({
  at_ms: number,
  embedded: z.boolean(),
  requests_per_second: number.describe('mean of the last 15 minutes'),
  requests_per_day: number.describe('of the last 24 hours'),
  peak_per_second: number.describe('busiest minute of the last 24 hours'),
  keys: number.describe('used in the last 24 hours'),
  routes_per_key: number.describe('methods and routes of a key, mean of the last two UTC days'),
  redis: z.object({
    nodes: z.array(z.object({ name: z.string(), used_bytes: number, max_bytes: number, policy: z.string() })),
  }),
  queue: z.object({ waiting: number, active: number, failed: number, oldest_seconds: number, workers: number }),
  dead_letters: number.describe('rows that wait there'),
  disk: z.object({
    free_bytes: number.describe('of all shards, one replica of each, as the tables'),
    total_bytes: number,
    retention_days: z.object({ requests: number, minute: number, quarter_hour: number, day: number }),
    tables: z.array(
      z.object({
        table: z.string(),
        rows: number,
        bytes_on_disk: number,
        bytes_per_row: number,
        oldest_partition: z.string(),
        newest_partition: z.string(),
      }),
    ),
  }),
});
export type DoctorSnapshot = z.infer<typeof DoctorSnapshot>;

/** @throws what Redis or ClickHouse raise when they are away */
export async function takeSnapshot(config: Config, store: Store, redis: Redis): Promise<DoctorSnapshot> {
  const [traffic, nodes, queue, letters, disk] = await Promise.all([
    trafficOf(store),
    redisNodes(redis),
    queueOf(config, redis),
    store.query<{ rows: number }>("SELECT sum(rows) AS rows FROM dead_letters FINAL WHERE outcome = 'waiting'"),
    diskOf(config, store),
  ]);
  return {
    at_ms: Date.now(),
    embedded: store.embedded,
    ...traffic,
    redis: { nodes },
    queue,
    dead_letters: letters[0]?.rows ?? 0,
    disk,
  };
}

type Traffic = Pick<
  DoctorSnapshot,
  'requests_per_second' | 'requests_per_day' | 'peak_per_second' | 'keys' | 'routes_per_key'
>;

async function trafficOf(store: Store): Promise<Traffic> {
  const [day] = await store.query<Omit<Traffic, 'routes_per_key'>>(
    `SELECT sumIf(n, start >= now() - 900) / 900 AS requests_per_second, sum(n) AS requests_per_day,
            max(n) / 60 AS peak_per_second,
            (SELECT uniqCombined(key_id) FROM usage_quarter_hour WHERE start >= now() - 86400) AS keys
     FROM (SELECT start, sum(requests) AS n FROM usage_minute WHERE start >= now() - 86400 GROUP BY start)`,
  );
  const [routes] = await store.query<{ routes_per_key: number }>(
    `SELECT uniqCombined(key_id, method, route) / greatest(uniqCombined(key_id), 1) AS routes_per_key
     FROM endpoints_day WHERE start >= today() - 1`,
  );
  return { ...day!, routes_per_key: Math.max(1, routes!.routes_per_key) };
}

async function redisNodes(redis: Redis): Promise<DoctorSnapshot['redis']['nodes']> {
  return Promise.all(
    mastersOf(redis).map(async (node) => {
      const info = await node.info('memory');
      const field = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
      return {
        name: `${node.options.host}:${node.options.port}`,
        used_bytes: Number(field('used_memory')),
        max_bytes: Number(field('maxmemory')),
        policy: field('maxmemory_policy'),
      };
    }),
  );
}

async function queueOf(config: Config, redis: Redis): Promise<DoctorSnapshot['queue']> {
  const total = { waiting: 0, active: 0, failed: 0, oldest_seconds: 0, workers: 0 };
  for (const shard of await shardsInUse(redis, config.INGEST_SHARDS)) {
    const queue = openBatchQueue(redis, shard);
    const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed');
    const oldest = await oldestJobMs(redis, queue, ['wait', 'prioritized']);
    total.waiting += counts.waiting! + counts.prioritized! + counts.delayed!;
    total.active += counts.active!;
    total.failed += counts.failed!;
    if (oldest !== undefined) total.oldest_seconds = Math.max(total.oldest_seconds, (Date.now() - oldest) / 1000);
    // Some hosted Redis do not tell their clients: one worker is then assumed.
    total.workers = Math.max(total.workers, await queue.getWorkersCount().catch(() => 0));
    await queue.close();
  }
  return total;
}

async function diskOf(config: Config, store: Store): Promise<DoctorSnapshot['disk']> {
  return {
    ...(await diskSpace(store, config)),
    retention_days: {
      requests: config.RETENTION_REQUESTS_DAYS,
      minute: config.RETENTION_MINUTE_DAYS,
      quarter_hour: config.RETENTION_QUARTER_HOUR_DAYS,
      day: config.RETENTION_DAY_DAYS,
    },
    tables: await storagePerTable(store, config),
  };
}
