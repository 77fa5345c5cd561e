import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { ClickHouseHttp } from '../support/clickhouse-http.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

let server: ClickHouseHttp;
let stack: Stack;

beforeAll(async () => {
  server = new ClickHouseHttp(tempFolder());
  await server.start();
  stack = await startStack({ CLICKHOUSE_URL: server.url });
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
  await expect.poll(() => queue.getRateLimitTtl(), { timeout: 15_000 }).toBeGreaterThan(0);
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
  await expect.poll(waiting, { timeout: 15_000 }).toBe(0);
  const [row] = await stack.store.query<{ counted: number }>('SELECT sum(requests) AS counted FROM usage_day');
  expect(row!.counted).toBe(27);
  await queue.close();
  redis.disconnect();
});
