import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parseConfig } from '../../../../ingest/config.ts';
import { createLogger } from '../../../../ingest/logger.ts';
import { connectRedis, type Redis } from '../../../../ingest/redis.ts';
import { type EvaluationParts, evaluate } from '../../../../workers/alerts/evaluation/evaluate.ts';
import { openEvaluationQueue } from '../../../../workers/alerts/evaluation/evaluation-queue.ts';
import { type AlertEvaluation, startEvaluation } from '../../../../workers/alerts/evaluation/evaluation-worker.ts';
import { readProgress, writeProgress } from '../../../../workers/alerts/evaluation/progress.ts';
import type { Store } from '../../../../workers/clickhouse/store.ts';
import { type AlertParts, settledParts, startAlertParts } from '../../../support/alert-parts.ts';
import { UNSCHEDULED } from '../../../support/evaluated-stack.ts';
import { SeededHistory } from './seeded-history.ts';

const WINDOWS = 6;
const NOW = Math.floor(Date.now() / 3_600_000) * 3_600 - 3 * 86_400;
const LAST_MS = (NOW + WINDOWS * 300) * 1000;
const KEYS = Array.from({ length: 2 }, (_, n) => `key_${n}`);

let started: AlertParts;
let parts: EvaluationParts;
let redis: Redis;
let connection: Redis;
beforeAll(async () => {
  started = await startAlertParts();
  parts = settledParts(started);
  [redis, connection] = [
    await connectRedis(started.redisUrl, 'worker', () => {}),
    await connectRedis(started.redisUrl, 'worker', () => {}),
  ];
  await seed(parts.store);
});
afterAll(async () => {
  redis.disconnect();
  connection.disconnect();
  await started.stop();
});

/** Each key fails for four windows, at its own time, and is well afterwards. */
async function seed(store: Store): Promise<void> {
  const history = new SeededHistory(store, NOW);
  await history.keys(KEYS, 40, { hours: 2 });
  for (let bucket = 0; bucket < WINDOWS; bucket++) {
    const errors = (n: number) => (bucket > n && bucket < 5 + n ? 18 : 0);
    const counts = KEYS.map((keyId, n) => [keyId, { requests: 40, server_errors: errors(n) }]);
    await history.bucket(bucket, Object.fromEntries(counts));
  }
}

/** The same store, which says nothing to the third look at the states of alerts until it is let through. */
function silentStore(): { store: Store; arrived: Promise<void>; letThrough: () => void } {
  let [letThrough, arrive] = [() => {}, () => {}];
  const gate = new Promise<void>((resolve) => (letThrough = resolve));
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  let looks = 0;
  const query: Store['query'] = async (sql, ...rest) => {
    const rows = await parts.store.query(sql, ...rest);
    if (sql.includes('ack_severity') && ++looks === 3) {
      arrive();
      await gate;
    }
    return rows as never;
  };
  const store = new Proxy(parts.store, {
    get: (target, name) => {
      if (name === 'query') return query;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { store, arrived, letThrough };
}

const written = () =>
  parts.store.query(
    'SELECT event_id, at, transition, phase, notify, alert_id, state FROM alert_events ORDER BY alert_key, at, event_id',
  );

async function evaluationOn(store: Store, warn: () => void): Promise<AlertEvaluation> {
  const config = parseConfig({ LOG_LEVEL: 'silent', ALERT_SETTLE_SECONDS: '0', ...UNSCHEDULED });
  const log = Object.assign(createLogger(config, 'test'), { warn });
  return startEvaluation({ config, store, redis, log, shards: [0] }, connection);
}

test('a process that stood still while another took its job over writes nothing more', async () => {
  await writeProgress(parts.store, 'buckets', NOW * 1000);
  const { store, arrived, letThrough } = silentStore();
  const warn = vi.fn();
  const evaluation = await evaluationOn(store, warn);
  const queue = openEvaluationQueue(redis, 'buckets');
  const job = await queue.add('slot', { slot_ms: LAST_MS });
  await arrived;
  // As its lock runs out: another process has the job, and judges all windows.
  await redis.set(`${queue.toKey(job.id!)}:lock`, 'another');
  await evaluate(parts, LAST_MS);
  const before = await written();
  expect(before).not.toEqual([]);
  letThrough();
  await expect.poll(() => warn.mock.calls.map(([, message]) => message)).toContain('evaluation given up');
  expect(await written()).toEqual(before);
  expect(await readProgress(parts.store, 'buckets')).toBe(LAST_MS);
  await queue.close();
  await evaluation.close();
});
