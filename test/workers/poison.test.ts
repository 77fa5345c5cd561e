import { afterAll, beforeAll, expect, test } from 'vitest';
import { Batch, encodeBatch } from '../../ingest/batch.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

const RECORD = {
  keyId: 'k',
  timestampMs: Date.now(),
  method: 'GET',
  path: '/a',
  route: '/a',
  status: 200,
  latencyMs: 1,
  requestBytes: 0,
  responseBytes: 0,
  ip: '',
  country: '',
  userAgent: '',
  requestId: '',
  service: '',
  environment: '',
  rateLimited: false,
  error: '',
};

async function enqueue(jobId: string, payload: string, rows: number): Promise<void> {
  const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
  const queue = openBatchQueue(redis, 0);
  await queue.add('batch', { rows, claims: [], receivedAtMs: Date.now(), payload }, { jobId });
  await queue.close();
  redis.disconnect();
}

const letters = () =>
  stack.store.query<{ id: string; batch_id: string; rows: number; reason: string; sample: string }>(
    'SELECT id, batch_id, rows, reason, sample FROM dead_letters FINAL ORDER BY id',
  );

test('bad rows are written to dead_letters with their reason; their batch-mates are counted once', async () => {
  // What the edge lets through the engine takes; a constraint stands for a row that it refuses.
  await stack.store.command("ALTER TABLE requests ADD CONSTRAINT no_poison CHECK path != '/poison'");
  const batch = new Batch();
  for (let n = 0; n < 40; n++) {
    batch.add({ ...RECORD, path: n === 7 || n === 23 ? '/poison' : '/a' }, '');
  }
  await enqueue('poisoned-batch', await encodeBatch(batch), 40);
  await stack.untilCounted(38);
  await expect.poll(async () => (await letters()).length).toBe(2);
  const [first, second] = await letters();
  expect([first!.id, second!.id]).toEqual(['poisoned-batch-23', 'poisoned-batch-7']);
  expect(first).toMatchObject({ batch_id: 'poisoned-batch', rows: 1 });
  expect(first!.reason).toMatch(/no_poison/);
  expect(first!.sample).toContain('/poison');
  const [row] = await stack.store.query<{ counted: number }>('SELECT sum(requests) AS counted FROM usage_day');
  expect(row!.counted).toBe(38);
});

test('a payload that is no batch is kept whole', async () => {
  await enqueue('broken-payload', Buffer.from('not a batch').toString('base64'), 5);
  await expect
    .poll(async () => (await letters()).find(({ id }) => id === 'broken-payload'))
    .toMatchObject({
      rows: 5,
      reason: expect.stringContaining('cannot be decoded'),
    });
});
