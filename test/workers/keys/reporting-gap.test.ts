import { expect, test } from 'vitest';
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
