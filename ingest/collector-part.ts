import type { Router } from 'express';
import { Acceptance } from './accept.ts';
import { ApiPaths } from './api-paths.ts';
import { BatchCleaner } from './clean-batch.ts';
import { collectorRouter } from './collector.ts';
import type { Config } from './config.ts';
import { Gatherer } from './gatherer.ts';
import type { ReadinessChecks } from './http-server.ts';
import { KeyIndex } from './key-index.ts';
import type { Logger } from './logger.ts';
import { openBatchQueue } from './queue.ts';
import { connectRedis } from './redis.ts';
import { RedisHeadroom } from './redis-headroom.ts';
import { Replication } from './replication.ts';
import { RouteLimit } from './route-limit.ts';
import { SourceTally } from './source-tally.ts';
import { TokenReader } from './token.ts';

/** The collector, ready to be mounted on an HTTP server. */
export interface CollectorPart {
  router: Router;
  checks: ReadinessChecks;
  /** After the HTTP server took its last request: hands what is gathered to Redis and disconnects. */
  close(): Promise<void>;
}

/** @throws {ConfigError} when Redis cannot be reached */
export async function startCollector(config: Config, redisUrl: string, log: Logger): Promise<CollectorPart> {
  const redis = await connectRedis(redisUrl, 'producer', (error) => log.warn({ err: error }, 'Redis connection'));
  const queues = Array.from({ length: config.INGEST_SHARDS }, (_, shard) => openBatchQueue(redis, shard));
  for (const queue of queues) queue.on('error', (error) => log.warn({ err: error }, 'queue'));
  const apiPaths = new ApiPaths(redis, log);
  await apiPaths.refresh();
  const cleaner = new BatchCleaner(new RouteLimit(config.ROUTES_PER_KEY), apiPaths);
  const gatherer = new Gatherer(
    queues,
    new Replication(redis, config.REDIS_WAIT_REPLICAS),
    cleaner,
    config.INGEST_LINGER_MS,
    log,
  );
  const headroom = new RedisHeadroom(redis);
  await headroom.refresh();
  const acceptance = new Acceptance(new KeyIndex(redis));
  const tokens = new TokenReader(redis);
  const sources = new SourceTally(redis);
  return {
    router: collectorRouter({ config, tokens, acceptance, gatherer, headroom, sources }),
    checks: {
      redis: async () => ((await redis.ping()) === 'PONG' ? undefined : 'Redis does not answer'),
      queue: async () => (headroom.hasRoom ? undefined : 'Redis is near its memory limit'),
    },
    close: async () => {
      await gatherer.close();
      headroom.close();
      await sources.close();
      apiPaths.close();
      for (const queue of queues) await queue.close();
      redis.disconnect();
    },
  };
}
