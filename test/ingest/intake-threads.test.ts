import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeBatch } from '../../ingest/batch.ts';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { sha256, TOKENS_KEY, type TokenGrant } from '../../ingest/token.ts';
import { BREAK_THREADS } from '../support/break-threads.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { partMetric } from '../support/part-metric.ts';
import { type PartProcess, startPart } from '../support/process.ts';
import { ADMIN_TOKEN, type Answer, type CallOptions, httpCall, type Stack, startStack } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

const THREADS = 2;
const GRANT: TokenGrant = {
  ...{ id: 'test', name: 'test', scopes: ['ingest'], organizationId: '', keyId: '', expiresAtMs: 0 },
};
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

let server: LocalRedis;
let redis: Redis;
let collector: PartProcess;
let direct: Stack;
let otlp: OtlpReceiver;

const env = () => ({
  ...{ REDIS_URL: server.url, KEYTALLY_DATA_DIR: tempFolder(), INGEST_THREADS: String(THREADS) },
  ...{ INGEST_MAX_BODY_BYTES: '4000000', INGEST_MAX_RECORDS: '20000', INGEST_LINGER_MS: '20' },
});

beforeAll(async () => {
  otlp = await OtlpReceiver.start();
  server = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
  redis = await connectRedis(server.url, 'worker', () => {});
  await redis.hset(TOKENS_KEY, sha256(ADMIN_TOKEN), JSON.stringify(GRANT));
  collector = await startPart('ingest', { ...env(), OTEL_EXPORTER_OTLP_ENDPOINT: `${otlp.url}/` });
  direct = await startStack({ INGEST_MAX_BODY_BYTES: '4000000', INGEST_MAX_RECORDS: '20000' });
}, 120_000);
afterAll(async () => {
  await collector?.kill('SIGKILL');
  await direct?.stop();
  redis?.disconnect();
  await server?.stop();
  await otlp?.close();
});

const call = (path: string, options: CallOptions) => httpCall(collector.url + path, { method: 'POST', ...options });
const lines = (count: number, key = 'key_1') => `${JSON.stringify({ key_id: key, status: 200 })}\n`.repeat(count);
const ndjson = { 'Content-Type': 'application/x-ndjson' };

/** Records in the queue, by key. */
async function queued(): Promise<Record<string, number>> {
  const queue = openBatchQueue(redis, 0);
  const counts: Record<string, number> = {};
  for (const job of await queue.getJobs(['waiting', 'prioritized'])) {
    const batch = await decodeBatch(job.data.payload);
    for (let row = 0; row < batch.rows; row++) {
      const key = batch.keyId.at(row);
      counts[key] = (counts[key] ?? 0) + 1;
    }
  }
  await queue.close();
  return counts;
}

/** What differs between two processes, or two moments, is left out. */
const comparable = ({ status, headers, json }: Answer) => ({
  status,
  type: headers.get('content-type'),
  retryAfter: headers.get('retry-after'),
  answer: { ...json, batch_id: json.batch_id === undefined ? undefined : typeof json.batch_id },
});

