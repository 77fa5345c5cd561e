import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../ingest/config.ts';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { openStore, type Store } from '../../workers/clickhouse/store.ts';
import { ClickHouseHttp, type Fault } from '../support/clickhouse-http.ts';
import { type PartProcess, startPart } from '../support/process.ts';
import { Random } from '../support/random.ts';
import { ADMIN_TOKEN, httpCall } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { everyTier, tierCounts } from '../support/tiers.ts';
import { generateTraffic } from '../support/traffic.ts';

const POSTS = 40;
const RECORDS_PER_POST = 400;
const SENDERS = 6;
const FAULTS: Fault[] = ['refuse', 'proxy', 'cut', 'silent', 'cut_answer', 'false_error', 'late'];

let server: ClickHouseHttp;
let redis: LocalRedis;
let store: Store;
const parts: PartProcess[] = [];

beforeAll(async () => {
  server = new ClickHouseHttp(tempFolder());
  await server.start();
  redis = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
  const env = { REDIS_URL: redis.url, CLICKHOUSE_URL: server.url, KEYTALLY_ADMIN_TOKEN: ADMIN_TOKEN };
  const more = { CLICKHOUSE_TIMEOUT_MS: '1500', INGEST_LINGER_MS: '50', INGEST_SHARDS: '2' };
  // One worker first: two that start at once would both make the schema, which is right but slow here.
  for (const command of ['worker', 'worker', 'ingest', 'ingest', 'api']) {
    parts.push(await startPart(command, { ...env, ...more, KEYTALLY_DATA_DIR: tempFolder() }));
  }
  store = await openStore(parseConfig({ CLICKHOUSE_URL: server.url }), '');
}, 120_000);
afterAll(async () => {
  for (const part of parts.reverse()) await part.kill('SIGTERM');
  await store?.close();
  await redis?.stop();
  await server?.stop();
  server?.close();
});

async function untilEmpty(): Promise<void> {
  const connection = await connectRedis(redis.url, 'producer', () => {});
  const queues = [openBatchQueue(connection, 0), openBatchQueue(connection, 1)];
  const counts = () =>
    Promise.all(queues.map((queue) => queue.getJobCountByTypes('waiting', 'active', 'delayed', 'failed')));
  await expect.poll(counts, { interval: 100 }).toEqual([0, 0]);
  for (const queue of queues) await queue.close();
  connection.disconnect();
}

test('two collectors, two workers, an api: every fault of the server at inserts, every POST sent twice, every count equal', async () => {
  const [first, second] = [parts[2]!, parts[3]!];
  const happened: Partial<Record<Fault, number>> = {};
  let inserts = 0;
  server.fault = (statement) => {
    // Each second insert fails, in turn in every way there is.
    if (!/^INSERT INTO requests /.test(statement) || inserts++ % 2 === 1) return undefined;
    const fault = FAULTS[(inserts >> 1) % FAULTS.length]!;
    happened[fault] = (happened[fault] ?? 0) + 1;
    return fault;
  };
  const random = new Random(7);
  let post = 0;
  const sender = async () => {
    while (post < POSTS) {
      const number = post++;
      const now = Date.now();
      const body = generateTraffic(random, RECORDS_PER_POST, 9, now - 3_600_000, now);
      const headers = { 'Idempotency-Key': `post-${number}` };
      const options = { method: 'POST', body, headers };
      // Also to the other collector, as a client that lost the answer does.
      for (const { url } of [first, second]) expect((await httpCall(`${url}/v1/requests`, options)).status).toBe(202);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  await untilEmpty();
  const sent = POSTS * RECORDS_PER_POST;
  console.log(`${inserts} inserts, faults`, happened, server.seen);
  expect(Object.keys(happened).sort()).toEqual([...FAULTS].sort());
  expect(await tierCounts(store)).toEqual(everyTier(sent));
  const letters = await store.query<{ n: number }>('SELECT count() AS n FROM dead_letters');
  expect(letters).toEqual([{ n: 0 }]);
}, 120_000);

test('an answer that breaks off half way is an error to the reader, never a smaller number', async () => {
  const counted = async () => {
    const { status, json } = await httpCall(`${parts[4]!.url}/v1/usage?group_by=key_id`, {});
    return status === 200
      ? json.data.reduce((sum: number, row: { requests: number }) => sum + row.requests, 0)
      : status;
  };
  expect(await counted()).toBe(POSTS * RECORDS_PER_POST);
  for (const fault of ['cut_answer', 'proxy', 'refuse'] as const) {
    server.fault = () => fault;
    expect([500, 502, 503]).toContain(await counted());
  }
  server.fault = () => undefined;
  expect(await counted()).toBe(POSTS * RECORDS_PER_POST);
});

test('bodies and answers went compressed, over connections that were kept', () => {
  const { connections, requests, gzippedRequests, gzippedAnswers } = server.seen;
  expect(gzippedRequests).toBeGreaterThan(10);
  expect(gzippedAnswers).toBeGreaterThan(10);
  expect(connections).toBeLessThan(requests / 2);
});
