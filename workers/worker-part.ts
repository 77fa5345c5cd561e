import type { Config } from '../ingest/config.ts';
import type { ReadinessChecks } from '../ingest/http-server.ts';
import type { Logger } from '../ingest/logger.ts';
import type { Redis } from '../ingest/redis.ts';
import { checkWrites, connectRedis } from '../ingest/redis.ts';
import { Replication } from '../ingest/replication.ts';
import { createSender } from './alerts/channels/send.ts';
import { secretBox } from './alerts/delivery/channels.ts';
import { deliverySettings } from './alerts/delivery/delivery-parts.ts';
import { startDelivery } from './alerts/delivery/delivery-worker.ts';
import { usableSecretKeys } from './alerts/delivery/secret-keys.ts';
import { startEvaluation } from './alerts/evaluation/evaluation-worker.ts';
import { haveMergesStandBack } from './clickhouse/merge-priority.ts';
import { migrate } from './clickhouse/migrate.ts';
import { applyRetention } from './clickhouse/retention.ts';
import type { Store } from './clickhouse/store.ts';
import { startConsumers } from './consume.ts';
import { ConsumerWatch } from './consumer-watch.ts';
import { rebuildEdgeIndex, startEdgeIndexWatch } from './edge-index.ts';
import { startHealthGauges } from './health-gauges.ts';
import { startLifecycle } from './keys/lifecycle-worker.ts';
import { Registry } from './keys/registry.ts';
import type { BatchOpener } from './opened-batch.ts';
import { shardsInUse } from './shards-in-use.ts';
import { stopInTime } from './stop-in-time.ts';
import { Tokens } from './tokens.ts';

/** The whole program has 30 s to stop (main.ts); collector and store need some of it. */
const STOP_LIMIT_MS = 20_000;

export interface WorkerPart {
  /** Token of the first administrator, made by this start; to be shown once. */
  firstToken: string | undefined;
  /** When the country data in use was built. */
  geoBuiltAt(): Date;
  checks: ReadinessChecks;
  /** Finishes the batches under way, then disconnects from Redis. The store stays open. */
  close(): Promise<void>;
}

export interface WorkerOptions {
  config: Config;
  redisUrl: string;
  store: Store;
  log: Logger;
  /** This program does not fit the store and must stop. */
  onCrash: (error: unknown) => void;
}

/**
 * Prepares schema, tokens and index, then starts taking batches.
 * @throws {ConfigError} when Redis, the schema or the country data cannot be used
 */
export async function startWorker({ config, redisUrl, store, log, onCrash }: WorkerOptions): Promise<WorkerPart> {
  const warn = (error: Error) => log.warn({ err: error }, 'Redis connection');
  const opener = await startOpener(config, log, onCrash);
  const redis = await connectRedis(redisUrl, 'worker', warn);
  const connection = await connectRedis(redisUrl, 'worker', warn);
  const replication = new Replication(redis, config.REDIS_WAIT_REPLICAS);
  const firstToken = await prepare(config, store, redis);
  const keys = usableSecretKeys(config);
  const delivery = startDelivery(
    {
      store,
      redis,
      sender: createSender(config, log, keys),
      box: secretBox(keys),
      log,
      settings: deliverySettings(config),
    },
    connection,
  );
  const shards = await shardsToTake(redis, config, log);
  const consumers = startConsumers({ store, redis, replication, opener, log }, { config, shards, connection, onCrash });
  const watch = new ConsumerWatch(
    redis,
    consumers.map(({ activity }) => activity),
    log,
    shards,
  );
  const gauges = startHealthGauges(store, redis, log);
  const index = startEdgeIndexWatch(store, redis, log);
  const lifecycle = startLifecycle({ config, registry: new Registry(store, redis), redis, log, shards }, connection);
  const evaluation = await startEvaluation({ config, store, redis, log, shards }, connection);
  return {
    firstToken,
    geoBuiltAt: () => opener.geoBuiltAt,
    checks: {
      consumer: async () =>
        consumers.every(({ worker }) => worker.isRunning()) ? watch.problem() : 'a consumer has stopped',
      delivery: async () => (delivery.isRunning() ? undefined : 'messages are not delivered'),
      lifecycle: async () => (lifecycle.isRunning() ? undefined : 'expiries and sweeps have stopped'),
      alerts: async () => (evaluation.isRunning() ? undefined : 'the evaluation of alerts has stopped'),
      redis: () => checkWrites(redis),
      clickhouse: async () => ((await store.ping()) ? undefined : 'ClickHouse does not answer'),
    },
    close: async () => {
      const parts = Object.fromEntries(consumers.map(({ worker, shard }) => [`batches ${shard}`, worker]));
      await stopInTime({ ...parts, lifecycle, evaluation, delivery }, STOP_LIMIT_MS, log);
      await opener.close();
      gauges.close();
      index.close();
      await watch.close();
      connection.disconnect();
      redis.disconnect();
    },
  };
}

/** Loads one or the other, as the collector does with its intake. */
async function startOpener(config: Config, log: Logger, onCrash: (error: unknown) => void): Promise<BatchOpener> {
  if (config.WORKER_THREADS > 0) {
    const { startThreadedOpener } = await import('./threaded-opener.ts');
    return startThreadedOpener(config, onCrash);
  }
  const { startDirectOpener } = await import('./direct-opener.ts');
  return startDirectOpener(config, log);
}

async function shardsToTake(redis: Redis, config: Config, log: Logger): Promise<number[]> {
  const shards = await shardsInUse(redis, config.INGEST_SHARDS);
  const beyond = shards.slice(config.INGEST_SHARDS);
  if (beyond.length > 0)
    log.warn({ shards: beyond }, 'batches lie in shards beyond INGEST_SHARDS; this worker takes them until it stops');
  return shards;
}

/** Few have such a file: only they load what reads YAML. */
async function applyRulesOf(path: string, store: Store): Promise<void> {
  const { readRuleFile } = await import('./alerts/rules/rule-file.ts');
  const { applyRules } = await import('./alerts/rules/apply-rules.ts');
  await applyRules(store, readRuleFile(path));
}

async function prepare(config: Config, store: Store, redis: Redis): Promise<string | undefined> {
  await migrate(store, config);
  if (store.embedded) haveMergesStandBack();
  await applyRetention(store, config);
  if (config.ALERTS_FILE) await applyRulesOf(config.ALERTS_FILE, store);
  await rebuildEdgeIndex(store, redis);
  return new Tokens(store, redis).ensureAdmin(config.KEYTALLY_ADMIN_TOKEN);
}
