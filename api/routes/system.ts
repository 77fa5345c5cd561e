import { z } from 'zod';
import { REFUSE_ABOVE_RATIO } from '../../ingest/redis-headroom.ts';
import { readQueueHealth } from '../queries/queue-health.ts';
import { readRedisHealth } from '../queries/redis-health.ts';
import { readStoreHealth } from '../queries/store-health.ts';
import { route } from '../route.ts';
import { programVersion } from '../version.ts';

const bytes = z.number().int();

export const getSystem = route({
  method: 'get',
  path: '/v1/system',
  scope: 'admin',
  reach: 'platform',
  summary: 'Health of the installation: how far counting is behind, memory, sizes, versions, retention',
  response: z.object({
    now: z.iso.datetime(),
    version: z.string(),
    node_version: z.string(),
    process_started_at: z.iso.datetime(),
    pipeline: z.object({
      waiting_batches: z.number().int(),
      failed_batches: z.number().int(),
      lag_ms: z.number().describe('how long the batch that is next has been waiting; 0 = nothing waits'),
      paused: z.boolean(),
      last_received_at: z.iso.datetime().nullable().describe('newest record counted in the last day'),
      waiting_dead_letters: z.number().int(),
    }),
    redis: z.object({
      version: z.string(),
      used_memory_bytes: bytes,
      max_memory_bytes: bytes.describe('0 = no limit; on a cluster both are sums of all masters'),
      used_ratio: z.number().describe('of the fullest master'),
      refuses_above_ratio: z.number().describe('the collector answers 503 above this share'),
      appendonly: z.boolean(),
    }),
    store: z.object({
      engine: z.enum(['embedded', 'server']),
      version: z.string(),
      bytes,
      tables: z.array(z.object({ table: z.string(), rows: z.number().int(), bytes, parts: z.number().int() })),
    }),
    geo: z.object({ built_at: z.iso.datetime().nullable() }),
    retention_days: z.object({
      requests: z.number().int(),
      minute: z.number().int(),
      quarter_hour: z.number().int(),
      day: z.number().int(),
    }),
  }),
  handle: async ({ parts }) => {
    const { config, store, geoBuiltAt } = parts;
    const batches = parts.jobQueues.filter(({ name }) => name.startsWith('batches'));
    const [redis, stored, queues, letters] = await Promise.all([
      readRedisHealth(parts.redis),
      readStoreHealth(store, config),
      Promise.all(batches.map(({ name, queue }) => readQueueHealth(parts.redis, name, queue))),
      store.query<{ waiting: number }>("SELECT count() AS waiting FROM dead_letters FINAL WHERE outcome = 'waiting'"),
    ]);
    const sum = (field: 'waiting' | 'active' | 'failed') => queues.reduce((total, queue) => total + queue[field], 0);
    return {
      now: new Date().toISOString(),
      version: programVersion(),
      node_version: process.versions.node,
      process_started_at: new Date(Date.now() - process.uptime() * 1000).toISOString(),
      pipeline: {
        waiting_batches: sum('waiting') + sum('active'),
        failed_batches: sum('failed'),
        lag_ms: Math.max(...queues.map((queue) => queue.oldest_waiting_ms)),
        paused: queues.some((queue) => queue.paused),
        last_received_at: stored.last_received_at,
        waiting_dead_letters: letters[0]?.waiting ?? 0,
      },
      redis: { ...redis, refuses_above_ratio: REFUSE_ABOVE_RATIO },
      store: {
        engine: store.embedded ? ('embedded' as const) : ('server' as const),
        version: stored.version,
        bytes: stored.tables.reduce((total, table) => total + table.bytes, 0),
        tables: stored.tables,
      },
      geo: { built_at: geoBuiltAt()?.toISOString() ?? null },
      retention_days: {
        requests: config.RETENTION_REQUESTS_DAYS,
        minute: config.RETENTION_MINUTE_DAYS,
        quarter_hour: config.RETENTION_QUARTER_HOUR_DAYS,
        day: config.RETENTION_DAY_DAYS,
      },
    };
  },
});
