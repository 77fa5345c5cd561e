import type { Router } from 'express';
import { collectorRouter } from './collector.ts';
import type { Config } from './config.ts';
import type { ReadinessChecks } from './http-server.ts';
import type { IntakePart } from './intake-part.ts';
import type { Logger } from './logger.ts';
import { checkWrites, connectRedis } from './redis.ts';
import { RedisHeadroom } from './redis-headroom.ts';
import { TokenReader } from './token.ts';

/** The collector, ready to be mounted on an HTTP server. */
export interface CollectorPart {
  router: Router;
  checks: ReadinessChecks;
  /** After the HTTP server took its last request: hands what is gathered to Redis and disconnects. */
  close(): Promise<void>;
}

/**
 * @param onCrash something ended without which the collector takes no records
 * @throws {ConfigError} when Redis cannot be reached
 */
export async function startCollector(
  config: Config,
  redisUrl: string,
  log: Logger,
  onCrash: (error: unknown) => void,
): Promise<CollectorPart> {
  const redis = await connectRedis(redisUrl, 'producer', (error) => log.warn({ err: error }, 'Redis connection'));
  const headroom = new RedisHeadroom(redis);
  await headroom.refresh();
  const intake = await startIntake(config, redisUrl, log, onCrash);
  return {
    router: collectorRouter({ config, tokens: new TokenReader(redis), headroom, intake }),
    checks: {
      redis: () => checkWrites(redis),
      queue: async () => (headroom.hasRoom ? undefined : 'Redis is near its memory limit'),
    },
    close: async () => {
      await intake.close();
      headroom.close();
      redis.disconnect();
    },
  };
}

/** Loads one or the other: beside threads, this one needs neither batches nor their queue. */
async function startIntake(
  config: Config,
  redisUrl: string,
  log: Logger,
  onCrash: (error: unknown) => void,
): Promise<IntakePart> {
  if (config.INGEST_THREADS > 0) {
    const { startThreadedIntake } = await import('./threaded-intake.ts');
    return startThreadedIntake(config, redisUrl, onCrash);
  }
  const { startDirectIntake } = await import('./intake-part.ts');
  return startDirectIntake(config, redisUrl, log);
}
