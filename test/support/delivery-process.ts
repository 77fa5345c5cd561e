import { parseConfig } from '../../ingest/config.ts';
import { createLogger } from '../../ingest/logger.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { deliverySettings } from '../../workers/alerts/delivery/delivery-parts.ts';
import { startDelivery } from '../../workers/alerts/delivery/delivery-worker.ts';
import { openStore } from '../../workers/clickhouse/store.ts';
import { openBox, plainSender } from './plain-sender.ts';

/** Delivery as a process of its own, for tests that kill it. Settings that differ from the usual come as JSON. */
const config = parseConfig(process.env);
const log = createLogger(config, 'delivery');
const connect = () => connectRedis(config.REDIS_URL!, 'worker', () => {});
const settings = { ...deliverySettings(config), ...JSON.parse(process.env.DELIVERY_SETTINGS ?? '{}') };
const store = await openStore(config, '');
const redis = await connect();
startDelivery({ store, redis, sender: plainSender, box: openBox, log, settings }, await connect());
process.stdout.write('ready\n');
