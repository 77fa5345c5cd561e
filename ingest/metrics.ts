import { isMainThread } from 'node:worker_threads';
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Metrics of this process; every part adds its own. Labels are registered at zero, so absence never looks like calm. */
export const metrics = new Registry();
if (isMainThread) collectDefaultMetrics({ register: metrics });

/** What an intake counts, in whichever thread it works: {@link metricsText} adds them up. */
export const ingestMetrics = new Registry();

/** Metrics of a registry as they pass between threads. */
export type ToldMetrics = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

const tellers = new Set<() => Promise<ToldMetrics[]>>();

/** Adds what other threads of this process count. @returns takes it back */
export function tellMetricsOf(threads: () => Promise<ToldMetrics[]>): () => void {
  tellers.add(threads);
  return () => void tellers.delete(threads);
}

export const METRICS_TYPE = metrics.contentType;

/** All metrics of this process, in the text format of Prometheus. */
export async function metricsText(): Promise<string> {
  const told = await Promise.all([...tellers].map((tell) => tell()));
  const ingest = AggregatorRegistry.aggregate([await ingestMetrics.getMetricsAsJSON(), ...told.flat()]);
  return `${await metrics.metrics()}\n${await ingest.metrics()}`;
}

const registers = [ingestMetrics];

export const recordsReceived = new Counter({
  name: 'keytally_ingest_records_total',
  help: 'Records received, by outcome',
  labelNames: ['outcome'] as const,
  registers,
});
for (const outcome of ['accepted', 'rejected', 'refused_overload', 'refused_redis'])
  recordsReceived.inc({ outcome }, 0);

export const routesFolded = new Counter({
  name: 'keytally_ingest_routes_folded_total',
  help: 'Records whose route was counted as (other) because its key reached ROUTES_PER_KEY',
  registers,
});

export const batchesQueued = new Counter({
  name: 'keytally_ingest_batches_total',
  help: 'Batches handed to Redis',
  registers,
});

export const batchRows = new Histogram({
  name: 'keytally_ingest_batch_rows',
  help: 'Rows per batch',
  buckets: [1, 10, 100, 1_000, 5_000, 20_000, 50_000],
  registers,
});

export const writesUnreplicated = new Counter({
  name: 'keytally_redis_unreplicated_writes_total',
  help: 'Batches and claims that Redis took while the replicas to wait for were away',
  registers,
});

export const ready = new Gauge({
  name: 'keytally_ready',
  help: 'What /readyz says: 1 when a check of this process is well, 0 when it fails; asked anew at each scrape',
  labelNames: ['check'] as const,
  registers: [metrics],
});

export const redisMemory = new Gauge({
  name: 'keytally_redis_memory_used_ratio',
  help: 'used_memory / maxmemory of Redis as last seen, of the fullest node of a cluster; 0 when Redis has no limit',
  registers: [metrics],
});
