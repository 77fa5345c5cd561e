import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { createLogger } from '../../ingest/logger.ts';
import type { Redis } from '../../ingest/redis.ts';
import { connectRedis } from '../../ingest/redis.ts';
import type { AlertEvent } from '../../workers/alerts/alert.ts';
import type { ChannelSender } from '../../workers/alerts/channels/channel.ts';
import { type Channel, type ChannelFields, Channels } from '../../workers/alerts/delivery/channels.ts';
import type { Delivery } from '../../workers/alerts/delivery/deliveries.ts';
import {
  type DeliveryParts,
  type DeliverySettings,
  deliveryParts,
  deliverySettings,
} from '../../workers/alerts/delivery/delivery-parts.ts';
import { type DeliveryWorker, startDelivery } from '../../workers/alerts/delivery/delivery-worker.ts';
import { type DeliveryJob, handOver, openDeliveryQueue } from '../../workers/alerts/outbox.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import { writeAlertEvents } from './alert-events.ts';
import { DeliveryReceiver } from './delivery-receiver.ts';
import { migratedStore } from './migrated-store.ts';
import { openBox, plainSender } from './plain-sender.ts';
import { RedisServer } from './redis-server.ts';
import { testConfig } from './stack.ts';
import { tempFolder } from './temp-folder.ts';

/** Times of tests: an hour of the retry table is some milliseconds. */
const QUICK: Partial<DeliverySettings> = {
  waits: { normalMs: 300, soonMs: 100, urgentMs: 50 },
  settleMs: 500,
  relayCron: '* * * * * *',
  digestCron: '0 0 1 1 *',
  lockMs: 2_000,
};

/** Delivery alone: a real Redis, the embedded engine, a real HTTP receiver. */
export interface DeliveryStack {
  store: Store;
  redis: Redis;
  queue: Queue<DeliveryJob>;
  receiver: DeliveryReceiver;
  parts: DeliveryParts;
  worker: DeliveryWorker;
  /** A webhook channel to a path of the receiver. */
  channel(path: string, fields?: Partial<ChannelFields>): Promise<Channel>;
  /** Stores events and hands them over, as the evaluation does. */
  tell(events: readonly AlertEvent[]): Promise<void>;
  deliveries(): Promise<Delivery[]>;
  /** Another process' worth of workers on the same Redis and store. */
  another(): Promise<DeliveryWorker>;
  close(): Promise<void>;
}

export async function startDeliveryStack(
  settings: Partial<DeliverySettings> = {},
  sender: ChannelSender = plainSender,
): Promise<DeliveryStack> {
  const config = testConfig();
  const server = await RedisServer.create(tempFolder());
  await server.start(268_435_456);
  const store = await migratedStore(config);
  const connect = () => connectRedis(server.url, 'worker', () => {});
  const redis = await connect();
  const queue = openDeliveryQueue(redis);
  const receiver = await DeliveryReceiver.start();
  const log = createLogger(config, 'test');
  const merged = { ...deliverySettings(config), ...QUICK, ...settings };
  const options = { store, redis, sender, box: openBox, log, settings: merged };
  const connections: Redis[] = [];
  const workers: DeliveryWorker[] = [];
  const another = async () => {
    const connection = await connect();
    connections.push(connection);
    const worker = startDelivery(options, connection);
    workers.push(worker);
    return worker;
  };
  return {
    store,
    redis,
    queue,
    receiver,
    parts: deliveryParts({ ...options, queue }),
    worker: await another(),
    another,
    channel: (path, fields) => new Channels(store).create(randomUUID(), channelFields(receiver.url + path, fields)),
    tell: async (events) => {
      await writeAlertEvents(store, events);
      await handOver(queue, events);
    },
    deliveries: () => store.queryWriter<Delivery>('SELECT * FROM deliveries FINAL ORDER BY created_at, delivery_id'),
    close: async () => {
      for (const worker of workers) await worker.close();
      await queue.close();
      for (const connection of [...connections, redis]) connection.disconnect();
      await receiver.close();
      await store.close();
      await server.stop();
    },
  };
}

export function channelFields(url: string, fields: Partial<ChannelFields> = {}): ChannelFields {
  return {
    organization_id: 'acme',
    name: 'test',
    type: 'webhook',
    purpose: 'alerts',
    enabled: true,
    settings: { url },
    secrets: '',
    routing: {},
    disabled_reason: '',
    ...fields,
  };
}
