import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import type { Bucket } from '../../../api/queries/buckets.ts';
import { bucketStarts, MAX_BUCKETS, resolveRange, startOfDayMs } from '../../../api/queries/calendar.ts';

const at = (iso: string) => Date.parse(iso) / 1_000;
const NOW = at('2026-11-29T12:00:00Z');

/** The same by the calendar alone, nothing remembered. */
function startsByCalendar(from: number, to: number, unit: 'day' | 'week' | 'month', zone: string): number[] {
  const starts: number[] = [];
  for (let day = DateTime.fromSeconds(from, { zone }).startOf(unit); day.toSeconds() < to; ) {
    starts.push(day.toSeconds());
    day = day.plus({ [unit]: 1 }).startOf(unit);
  }
  return starts;
}

describe('starts of days, weeks and months', () => {
  // Stockholm changes its clock on 2026-03-29 and 2026-10-25; Apia left out 2011-12-30.
  test.each(['UTC', 'Asia/Kolkata', 'Europe/Stockholm', 'Pacific/Apia', 'America/New_York'])('%s', (zone) => {
    const ranges = [
      ['2026-10-24T05:07:00Z', '2026-10-27T01:00:00Z'],
      // From the same day on longer, then shorter again: what is remembered grows and is cut.
      ['2026-10-24T09:00:00Z', '2026-12-24T01:00:00Z'],
      ['2026-10-24T09:00:00Z', '2026-10-24T09:01:00Z'],
      ['2026-10-25T00:00:00Z', '2026-10-26T00:00:00Z'],
      ['2026-03-28T23:59:00Z', '2026-03-30T00:01:00Z'],
      ['2011-12-28T00:00:00Z', '2012-01-02T00:00:00Z'],
    ] as const;
    for (const [from, to] of [...ranges, ...ranges])
      for (const unit of ['day', 'week', 'month'] as const) {
        expect(bucketStarts(at(from), at(to), unit, zone)).toEqual(startsByCalendar(at(from), at(to), unit, zone));
      }
  });

  test('what was answered may be changed by its reader', () => {
    const ask = () => bucketStarts(at('2026-05-01T00:00:00Z'), at('2026-05-04T00:00:00Z'), 'day', 'UTC');
    const first = ask();
    first.length = 0;
    expect(ask()).toHaveLength(3);
  });
});

test.each([
  ['minute', '2026-05-01T10:59:00Z', '2026-05-01T11:01:00Z', ['10:59', '11:00']],
  ['quarter_hour', '2026-05-01T10:50:00Z', '2026-05-01T11:01:00Z', ['10:45', '11:00']],
  // Kolkata is half an hour off: its hours begin at half past.
  ['hour', '2026-05-01T10:50:00Z', '2026-05-01T12:00:00Z', ['10:30', '11:30']],
] as const)('%s steps begin at a full local hour', (bucket, from, to, starts) => {
  const found = bucketStarts(at(from), at(to), bucket, 'Asia/Kolkata');
  expect(found.map((start) => new Date(start * 1_000).toISOString().slice(11, 16))).toEqual(starts);
});

test.each([
  ['hour', 3_600, 'UTC'],
  ['day', 86_400, 'Asia/Kolkata'],
] as [Bucket, number, string][])('at most MAX_BUCKETS of a %s', (bucket, seconds, zone) => {
  const from = bucketStarts(at('2001-05-01T00:00:00Z'), at('2001-05-01T00:01:00Z'), bucket, zone)[0]!;
  expect(bucketStarts(from, from + MAX_BUCKETS * seconds, bucket, zone)).toHaveLength(MAX_BUCKETS);
  for (let asked = 0; asked < 2; asked++) {
    expect(() => bucketStarts(from, from + MAX_BUCKETS * seconds + 1, bucket, zone)).toThrow('use a longer bucket');
  }
});

test('an unknown time zone is named each time it is asked for', () => {
  const ask = (timezone: string) =>
    resolveRange({ fromMs: NOW * 1_000 - 1, toMs: NOW * 1_000, bucket: 'day', timezone }, 0, NOW);
  for (let asked = 0; asked < 2; asked++) {
    expect(() => ask('Mars/Olympus')).toThrow('"Mars/Olympus" is not an IANA time zone');
    expect(ask('Europe/Stockholm').starts).toHaveLength(1);
  }
});

test.each([
  ['2026-11-01', 'UTC', '2026-11-01T00:00:00.000Z'],
  ['2026-11-01', 'Asia/Kolkata', '2026-10-31T18:30:00.000Z'],
  ['2026-11-01', 'America/New_York', '2026-11-01T04:00:00.000Z'],
  ['2026-11-02', 'America/New_York', '2026-11-02T05:00:00.000Z'],
  ['2026-09-06', 'America/Santiago', '2026-09-06T04:00:00.000Z'],
])('%s begins in %s at %s, also where a clock change leaves midnight out', (date, timezone, time) => {
  expect(new Date(startOfDayMs(date, timezone)).toISOString()).toBe(time);
});

test.each<[Bucket | 'auto', hours: number, daysAgo: number, Bucket]>([
  ['auto', 3, 0, 'minute'],
  ['auto', 3, 15, 'quarter_hour'],
  ['auto', 36, 15, 'quarter_hour'],
  ['auto', 37, 15, 'hour'],
])('%s over %d hours, %d days ago, minutes being kept for 14', (bucket, hours, daysAgo, used) => {
  const toMs = NOW * 1_000 - daysAgo * 86_400_000;
  const asked = { fromMs: toMs - hours * 3_600_000, toMs, bucket, timezone: 'UTC' };
  expect(resolveRange(asked, NOW - 14 * 86_400, NOW).bucket).toBe(used);
});
