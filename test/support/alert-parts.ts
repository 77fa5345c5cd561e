import type { Queue } from 'bullmq';
import { parseConfig } from '../../ingest/config.ts';
import { startLocalRedis } from '../../ingest/local-redis.ts';
import { createLogger } from '../../ingest/logger.ts';
import { connectRedis } from '../../ingest/redis.ts';
import type { EvaluationParts } from '../../workers/alerts/evaluation/evaluate.ts';
import { type DeliveryJob, openDeliveryQueue } from '../../workers/alerts/outbox.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import { migratedStore } from './migrated-store.ts';
import { tempFolder } from './temp-folder.ts';

/** As the settings have it that nobody changed. */
export const ALERTS_KEPT_MS = parseConfig({}).RETENTION_ALERTS_DAYS * 86_400_000;

/** What alerts are judged with: a store with all tables and a queue for what is to be told, without the program around them. */
export interface AlertParts {
  store: Store;
  delivery: Queue<DeliveryJob>;
  alertsKeptMs: number;
  redisUrl: string;
  stop(): Promise<void>;
}

export async function startAlertParts(): Promise<AlertParts> {
  const server = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
  const redis = await connectRedis(server.url, 'worker', () => {});
  const [store, delivery] = [await migratedStore(parseConfig({})), openDeliveryQueue(redis)];
  return {
    store,
    delivery,
    alertsKeptMs: ALERTS_KEPT_MS,
    redisUrl: server.url,
    stop: async () => {
      await delivery.close();
      redis.disconnect();
      await server.stop();
      await store.close();
    },
  };
}

/** The same for an evaluation of windows in which nothing waits and everything has settled. */
export function settledParts({ store, delivery, alertsKeptMs }: AlertParts): EvaluationParts {
  const log = createLogger({ LOG_LEVEL: 'error' }, 'test');
  return { store, delivery, alertsKeptMs, log, oldestWaitingMs: async () => undefined, settleMs: 0 };
}
