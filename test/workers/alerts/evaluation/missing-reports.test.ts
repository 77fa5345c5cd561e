import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EvaluationParts, evaluate } from '../../../../workers/alerts/evaluation/evaluate.ts';
import { missingBuckets } from '../../../../workers/alerts/evaluation/missing-reports.ts';
import { type AlertParts, settledParts, startAlertParts } from '../../../support/alert-parts.ts';
import { SeededHistory } from './seeded-history.ts';

describe('buckets in which reports are missing', () => {
  // One sign is a bucket: # with requests, . without.
  test.each([
    ['none', '##########', 100, ''],
    ['two are chance', '####..####', 100, ''],
    ['three, and what lies beside them', '####...###', 100, '3 4 5 6 7'],
    ['where little was expected they are not', '####...###', 16, ''],
    ['of a long run little is expected of each', '#......###', 16, '0 1 2 3 4 5 6 7'],
    ['at both ends', '...####...', 100, '0 1 2 3 6 7 8 9'],
    ['two runs', '...##...##', 100, '0 1 2 3 4 5 6 7 8'],
  ])('%s', (_, buckets, expected, missing) => {
    const reported = new Set([...buckets].flatMap((one, n) => (one === '#' ? [600 + n * 300] : [])));
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
  const CALM = Array.from({ length: 10 }, (_, n) => `calm_${n}`);
  const LAST = 11;
  let started: AlertParts;
  let parts: EvaluationParts;

  beforeAll(async () => {
    started = await startAlertParts();
    parts = settledParts(started);
  });
  afterAll(() => started.stop());

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
