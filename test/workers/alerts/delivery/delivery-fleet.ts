import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Queue } from 'bullmq';
import { connectRedis } from '../../../../ingest/redis.ts';
import type { DeliverySettings } from '../../../../workers/alerts/delivery/delivery-parts.ts';
import { type DeliveryJob, openDeliveryQueue } from '../../../../workers/alerts/outbox.ts';
import { migrate } from '../../../../workers/clickhouse/migrate.ts';
import { openStore, type Store } from '../../../../workers/clickhouse/store.ts';
import { builtModule } from '../../../support/built-module.ts';
import { ClickHouseHttp } from '../../../support/clickhouse-http.ts';
import { DeliveryReceiver } from '../../../support/delivery-receiver.ts';
import { RedisServer } from '../../../support/redis-server.ts';
import { testConfig } from '../../../support/stack.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

/** Delivery in processes of their own that can be killed; Redis, the store and the receiver outlive them. */
export interface DeliveryFleet {
  store: Store;
  queue: Queue<DeliveryJob>;
  receiver: DeliveryReceiver;
  /** Starts a process; resolves when it takes jobs. */
  start(): Promise<ChildProcess>;
  /** kill -9; resolves when the process is gone. */
  kill(child: ChildProcess): Promise<void>;
  close(): Promise<void>;
}

export async function startDeliveryFleet(settings: Partial<DeliverySettings>): Promise<DeliveryFleet> {
  const redisServer = await RedisServer.create(tempFolder());
  await redisServer.start(268_435_456);
  const engine = new ClickHouseHttp(join(tempFolder(), 'clickhouse'));
  await engine.start();
  const env = {
    PATH: process.env.PATH,
    REDIS_URL: redisServer.url,
    CLICKHOUSE_URL: engine.url,
    LOG_LEVEL: 'fatal',
    DELIVERY_SETTINGS: JSON.stringify(settings),
  };
  const config = testConfig({ REDIS_URL: redisServer.url, CLICKHOUSE_URL: engine.url });
  const store = await openStore(config, '');
  await migrate(store, config);
  const queue = openDeliveryQueue(await connectRedis(redisServer.url, 'worker', () => {}));
  const receiver = await DeliveryReceiver.start();
  const children: ChildProcess[] = [];
  let stopped = false;
  return {
    store,
    queue,
    receiver,
    start: () => {
      const child = spawn(process.execPath, [builtModule('test/support/delivery-process.ts')], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      return new Promise((resolve, reject) => {
        child.stdout!.once('data', () => resolve(child));
        child.once('exit', (code, signal) => {
          if (!stopped && signal !== 'SIGKILL') reject(new Error(`a delivery process ended with ${code}`));
        });
      });
    },
    kill: async (child) => {
      child.kill('SIGKILL');
      if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
    },
    close: async () => {
      stopped = true;
      for (const child of children) child.kill('SIGKILL');
      await queue.close();
      await receiver.close();
      await store.close();
      await engine.stop();
      engine.close();
      await redisServer.stop();
    },
  };
}
