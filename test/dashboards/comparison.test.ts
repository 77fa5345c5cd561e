import { describe, expect, it } from 'vitest';
import type { Usage } from '../../dashboards/http/contract/usage.ts';
import { DAY, HOUR } from '../../dashboards/time/range.ts';
import { startOfLocalDay } from '../../dashboards/time/zone.ts';
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
  const limits = { per_minute: 60, per_day: 5_000, per_month: 90_000 };
  const usageOf = (bucket: Usage['bucket'], timezone: string, day: string) => {
    const from = startOfLocalDay(Date.parse(day), timezone);
    const series = [0, 1, 2].map((days) => ({ start: new Date(from + days * DAY).toISOString() }));
    return { bucket, timezone, series: series as Usage['series'], to: new Date(from + 3 * DAY).toISOString() };
  };
  const [inWinter, beforeItsChange] = ['2026-11-20', '2026-03-27'];

  it.each([
    ['minute', 'UTC', inWinter, { requests: 60, label: 'limit a minute', comparable: true }],
    ['minute', 'Asia/Tokyo', inWinter, { requests: 60, label: 'limit a minute', comparable: true }],
    ['day', 'UTC', inWinter, { requests: 5_000, label: 'limit a day', comparable: true }],
    ['day', 'Europe/London', inWinter, { requests: 5_000, label: 'limit a day', comparable: true }],
    ['day', 'Europe/London', beforeItsChange, { requests: 5_000, label: 'limit a UTC day', comparable: false }],
    ['day', 'Asia/Tokyo', inWinter, { requests: 5_000, label: 'limit a UTC day', comparable: false }],
    ['month', 'America/New_York', inWinter, { requests: 90_000, label: 'limit a UTC month', comparable: false }],
    ['hour', 'UTC', inWinter, null],
  ] as const)('per %s in %s, from %s', (bucket, zone, day, limit) =>
    expect(limitOfBucket(limits, usageOf(bucket, zone, day))).toEqual(limit),
  );

  it('is none for a key without limits', () => {
    expect(limitOfBucket(null, usageOf('day', 'UTC', inWinter))).toBeNull();
    expect(limitOfBucket({ per_month: null }, usageOf('month', 'UTC', inWinter))).toBeNull();
  });
});
