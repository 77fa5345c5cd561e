import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../../../ingest/config.ts';
import { type LocalRedis, startLocalRedis } from '../../../../ingest/local-redis.ts';
import { createLogger } from '../../../../ingest/logger.ts';
import { connectRedis, type Redis } from '../../../../ingest/redis.ts';
import { type EvaluationParts, evaluate } from '../../../../workers/alerts/evaluation/evaluate.ts';
import { missingBuckets } from '../../../../workers/alerts/evaluation/missing-reports.ts';
import { openDeliveryQueue } from '../../../../workers/alerts/outbox.ts';
import { migratedStore } from '../../../support/migrated-store.ts';
import { tempFolder } from '../../../support/temp-folder.ts';
import { SeededHistory } from './seeded-history.ts';

describe('buckets in which reports are missing', () => {
  // One letter is a bucket: x with requests, . without.
  test.each([
    ['none', 'xxxxxxxxxx', 100, ''],
    ['two are chance', 'xxxx..xxxx', 100, ''],
    ['three, and what lies beside them', 'xxxx...xxx', 100, '3 4 5 6 7'],
    ['where little was expected they are not', 'xxxx...xxx', 16, ''],
    ['of a long run little is expected of each', 'x......xxx', 16, '0 1 2 3 4 5 6 7'],
    ['at both ends', '...xxxx...', 100, '0 1 2 3 6 7 8 9'],
    ['two runs', '...xx...xx', 100, '0 1 2 3 4 5 6 7 8'],
  ])('%s', (_, buckets, expected, missing) => {
    const reported = new Set([...buckets].flatMap((one, n) => (one === 'x' ? [600 + n * 300] : [])));
    const found = missingBuckets(reported, { from: 600, to: 600 + buckets.length * 300 }, () => expected);
    expect(
      [...found]
        .map((start) => (start - 600) / 300)
        .sort((a, b) => a - b)
        .join(' '),
    ).toBe(missing);
  });

  test('what is expected may differ from hour to hour', () => {
    const expectedAt = (seconds: number) => (seconds < 3_600 ? 0 : 20);
    const span = { from: 1_800, to: 1_800 + 12 * 300 };
    expect(missingBuckets(new Set([1_800, 3_600]), span, expectedAt)).toEqual(
      new Set([3_600, 3_900, 4_200, 4_500, 4_800, 5_100]),
    );
  });
});

describe('after an hour in which nobody reported anything', () => {
  const config = parseConfig({ LOG_LEVEL: 'error' });
  const CALM = Array.from({ length: 10 }, (_, n) => `calm_${n}`);
  const LAST = 11;
  let redisServer: LocalRedis;
  let redis: Redis;
  let parts: EvaluationParts;

  beforeAll(async () => {
    redisServer = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
    redis = await connectRedis(redisServer.url, 'worker', () => {});
    parts = {
      store: await migratedStore(config),
      delivery: openDeliveryQueue(redis),
      log: createLogger(config, 'test'),
      oldestWaitingMs: async () => undefined,
      settleMs: 0,
    };
  });
  afterAll(async () => {
    await parts.delivery.close();
    redis.disconnect();
    await redisServer.stop();
    await parts.store.close();
  });

  test('keys that are back are not called silent, one that stays away is, once its own silence is strange', async () => {
    const history = new SeededHistory(parts.store, Math.floor(Date.now() / 3_600_000) * 3_600 - 3 * 3_600);
    await history.keys([...CALM, 'dead', 'busy'], 40);
    for (let bucket = LAST + 1; bucket < LAST + 6; bucket++) {
      const calm = Object.fromEntries(CALM.map((keyId) => [keyId, bucket === LAST + 1 ? 15 : 40]));
      await history.bucket(bucket, { ...calm, busy: 400 });
    }
    for (let bucket = 0; bucket < LAST + 6; bucket++) await evaluate(parts, history.endOf(bucket) + 1);
    const rows = await parts.store.query<{ key_id: string; scope: string; notify: string; ms: number }>(
      "SELECT key_id, scope, notify, toUnixTimestamp64Milli(at) AS ms FROM alert_events FINAL WHERE notify != '' ORDER BY at, key_id",
    );
    const told = rows.map(({ key_id, scope, notify }) => `${key_id} ${scope} ${notify}`);
    expect(told).toEqual([' silence opened', 'busy spike opened', 'dead drop opened', ' silence resolved']);
  });
});
