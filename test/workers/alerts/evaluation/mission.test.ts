import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Redis } from '../../../../ingest/redis.ts';
import { connectRedis } from '../../../../ingest/redis.ts';
import { openDeliveryQueue } from '../../../../workers/alerts/outbox.ts';
import { brokenAlertLogs } from '../../../support/alert-log.ts';
import { runSlot, UNSCHEDULED } from '../../../support/evaluated-stack.ts';
import { type Stack, startStack } from '../../../support/stack.ts';

const BUCKET_MS = 300_000;
let stack: Stack;
let redis: Redis;

beforeAll(async () => {
  stack = await startStack(UNSCHEDULED);
  redis = await connectRedis(stack.redisUrl, 'worker', () => {});
});
afterAll(async () => {
  redis.disconnect();
  await stack.stop();
});

interface EventRow {
  event_id: string;
  transition: string;
  notify: string;
  phase: string;
  scope: string;
  severity: string;
  evidence: string;
}
const events = (keyId: string) =>
  stack.store.query<EventRow>(
    'SELECT event_id, transition, notify, phase, scope, severity, evidence FROM alert_events FINAL WHERE key_id = {key_id:String} ORDER BY at, scope',
    { key_id: keyId },
  );

const judge = (nowMs: number) => runSlot(redis, 'buckets', nowMs);

test('records with errors over HTTP: one alert, opened and told once, with evidence and a route job; it recovers', async () => {
  const end = Math.floor(Date.now() / BUCKET_MS) * BUCKET_MS - 10 * BUCKET_MS;
  const records = (bucket: number, failing: number, total: number) =>
    Array.from({ length: total }, (_, n) => ({
      key_id: 'orders',
      method: 'GET',
      route: n < failing ? '/v1/refunds' : '/v1/orders/{id}',
      country: 'SE',
      status: n < failing ? 503 : 200,
      timestamp: end + (bucket - 1) * BUCKET_MS + n * 100,
    }));
  const batches = [-3, -2, -1].map((bucket) => records(bucket, 0, 200));
  for (const bucket of [0, 1, 2]) batches.push(records(bucket, 90, 200));
  for (const bucket of [3, 4, 5, 6]) batches.push(records(bucket, 0, 200));
  for (const batch of batches) await stack.send(batch);
  await stack.untilCounted(batches.flat().length);

  await judge(end + 61_000);
  await judge(end + BUCKET_MS + 61_000);
  await judge(end + BUCKET_MS + 61_000);
  const [opened, ...more] = await events('orders');
  expect(more).toEqual([]);
  expect(opened).toMatchObject({ transition: 'opened', notify: 'opened', phase: 'firing', scope: 'server_errors' });
  const evidence = JSON.parse(opened!.evidence);
  expect(evidence.summary).toMatch(
    /^\d+ % of requests failed with a server error \(5xx\) in the last \d+ minutes \(\d+ of \d+\); .* is usual\.$/,
  );
  expect(evidence.contributions).toContainEqual({
    dimension: 'endpoint',
    value: 'GET /v1/refunds',
    requests: expect.any(Number),
    share: 1,
    usualShare: expect.anything(),
  });
  const delivery = openDeliveryQueue(redis);
  const route = await delivery.getJob(`route_${opened!.event_id}`);
  expect(route!.data).toEqual({ kind: 'route', event_id: opened!.event_id, alert_key: expect.any(String) });
  await delivery.close();

  for (const bucket of [2, 3, 4, 5, 6]) await judge(end + bucket * BUCKET_MS + 61_000);
  expect((await events('orders')).map((row) => [row.transition, row.notify])).toEqual([
    ['opened', 'opened'],
    ['recovering', ''],
    ['', ''],
    ['resolved', 'resolved'],
  ]);
  expect(await brokenAlertLogs(stack.store)).toEqual([]);
});
