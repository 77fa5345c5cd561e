/** One of several processes that evaluate alerts, in time that passes faster: to be killed in the middle of its work. */
import { parseConfig } from '../../../../ingest/config.ts';
import { createLogger } from '../../../../ingest/logger.ts';
import { connectRedis } from '../../../../ingest/redis.ts';
import { enqueueEvaluation, openEvaluationQueue } from '../../../../workers/alerts/evaluation/evaluation-queue.ts';
import { startEvaluation } from '../../../../workers/alerts/evaluation/evaluation-worker.ts';
import { openStore } from '../../../../workers/clickhouse/store.ts';

const [redisUrl, clickHouseUrl, ...times] = process.argv.slice(2) as [string, string, ...string[]];
const [startWallMs, startMs, speed, lastMs] = times.map(Number) as [number, number, number, number];
const NEVER = '0 0 1 1 *';
const config = parseConfig({
  CLICKHOUSE_URL: clickHouseUrl,
  LOG_LEVEL: 'error',
  ALERT_EVALUATION_CRON: NEVER,
  ALERT_LIMITS_CRON: NEVER,
  ALERT_SETTLE_SECONDS: '0',
});
const redis = await connectRedis(redisUrl, 'worker', () => {});
const connection = await connectRedis(redisUrl, 'worker', () => {});
const store = await openStore(config, '');
await startEvaluation({ config, store, redis, log: createLogger(config, 'test'), shards: [0] }, connection);
const queue = openEvaluationQueue(redis, 'buckets');
process.stdout.write('ready\n');
/** Every process ticks for the same slots, as every worker does. */
setInterval(() => {
  const nowMs = Math.min(lastMs, startMs + (Date.now() - startWallMs) * speed);
  enqueueEvaluation(queue, Math.floor(nowMs / 60_000) * 60_000).catch(() => {});
}, 60);
