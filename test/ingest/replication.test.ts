import { afterAll, beforeAll, expect, test } from 'vitest';
import { partMetric } from '../support/part-metric.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ REDIS_WAIT_REPLICAS: '1' });
});
afterAll(() => stack.stop());

const unreplicated = () => partMetric(stack.url, 'keytally_redis_unreplicated_writes_total');

test('what the replicas of REDIS_WAIT_REPLICAS do not have is taken and counted as unreplicated, batches as well as claims', async () => {
  // The stack's Redis has no replica, so each wait ends without one.
  expect(await unreplicated()).toBe(0);
  await stack.send([{ key_id: 'batch', status: 200 }]);
  await stack.untilTotal('batch', 1);
  expect(await unreplicated()).toBe(1);
  await stack.send([{ key_id: 'claimed', status: 200 }], { headers: { 'Idempotency-Key': 'once' } });
  await stack.untilTotal('claimed', 1);
  // The batch, by the collector, and its claim, by the worker.
  expect(await unreplicated()).toBe(3);
});
