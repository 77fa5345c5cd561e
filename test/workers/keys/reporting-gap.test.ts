import { expect, test } from 'vitest';
import { isJudgedThroughout } from '../../../workers/keys/platform-part.ts';
import { gapOf } from '../../../workers/keys/reporting-gap.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const MINUTE_MS = 60_000;

test.each([
  ['nothing waits, requests come in', undefined, true, ''],
  ['a batch waits for its turn', NOW - MINUTE_MS, true, ''],
  ['one almost too long', NOW - 15 * MINUTE_MS + 1, true, ''],
  ['one too long', NOW - 15 * MINUTE_MS, true, /received 15 minutes ago are not counted yet/],
  ['after an outage of two days', NOW - 2 * 1440 * MINUTE_MS, false, /received 2880 minutes ago/],
  ['nobody reports', undefined, false, /^no request of the last 24 hours was counted/],
  ['a clock behind', NOW + MINUTE_MS, true, ''],
])('%s', (_name, oldestWaitingMs, isHeard, gap) => {
  const said = gapOf({ oldestWaitingMs, isHeard }, NOW);
  if (gap === '') expect(said).toBe('');
  else expect(said).toMatch(gap);
});

test.each<[string, judgedMinutesAgo: number | undefined, heardBuckets: number, minutes: number, boolean]>([
  ['all of it', 3, 12, 60, true],
  ['all but one bucket', 3, 11, 60, true],
  ['two buckets without requests', 3, 10, 60, false],
  ['almost too long ago', 15, 12, 60, true],
  ['too long ago', 15.1, 12, 60, false],
  ['never', undefined, 12, 60, false],
  ['a few minutes', 3, 1, 2, true],
  ['a few minutes without requests', 3, 0, 2, false],
  ['a part of a week', 3, 1_814, 10_080, false],
  ['nearly all of a week', 3, 1_815, 10_080, true],
])('alerts were judged throughout: %s', (_name, minutesAgo, heardBuckets, minutes, expected) => {
  const judgedMs = minutesAgo === undefined ? undefined : NOW - minutesAgo * MINUTE_MS;
  expect(isJudgedThroughout({ judgedMs, heardBuckets }, minutes, NOW)).toBe(expected);
});
