import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../../dashboards/time/range.ts';
import { comparedDays, instantBefore } from '../../dashboards/usage-tab/earlier-period.ts';
import { limitOfBucket } from '../../dashboards/usage-tab/limit-use.ts';

describe('what a range is compared with', () => {
  it.each([
    [HOUR, 1],
    [DAY, 1],
    [7 * DAY + 9 * HOUR, 7],
    [14 * DAY, 14],
  ])('%i ms: so many days before', (length, days) => expect(comparedDays({ from: 0, to: length })).toBe(days));

  it.each([
    ['2026-10-28T08:00:00Z', 7, 'Europe/Paris', '2026-10-21T07:00:00.000Z'],
    ['2026-10-28T08:00:00Z', 7, 'UTC', '2026-10-21T08:00:00.000Z'],
    ['2026-03-29T22:00:00Z', 1, 'Europe/Paris', '2026-03-28T23:00:00.000Z'],
  ])('%s, %i days before on the clocks of %s: %s', (at, days, zone, before) => {
    const back = { count: days, unit: 'day' } as const;
    expect(new Date(instantBefore(Date.parse(at), back, zone)).toISOString()).toBe(before);
  });
});

describe('the limit a bar is held against', () => {
  const limits = { per_minute: 60, per_day: 5_000, per_month: null };
  it.each([
    ['minute', { requests: 60, label: 'limit a minute' }],
    ['day', { requests: 5_000, label: 'limit a day' }],
    ['month', null],
    ['hour', null],
  ] as const)('per %s', (bucket, limit) => expect(limitOfBucket(limits, bucket)).toEqual(limit));

  it('is none for a key without limits', () => expect(limitOfBucket(null, 'day')).toBeNull());
});
