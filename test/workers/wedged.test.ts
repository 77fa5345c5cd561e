import { afterAll, beforeAll, expect, test } from 'vitest';
import { Batch, encodeBatch } from '../../ingest/batch.ts';
import { createLogger } from '../../ingest/logger.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import type { Activity } from '../../workers/consume.ts';
import { ConsumerWatch } from '../../workers/consumer-watch.ts';
import { batchesWaiting, oldestBatchSeconds } from '../../workers/metrics.ts';
import { ClickHouseHttp } from '../support/clickhouse-http.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { type PartProcess, startPart } from '../support/process.ts';
import { RedisServer } from '../support/redis-server.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Red within a minute, and some time for a busy machine. */
const RED_TIMEOUT_MS = 90_000;

let redis: RedisServer;
let store: ClickHouseHttp;
let proxy: FaultProxy;
let worker: PartProcess;

beforeAll(async () => {
  redis = await RedisServer.create(tempFolder());
  await redis.start(67_108_864);
  store = new ClickHouseHttp(tempFolder());
  await store.start();
  proxy = new FaultProxy(() => Number(new URL(store.url).port));
  await proxy.start();
  worker = await startPart('worker', {
    REDIS_URL: redis.url,
    CLICKHOUSE_URL: proxy.url,
    KEYTALLY_DATA_DIR: tempFolder(),
  });
});
afterAll(async () => {
  worker.child.kill('SIGKILL');
  await proxy.stop();
  await store.stop();
  store.close();
  await redis.stop();
});

async function enqueue(count: number): Promise<void> {
  const batch = new Batch();
  batch.add(
    {
      ...{ keyId: 'k', timestampMs: Date.now(), method: 'GET', path: '/a', route: '/a', status: 200, latencyMs: 1 },
      ...{ requestBytes: 0, responseBytes: 0, ip: '', country: '', userAgent: '', requestId: '', service: '' },
      ...{ environment: '', rateLimited: false, error: '' },
    },
    '',
  );
  const connection = await connectRedis(redis.url, 'producer', () => {});
  const queue = openBatchQueue(connection, 0);
  const payload = await encodeBatch(batch);
  for (let n = 0; n < count; n++) {
    await queue.add(
      'batch',
      { rows: 1, claims: [], receivedAtMs: Date.now(), payload },
      { jobId: `wedge-${Date.now()}-${n}` },
    );
  }
  await queue.close();
  connection.disconnect();
}

async function readiness(): Promise<{ status: number; failing: Record<string, string> }> {
  const response = await fetch(`${worker.url}/readyz`);
  return { status: response.status, failing: ((await response.json()) as { failing: Record<string, string> }).failing };
}

test('a store that takes inserts and never answers: reads go on, but the consumer turns red and back', async () => {
  expect((await readiness()).status).toBe(200);
  await proxy.set({ kind: 'hang_inserts' });
  const startedAt = performance.now();
  await enqueue(5);
  await expect
    .poll(async () => (await readiness()).failing, { timeout: RED_TIMEOUT_MS, interval: 500 })
    .toEqual({
      consumer: expect.stringContaining('batches wait'),
    });
  console.info(`/readyz turned red after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  await proxy.set({ kind: 'pass' });
  await expect.poll(async () => (await readiness()).status, { timeout: RED_TIMEOUT_MS, interval: 500 }).toBe(200);
}, 240_000);

test('a process that is stopped does not say that it is ready', async () => {
  worker.child.kill('SIGSTOP');
  await expect(fetch(`${worker.url}/readyz`, { signal: AbortSignal.timeout(2_000) })).rejects.toThrow();
  worker.child.kill('SIGCONT');
  await expect.poll(async () => (await readiness()).status).toBe(200);
});

const figureOf = async (gauge: typeof batchesWaiting) => (await gauge.get()).values[0]!.value;

test('batches that nobody takes: the watch sees it by the queue alone', async () => {
  const server = await RedisServer.create(tempFolder());
  await server.start(67_108_864);
  const connection = await connectRedis(server.url, 'producer', () => {});
  const queue = openBatchQueue(connection, 0);
  const activity: Activity = { own: 0, finished: 3 };
  const watch = new ConsumerWatch(connection, [activity], createLogger({ LOG_LEVEL: 'silent' }, 'test'));
  const now = Date.now();
  await watch.look(now);
  await watch.look(now + 60_000);
  expect(watch.problem(now + 60_000)).toBeUndefined();
  await queue.add('batch', { rows: 1, claims: [], receivedAtMs: now, payload: '' }, { jobId: 'nobody-takes-it' });
  for (const seconds of [61, 66, 106]) await watch.look(now + seconds * 1_000);
  expect(watch.problem(now + 106_000)).toContain('45 s');
  activity.finished++;
  await watch.look(now + 110_000);
  expect(watch.problem(now + 110_000)).toBeUndefined();
  expect([await figureOf(batchesWaiting), await figureOf(oldestBatchSeconds)]).toEqual([1, expect.any(Number)]);
  await server.stop();
  await watch.look();
  expect([await figureOf(batchesWaiting), await figureOf(oldestBatchSeconds)]).toEqual([Number.NaN, Number.NaN]);
  await watch.close();
  await queue.close();
  connection.disconnect();
});
