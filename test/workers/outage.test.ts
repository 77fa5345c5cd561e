import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { checkInvariants } from '../../workers/invariants.ts';
import { ClickHouseHttp } from '../support/clickhouse-http.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { everyTier, tierCounts } from '../support/tiers.ts';

/** How long a page waits for the store. */
const TIMEOUT_MS = 5_000;

let server: ClickHouseHttp;
let stack: Stack;

beforeAll(async () => {
  server = new ClickHouseHttp(tempFolder());
  await server.start();
  stack = await startStack({ CLICKHOUSE_URL: server.url, CLICKHOUSE_TIMEOUT_MS: String(TIMEOUT_MS) });
}, 120_000);
afterAll(async () => {
  await stack.stop();
  await server.stop();
  server.close();
});

const record = (n: number) => ({ key_id: `key_${n % 3}`, status: 200, path: `/v1/ünï\t${n}` });

test('a server: the same statements, the same counts', async () => {
  await stack.send([record(1), record(2), record(3)]);
  await stack.untilCounted(3);
  const { json } = await stack.call('/v1/keys/key_1/usage?timezone=Asia/Kolkata');
  expect(json.totals.requests).toBe(1);
  expect((await stack.call('/v1/requests?key_id=key_1')).json.data[0].path).toBe('/v1/ünï 1');
  expect((await stack.call('/v1/keys?search=key_')).json.data.length).toBe(3);
});

test('ClickHouse down: every worker pauses, no attempt is spent, nothing is lost, and it resumes by itself', async () => {
  await server.stop();
  for (let n = 0; n < 12; n++) await stack.send([record(n), record(n)]);
  const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
  const queue = openBatchQueue(redis, 0);
  const waiting = async () => {
    const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  };
  await expect.poll(() => queue.getRateLimitTtl()).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect(await waiting()).toBeGreaterThan(0);
  const jobs = await queue.getJobs(['waiting', 'active', 'delayed']);
  expect(jobs.map((job) => job.attemptsMade)).toEqual(jobs.map(() => 0));
  expect(await queue.getFailedCount()).toBe(0);
  expect((await stack.call('/readyz')).json).toMatchObject({
    status: 'not ready',
    failing: { clickhouse: expect.any(String) },
  });
  await server.start();
  await stack.untilCounted(3 + 24);
  await expect.poll(waiting).toBe(0);
  const [row] = await stack.store.query<{ counted: number }>('SELECT sum(requests) AS counted FROM usage_day');
  expect(row!.counted).toBe(27);
  await queue.close();
  redis.disconnect();
});

test('a check that the server is silent about for longer than a page would wait is not given up', async () => {
  let held = 0;
  server.fault = (statement) => (statement.includes('max_execution_time = 300') && held++ === 0 ? 'held' : undefined);
  const checking = checkInvariants(stack.store, stack.config, { pauseMs: 0 });
  await expect.poll(() => held).toBe(1);
  await sleep(TIMEOUT_MS + 1_000);
  server.letGo();
  const { invariants } = await checking;
  server.fault = () => undefined;
  expect(invariants.filter(({ error, violations }) => error !== undefined || violations !== 0)).toEqual([]);
});

test('an insert that the server still runs when the worker has given up: its batch waits, spends no attempt, counts once', async () => {
  const before = (await tierCounts(stack.store)).requests!;
  let held = false;
  server.fault = (statement) => {
    if (held || !statement.startsWith('INSERT INTO requests ')) return undefined;
    held = true;
    return 'held';
  };
  await stack.send([record(1), record(2)]);
  await expect.poll(() => server.seen.refusedAsRunning).toBeGreaterThan(1);
  const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
  const queue = openBatchQueue(redis, 0);
  const jobs = await queue.getJobs(['waiting', 'active', 'delayed', 'failed']);
  expect(jobs.map((job) => job.attemptsMade)).toEqual([0]);
  server.letGo();
  await stack.untilCounted(before + 2);
  await expect.poll(() => queue.getJobCountByTypes('waiting', 'active', 'delayed', 'failed')).toBe(0);
  expect(await tierCounts(stack.store)).toEqual(everyTier(before + 2));
  await queue.close();
  redis.disconnect();
});
