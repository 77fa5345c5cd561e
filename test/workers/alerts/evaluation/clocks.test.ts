import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type EvaluationParts, evaluate } from '../../../../workers/alerts/evaluation/evaluate.ts';
import { readProgress, writeProgress } from '../../../../workers/alerts/evaluation/progress.ts';
import { BUCKET_MS } from '../../../../workers/alerts/evaluation/settled.ts';
import { type AlertParts, settledParts, startAlertParts } from '../../../support/alert-parts.ts';
import { SeededHistory } from './seeded-history.ts';

const HOUR_MS = 3_600_000;
const KEYS = Array.from({ length: 10 }, (_, n) => `calm_${n}`);

let started: AlertParts;
let parts: EvaluationParts;
let presentMs: number;

beforeAll(async () => {
  started = await startAlertParts();
  parts = settledParts(started);
});
afterAll(() => started.stop());
beforeEach(async () => {
  presentMs = Date.now();
  const hour = Math.floor(presentMs / HOUR_MS) * 3_600 - 3_600;
  const history = new SeededHistory(parts.store, hour);
  await history.keys(KEYS, 40, { hours: 5 });
  for (let bucket = 0; history.endOf(bucket) - BUCKET_MS <= presentMs; bucket++)
    await history.bucket(bucket, Object.fromEntries(KEYS.map((keyId) => [keyId, 40])));
});
afterEach(async () => {
  for (const table of ['alert_events', 'alert_progress', 'alert_baselines', 'traffic_buckets', 'key_totals'])
    await parts.store.command(`TRUNCATE TABLE ${table}`);
});

const told = () => parts.store.query<{ kind: string; scope: string }>('SELECT kind, scope FROM alert_events FINAL');
const progress = () => readProgress(parts.store, 'buckets');

test('a process whose clock is ahead judges no window that is still to come', async () => {
  await evaluate(parts, presentMs);
  await evaluate(parts, presentMs + 3 * HOUR_MS);
  expect(await told()).toEqual([]);
  expect(await progress()).toBeLessThanOrEqual(Date.now());
});

test('where windows to come were judged all the same, the next evaluation goes on from the present', async () => {
  const ahead = new Date(presentMs + 3 * HOUR_MS).toISOString();
  await parts.store.insertRows('alert_progress', [{ name: 'buckets', until: ahead, updated_at: ahead }]);
  expect(await evaluate(parts, presentMs)).toMatchObject({ windows: 0 });
  const judged = (await progress())!;
  expect(judged).toBeLessThanOrEqual(Date.now());
  expect(judged).toBeGreaterThan(presentMs - BUCKET_MS);
  // As if two windows had passed since.
  const newest = Math.floor(Date.now() / BUCKET_MS) * BUCKET_MS;
  await writeProgress(parts.store, 'buckets', newest - 2 * BUCKET_MS);
  expect(await evaluate(parts, newest + 1)).toMatchObject({ windows: 2 });
});

test('a process whose clock is behind takes nothing back', async () => {
  await evaluate(parts, presentMs);
  const judged = await progress();
  await evaluate(parts, presentMs - 3 * HOUR_MS);
  expect(await progress()).toBe(judged);
});

test('nor does a batch of long ago that waits again', async () => {
  await evaluate(parts, presentMs);
  const judged = await progress();
  await evaluate({ ...parts, oldestWaitingMs: async () => presentMs - HOUR_MS }, presentMs);
  expect(await progress()).toBe(judged);
});