const KONG = { request: { method: 'GET', uri: '/v1/a' }, response: { status: 200 }, started_at: Date.now() };
test.each<[string, string, CallOptions]>([
  ['records, large enough to change hands', '/v1/requests', { body: lines(5_000), headers: ndjson }],
  ['one record, which is copied', '/v1/requests', { body: { key_id: 'key_2', status: 200 } }],
  ['gzip', '/v1/requests', { body: gzipSync(lines(3_000)), headers: { ...ndjson, 'Content-Encoding': 'gzip' } }],
  ['some bad', '/v1/requests', { body: `${lines(2)}{"status":999}\nnot json\n`, headers: ndjson }],
  ['all bad', '/v1/requests', { body: { status: 'x' } }],
  ['no body', '/v1/requests', { body: '' }],
  ['not JSON', '/v1/requests', { body: '[1,', headers: { 'Content-Type': 'application/json' } }],
  ['too many', '/v1/requests', { body: lines(20_001), headers: ndjson }],
  ['too large', '/v1/requests', { body: Buffer.alloc(4_000_001, 32), headers: ndjson }],
  [
    'a bad Idempotency-Key',
    '/v1/requests',
    { body: lines(1), headers: { ...ndjson, 'Idempotency-Key': 'ä'.repeat(3) } },
  ],
  ['without a token', '/v1/requests', { body: lines(1), token: '' }],
  ['Kong', '/v1/ingest/kong', { body: KONG }],
  ['where the key stands', '/v1/ingest/kong?key_field=request.uri', { body: KONG }],
  ['where the key cannot stand', '/v1/ingest/kong?key_field=', { body: KONG }],
  ['an unknown format', '/v1/ingest/nothing', { body: KONG }],
  [
    'CloudEvents in headers',
    '/v1/ingest/cloudevents',
    {
      body: { key_id: 'key_3', status: 200 },
      headers: { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': 'a', 'ce-type': 'b' },
    },
  ],
  ['no OTLP', '/v1/traces', { body: { resourceSpans: [] } }],
])('a thread answers as the same thread would: %s', async (_, path, options) => {
  const [inThread, here] = await Promise.all([call(path, options), direct.call(path, { method: 'POST', ...options })]);
  expect(comparable(inThread)).toEqual(comparable(here));
});

test('every record that was confirmed is in the queue, and all threads are counted', async () => {
  const before = await queued();
  const metricBefore = await partMetric(collector.url, 'keytally_ingest_records_total');
  const batchesBefore = await partMetric(collector.url, 'keytally_ingest_batches_total');
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      call('/v1/requests', { body: lines(n + 1, `many_${n % 3}`), headers: ndjson }),
    ),
  );
  expect(answers.map(({ status, json }) => [status, json.accepted])).toEqual(answers.map((_, n) => [202, n + 1]));
  const after = await queued();
  const added = [0, 1, 2].map((n) => (after[`many_${n}`] ?? 0) - (before[`many_${n}`] ?? 0));
  expect(added.reduce((a, b) => a + b)).toBe((40 * 41) / 2);
  expect(await partMetric(collector.url, 'keytally_ingest_records_total')).toBe(metricBefore + (40 * 41) / 2);
  // Posts went to the threads in turns, so that none of the batches holds them all.
  expect(await partMetric(collector.url, 'keytally_ingest_batches_total')).toBeGreaterThanOrEqual(
    batchesBefore + THREADS,
  );
});

test('a trace goes through the thread', async () => {
  const headers = { ...ndjson, traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01` };
  const { json } = await call('/v1/requests', { body: lines(10), headers });
  const sent = () => otlp.named('send batches').find(({ about }) => about['messaging.message.id'] === json.batch_id);
  await expect.poll(sent).toBeDefined();
  const request = () => otlp.named('POST /v1/requests').find(({ traceId }) => traceId === TRACE_ID);
  await expect.poll(request).toBeDefined();
  expect(sent()).toMatchObject({ traceId: TRACE_ID, parentSpanId: request()!.spanId });
});

test('what waits in threads is handed to Redis by a stop', async () => {
  const part = await startPart('ingest', { ...env(), INGEST_LINGER_MS: '250' });
  const answers = Array.from({ length: 6 }, () =>
    httpCall(`${part.url}/v1/requests`, { method: 'POST', body: lines(7, 'at_stop'), headers: ndjson }),
  );
  await expect.poll(() => partMetric(part.url, 'keytally_ingest_records_total')).toBeGreaterThanOrEqual(0);
  await part.kill('SIGTERM');
  expect(await part.exited).toBe(0);
  const taken = (await Promise.allSettled(answers)).filter(
    (answer) => answer.status === 'fulfilled' && answer.value.status === 202,
  );
  expect((await queued()).at_stop ?? 0).toBe(taken.length * 7);
});

test('a thread that breaks ends the process with a reason, so that it is started again', async () => {
  const file = join(tempFolder(), 'break');
  const part = await startPart('ingest', { ...env(), BREAK_FILE: file }, ['--import', BREAK_THREADS]);
  writeFileSync(file, '');
  expect(await part.exited).toBe(1);
  expect(part.log()).toContain('broken on purpose');
  expect(part.log()).toContain('cannot go on');
});
