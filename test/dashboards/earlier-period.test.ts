import { describe, expect, it } from 'vitest';
import { bucketStarts } from '../../api/queries/calendar.ts';
import { ProblemError } from '../../dashboards/http/problem.ts';
import type { Bucket } from '../../dashboards/time/buckets.ts';
import { earlierPeriod, requestsBefore, stepBack, stepLabel } from '../../dashboards/usage-tab/earlier-period.ts';
import { missingWords } from '../../dashboards/usage-tab/missing-words.ts';

const STOCKHOLM = 'Europe/Stockholm';
const iso = (at: number) => new Date(at).toISOString().replace(':00.000Z', 'Z');
const at = (text: string) => Date.parse(text);

/** The buckets the api answers; each was given its own start as its number of requests, so that it is known again. */
function seriesOf(from: number, to: number, bucket: Bucket, zone: string) {
  return bucketStarts(from / 1000, to / 1000, bucket, zone).map((seconds) => ({
    start: new Date(seconds * 1000).toISOString(),
    requests: seconds * 1000,
  }));
}

/** Which earlier bucket each bucket of the range is held against, both as instants. */
function pairs(from: string, to: string, bucket: Bucket, zone: string): Map<string, string | null> {
  const series = seriesOf(at(from), at(to), bucket, zone);
  const earlier = earlierPeriod({ from, to, bucket, timezone: zone, series });
  const starts = series.map((point) => point.start);
  const found = requestsBefore(starts, seriesOf(earlier.from, earlier.to, bucket, zone), {
    back: earlier.back,
    bucket,
    zone,
  });
  return new Map(starts.map((start, index) => [iso(at(start)), found[index] === null ? null : iso(found[index]!)]));
}

describe('how far back a range is compared', () => {
  it.each([
    ['an hour', '2026-11-20T20:00Z', '2026-11-20T21:00Z', 'minute', '1 day before'],
    ['a week', '2026-11-12T23:00Z', '2026-11-20T21:00Z', 'hour', '7 days before'],
    [
      'a week that begins before the clocks go forward',
      '2026-03-25T23:00Z',
      '2026-04-01T22:10Z',
      'hour',
      '7 days before',
    ],
    ['a week that begins before the clocks go back', '2026-10-20T22:00Z', '2026-10-27T23:10Z', 'hour', '7 days before'],
    ['a year of weeks', '2025-11-20T23:00Z', '2026-11-20T23:00Z', 'week', '52 weeks before'],
    ['half a week of weeks', '2026-11-17T23:00Z', '2026-11-20T23:00Z', 'week', '1 week before'],
    ['a year of months', '2025-11-20T23:00Z', '2026-11-20T23:00Z', 'month', '12 months before'],
    ['a year of months but a minute', '2025-11-20T23:00Z', '2026-11-20T22:59Z', 'month', '11 months before'],
    ['a week of months', '2026-11-12T23:00Z', '2026-11-20T23:00Z', 'month', '1 month before'],
  ] as const)('%s', (_, from, to, bucket, label) => {
    expect(stepLabel(stepBack({ from: at(from), to: at(to) }, bucket, STOCKHOLM))).toBe(label);
  });

  it.each([
    // A Thursday in the middle of the first bucket: that one holds the same part of its week in both years.
    ['week', '2025-11-20T13:00:00Z', '2026-11-20T13:00:00Z', '2024-11-21T13:00Z', '2025-11-23T23:00Z'],
    ['month', '2026-05-31T10:00:00Z', '2026-07-01T10:00:00Z', '2026-04-30T10:00Z', '2026-06-30T22:00Z'],
    ['hour', '2026-10-26T10:20:00Z', '2026-10-26T12:20:00Z', '2026-10-25T10:20Z', '2026-10-25T13:00Z'],
  ] as const)('%s buckets from %s to %s: asked from %s to %s', (bucket, from, to, earlierFrom, earlierTo) => {
    const series = seriesOf(at(from), at(to), bucket, STOCKHOLM);
    const period = earlierPeriod({ from, to, bucket, timezone: STOCKHOLM, series });
    expect([iso(period.from), iso(period.to)]).toEqual([earlierFrom, earlierTo]);
  });
});

