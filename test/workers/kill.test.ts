import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../ingest/config.ts';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { openStore } from '../../workers/clickhouse/store.ts';
import { type PartProcess, startPart } from '../support/process.ts';
import { Random } from '../support/random.ts';
import { ADMIN_TOKEN, httpCall } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { ALL_TIERS, everyTier, tierCounts } from '../support/tiers.ts';
import { generateTraffic } from '../support/traffic.ts';

const KILLS = 20;
const RECORDS_PER_POST = 2_000;
const SEED = 20_261_120;
/** What is sent is of these minutes, so that the tables of the last days count it too. */
const COUNTED = [...ALL_TIERS, 'country_hours'];

let redis: LocalRedis;
let collector: PartProcess;
const folder = tempFolder();

beforeAll(async () => {
  redis = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
}, 120_000);
afterAll(async () => {
  collector?.child.kill('SIGKILL');
  await redis.stop();
});

const env = () => ({ REDIS_URL: redis.url, KEYTALLY_DATA_DIR: folder, KEYTALLY_ADMIN_TOKEN: ADMIN_TOKEN });

/** Records sent so far, counted by what the collector confirmed. */
let sent = 0;

async function sendBatch(random: Random): Promise<void> {
  const now = Date.now();
  const samples = generateTraffic(random, RECORDS_PER_POST, 7, now - 86_400_000, now);
  const answer = await httpCall(`${collector.url}/v1/requests`, { method: 'POST', body: samples });
  expect(answer.status).toBe(202);
  sent += answer.json.accepted;
}

test(`kill -9 of the worker ${KILLS} times in the middle of its work: every count in every tier is what was sent`, async () => {
  const random = new Random(SEED);
  let worker = await startPart('worker', env());
  collector = await startPart('ingest', env());
  for (let kill = 0; kill < KILLS; kill++) {
    await Promise.all(Array.from({ length: 4 }, () => sendBatch(random)));
    await sleep(random.integer(0, 250));
    await worker.kill('SIGKILL');
    worker = await startPart('worker', env());
  }
  await sendBatch(random);
  await untilEmpty();
  await worker.kill('SIGTERM');
  expect(sent).toBe((KILLS * 4 + 1) * RECORDS_PER_POST);
  expect(await counted()).toEqual(everyTier(sent, COUNTED));
}, 300_000);

/** Waits until no batch waits, runs or failed. */
async function untilEmpty(): Promise<void> {
  const connection = await connectRedis(redis.url, 'producer', () => {});
  const queue = openBatchQueue(connection, 0);
  await expect
    .poll(() => queue.getJobCounts('waiting', 'active', 'delayed', 'failed'), { timeout: 120_000, interval: 200 })
    .toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 });
  await queue.close();
  connection.disconnect();
}

async function counted(): Promise<Record<string, number>> {
  const store = await openStore(parseConfig({}), join(folder, 'clickhouse'));
  const counts = await tierCounts(store, COUNTED);
  await store.close();
  return counts;
}
