import { Acceptance } from './accept.ts';
import { ApiPaths } from './api-paths.ts';
import { BatchCleaner } from './clean-batch.ts';
import type { Config } from './config.ts';
import { Gatherer } from './gatherer.ts';
import { DirectIntake, type Intake } from './intake.ts';
import { KeyIndex } from './key-index.ts';
import type { Logger } from './logger.ts';
import { openBatchQueue } from './queue.ts';
import { connectRedis } from './redis.ts';
import { Replication } from './replication.ts';
import { RouteLimit } from './route-limit.ts';
import { SourceTally } from './source-tally.ts';

/** An intake with its connections. */
export interface IntakePart extends Intake {
  /** After the last request: hands what is gathered to Redis and disconnects. */
  close(): Promise<void>;
}

/**
 * An intake in this thread.
 * @throws {ConfigError} when Redis cannot be reached
 */
export async function startDirectIntake(config: Config, redisUrl: string, log: Logger): Promise<IntakePart> {
  const redis = await connectRedis(redisUrl, 'producer', (error) => log.warn({ err: error }, 'Redis connection'));
  const queues = Array.from({ length: config.INGEST_SHARDS }, (_, shard) => openBatchQueue(redis, shard));
  for (const queue of queues) queue.on('error', (error) => log.warn({ err: error }, 'queue'));
  const apiPaths = new ApiPaths(redis, log);
  await apiPaths.refresh();
  const cleaner = new BatchCleaner(new RouteLimit(config.ROUTES_PER_KEY), apiPaths);
  const replication = new Replication(redis, config.REDIS_WAIT_REPLICAS);
  const gatherer = new Gatherer(queues, replication, cleaner, config.INGEST_LINGER_MS, log);
  const sources = new SourceTally(redis);
  const intake = new DirectIntake({ config, acceptance: new Acceptance(new KeyIndex(redis)), gatherer, sources });
  return {
    take: (request) => intake.take(request),
    close: async () => {
      await gatherer.close();
      await sources.close();
      apiPaths.close();
      for (const queue of queues) await queue.close();
      redis.disconnect();
    },
  };
}