describe('the bucket each bucket is held against', () => {
  it.each([
    ['clocks went back in the range: before it', 'hour', '2026-10-24T22:00Z', '2026-10-17T22:00Z'],
    ['the hour that comes twice, first time', 'hour', '2026-10-25T00:00Z', '2026-10-18T00:00Z'],
    ['the hour that comes twice, second time', 'hour', '2026-10-25T01:00Z', '2026-10-18T00:00Z'],
    ['the hour after it', 'hour', '2026-10-25T02:00Z', '2026-10-18T01:00Z'],
    ['the last of the range', 'hour', '2026-10-28T22:00Z', '2026-10-21T21:00Z'],
    ['days in such a range', 'day', '2026-10-27T23:00Z', '2026-10-20T22:00Z'],
  ] as const)('Stockholm in autumn, %s', (_, bucket, start, earlier) => {
    expect(pairs('2026-10-21T22:00Z', '2026-10-28T23:00Z', bucket, STOCKHOLM).get(start)).toBe(earlier);
  });

  it.each([
    ['clocks went back in the week before: before it', '2026-10-31T23:00Z', '2026-10-24T22:00Z'],
    ['the hour that came twice is held against the first', '2026-11-01T01:00Z', '2026-10-25T00:00Z'],
    ['the hour after it', '2026-11-01T02:00Z', '2026-10-25T02:00Z'],
    ['the last of the range', '2026-11-04T22:00Z', '2026-10-28T22:00Z'],
  ] as const)('Stockholm after autumn, %s', (_, start, earlier) => {
    expect(pairs('2026-10-28T23:00Z', '2026-11-04T23:00Z', 'hour', STOCKHOLM).get(start)).toBe(earlier);
  });

  it.each([
    [
      'clocks went forward in the range: before it',
      '2026-03-25T23:00Z',
      '2026-04-01T22:00Z',
      '2026-03-29T00:00Z',
      '2026-03-22T00:00Z',
    ],
    [
      'clocks went forward in the range: after it',
      '2026-03-25T23:00Z',
      '2026-04-01T22:00Z',
      '2026-03-29T01:00Z',
      '2026-03-22T02:00Z',
    ],
    ['no such hour a week before', '2026-04-01T22:00Z', '2026-04-08T22:00Z', '2026-04-05T00:00Z', null],
    ['the hour after that', '2026-04-01T22:00Z', '2026-04-08T22:00Z', '2026-04-05T01:00Z', '2026-03-29T01:00Z'],
    ['the hour before that', '2026-04-01T22:00Z', '2026-04-08T22:00Z', '2026-04-04T23:00Z', '2026-03-29T00:00Z'],
  ] as const)('Stockholm in spring, %s', (_, from, to, start, earlier) => {
    expect(pairs(from, to, 'hour', STOCKHOLM).get(start)).toBe(earlier);
  });

  it.each([
    ['2025-11-20T13:00Z', '2026-11-20T13:00Z', 'week', 52 * 7],
    ['2026-01-01T00:00Z', '2027-01-01T00:00Z', 'week', 52 * 7],
    ['2026-10-01T00:00Z', '2026-10-11T00:00Z', 'week', 7],
  ] as const)('from %s to %s every %s goes %i days back', (from, to, bucket, days) => {
    for (const [start, earlier] of pairs(from, to, bucket, 'UTC')) {
      expect([start, earlier]).toEqual([start, iso(at(start) - days * 86_400_000)]);
    }
  });

  it('months meet the same month of the year before, in a zone where they begin at another hour', () => {
    const met = pairs('2025-11-20T13:00Z', '2026-11-21T13:00Z', 'month', STOCKHOLM);
    expect([...met].map((pair) => pair.join(' '))).toEqual([
      '2025-10-31T23:00Z 2024-10-31T23:00Z',
      '2025-11-30T23:00Z 2024-11-30T23:00Z',
      '2025-12-31T23:00Z 2024-12-31T23:00Z',
      '2026-01-31T23:00Z 2025-01-31T23:00Z',
      '2026-02-28T23:00Z 2025-02-28T23:00Z',
      '2026-03-31T22:00Z 2025-03-31T22:00Z',
      '2026-04-30T22:00Z 2025-04-30T22:00Z',
      '2026-05-31T22:00Z 2025-05-31T22:00Z',
      '2026-06-30T22:00Z 2025-06-30T22:00Z',
      '2026-07-31T22:00Z 2025-07-31T22:00Z',
      '2026-08-31T22:00Z 2025-08-31T22:00Z',
      '2026-09-30T22:00Z 2025-09-30T22:00Z',
      '2026-10-31T23:00Z 2025-10-31T23:00Z',
    ]);
  });

  it('a day without a midnight is still that day: Santiago, whose clocks go forward at 00:00', () => {
    const met = pairs('2026-09-03T04:00Z', '2026-09-10T03:00Z', 'day', 'America/Santiago');
    expect(met.get('2026-09-06T04:00Z')).toBe('2026-08-30T04:00Z');
    expect(met.get('2026-09-07T03:00Z')).toBe('2026-08-31T04:00Z');
    const after = pairs('2026-09-10T03:00Z', '2026-09-17T03:00Z', 'day', 'America/Santiago');
    expect(after.get('2026-09-13T03:00Z')).toBe('2026-09-06T04:00Z');
  });
});

describe('an earlier period that cannot be had', () => {
  it.each([
    [
      'minutes that are gone',
      new ProblemError(400, 'Bad request', 'bucket: minutes are not kept for so long; use quarter_hour', 'bucket'),
      { why: expect.stringContaining('choose a longer bucket'), retry: false },
    ],
    [
      'a filter beyond the kept requests',
      new ProblemError(400, 'Bad request', 'from: filters reach back 30 days, as single requests are kept', 'from'),
      { why: expect.stringContaining('drop the filter'), retry: false },
    ],
    [
      'another refusal',
      new ProblemError(400, 'Bad request', 'timezone: unknown'),
      { why: 'timezone: unknown', retry: false },
    ],
    ['a right that is missing', new ProblemError(403, 'Forbidden'), { why: 'Forbidden', retry: false }],
    [
      'a store that is away',
      new ProblemError(503, 'The store is not reachable', 'Try again soon.'),
      { why: 'The store is not reachable. Try again soon.', retry: true },
    ],
  ] as const)('%s', (_, problem, words) => expect(missingWords(problem)).toEqual(words));
});
