import { describe, expect, it } from 'vitest';
import { bucketEnd, bucketFits, slotsOf } from '../../dashboards/time/buckets.ts';
import { relativeTime, slotLabel, wallClockInput } from '../../dashboards/time/label.ts';
import { DAY, HOUR, resolveRange, shiftRange } from '../../dashboards/time/range.ts';
import { tickLabels, tickStep, timeTicks } from '../../dashboards/time/ticks.ts';
import { instantOfInput } from '../../dashboards/time/wall-clock-input.ts';
import { instantOf, knownZone, offsetAt, offsetLabel, startOfLocalDay } from '../../dashboards/time/zone.ts';

const at = (text: string) => Date.parse(text);
const iso = (time: number) => new Date(time).toISOString().replace(':00.000Z', 'Z');

describe('zones', () => {
  it.each([
    ['2026-07-01T12:00Z', 'Europe/Stockholm', 2],
    ['2026-12-01T12:00Z', 'Europe/Stockholm', 1],
    ['2026-12-01T12:00Z', 'Asia/Kolkata', 5.5],
    ['2026-12-01T12:00Z', 'America/New_York', -5],
    ['2026-12-01T12:00Z', 'Asia/Kathmandu', 5.75],
    ['2026-12-01T12:00Z', 'UTC', 0],
  ])('offset at %s in %s is %s h', (time, zone, hours) => expect(offsetAt(at(time), zone)).toBe(hours * HOUR));

  it.each([
    ['Europe/Stockholm', 'UTC+1'],
    ['Asia/Kolkata', 'UTC+5:30'],
    ['America/New_York', 'UTC−5'],
    ['UTC', 'UTC'],
  ])('names the offset of %s %s', (zone, label) => expect(offsetLabel(at('2026-12-01T00:00Z'), zone)).toBe(label));

  it.each([
    ['plain', { year: 2026, month: 5, day: 3, hour: 14, minute: 30 }, '2026-05-03T12:30Z'],
    ['skipped in spring', { year: 2026, month: 3, day: 29, hour: 2, minute: 30 }, '2026-03-29T01:30Z'],
    ['month and day overflow', { year: 2026, month: 13, day: 32, hour: 0, minute: 0 }, '2027-01-31T23:00Z'],
  ])('reads a wall clock: %s', (_, wall, expected) => expect(iso(instantOf(wall, 'Europe/Stockholm'))).toBe(expected));

  it('finds midnight on the day the clocks change', () => {
    expect(iso(startOfLocalDay(at('2026-03-29T15:00Z'), 'Europe/Stockholm'))).toBe('2026-03-28T23:00Z');
    expect(iso(startOfLocalDay(at('2026-03-29T15:00Z'), 'Europe/Stockholm', 1))).toBe('2026-03-29T22:00Z');
  });

  it.each([
    ['Europe/Stockholm', 'Europe/Stockholm'],
    ['Mars/Olympus', null],
    ['', null],
    [null, null],
  ])('zone %s of an address becomes %s', (name, zone) => expect(knownZone(name)).toBe(zone));
});

describe('ranges', () => {
  const now = at('2026-11-20T21:17:42Z');
  it.each([
    ['1h', 'UTC', '2026-11-20T20:17Z'],
    ['6h', 'UTC', '2026-11-20T15:15Z'],
    ['24h', 'UTC', '2026-11-19T21:00Z'],
    ['24h', 'Asia/Kolkata', '2026-11-19T20:30Z'],
    ['7d', 'Europe/Stockholm', '2026-11-12T23:00Z'],
    ['30d', 'Europe/Stockholm', '2026-10-20T22:00Z'],
  ] as const)('%s in %s begins at %s', (preset, zone, from) => {
    const span = resolveRange({ preset }, now, zone);
    expect(iso(span.from)).toBe(from);
    expect(span.to).toBe(now);
  });

  it('turns pages, but not into the future', () => {
    const span = { from: now - 3 * DAY, to: now - 2.5 * DAY };
    expect(shiftRange(span, -1, now, 'UTC')).toEqual({ from: at('2026-11-17T09:15Z'), to: now - 3 * DAY });
    expect(shiftRange({ from: now - DAY, to: now - HOUR }, 1, now, 'UTC').to).toBe(now);
  });

  it.each([
    ['30d', '2026-10-20T22:00Z', '2026-09-19T22:00Z', '2026-10-20T22:00Z'],
    ['3d', '2026-11-17T21:00Z', '2026-11-14T20:00Z', '2026-11-17T21:00Z'],
    ['1h', '2026-11-20T20:17Z', '2026-11-20T19:16Z', '2026-11-20T20:17Z'],
  ] as const)('the period before %s begins with a whole bucket', (preset, shown, from, to) => {
    const span = resolveRange({ preset }, now, 'Europe/Stockholm');
    expect(iso(span.from)).toBe(shown);
    const { from: shifted, to: end } = shiftRange(span, -1, now, 'Europe/Stockholm');
    expect([iso(shifted), iso(end)]).toEqual([from, to]);
  });

  it('round-trips what a date field shows, in a zone that is not the browser’s', () => {
    const text = wallClockInput(now, 'Asia/Kolkata');
    expect(text).toBe('2026-11-21T02:47');
    expect(iso(instantOfInput(text, 'Asia/Kolkata')!)).toBe('2026-11-20T21:17Z');
    expect(instantOfInput('soon', 'UTC')).toBeNull();
  });
});

describe('buckets', () => {
  const on = (clock: string) => `2026-01-01T${clock}:00Z`;
  /** Two hours, in an answer for a range that may cut them. */
  const hours = (from: string, to: string, until: string) => ({
    series: [{ start: on('00:00') }, { start: on('01:00') }],
    bucket: 'hour' as const,
    timezone: 'UTC',
    from: on(from),
    to: on(to),
    complete_until: on(until),
  });

  it.each([
    ['day of 23 hours', '2026-03-28T23:00Z', 'day', '2026-03-29T22:00Z'],
    ['day of 25 hours', '2026-10-24T22:00Z', 'day', '2026-10-25T23:00Z'],
    ['hour', '2026-10-25T00:00Z', 'hour', '2026-10-25T01:00Z'],
    ['week over a change', '2026-10-18T22:00Z', 'week', '2026-10-25T23:00Z'],
    ['month', '2026-09-30T22:00Z', 'month', '2026-10-31T23:00Z'],
  ] as const)('%s', (_, start, bucket, end) => {
    expect(iso(bucketEnd(at(start), bucket, 'Europe/Stockholm'))).toBe(end);
  });

  it('marks what ends after complete_until', () => {
    const slots = slotsOf(hours('00:00', '02:00', '01:30'));
    expect(slots.map((slot) => slot.complete)).toEqual([true, false]);
  });

  it.each([
    ['whole', '00:00', '02:00', '09:00', [false, false], [true, true]],
    ['begun late', '00:10', '02:00', '09:00', [true, false], [true, true]],
    ['ended early', '00:00', '01:30', '09:00', [false, true], [true, true]],
    ['begun late and ended early', '00:10', '01:30', '09:00', [true, true], [true, true]],
    ['up to now', '00:00', '01:30', '01:25', [false, false], [true, false]],
  ])('marks what reaches beyond the range: %s', (_, from, to, until, cut, complete) => {
    const slots = slotsOf(hours(from, to, until));
    expect(slots.map((slot) => slot.cut)).toEqual(cut);
    expect(slots.map((slot) => slot.complete)).toEqual(complete);
  });

  it('offers no bucket that makes stripes', () => {
    expect(bucketFits('minute', 90 * DAY)).toBe(false);
    expect(bucketFits('hour', 90 * DAY)).toBe(true);
    expect(bucketFits('auto', 900 * DAY)).toBe(true);
  });
});

describe('time axis', () => {
  it.each([
    [HOUR, 12, { minutes: 5 }],
    [DAY, 12, { minutes: 120 }],
    [7 * DAY, 12, { days: 1 }],
    [90 * DAY, 13, { days: 7 }],
    [365 * DAY, 12, { months: 2 }],
  ])('length %s with room for %s steps by %o', (length, room, step) => expect(tickStep(length, room)).toEqual(step));

  it('keeps whole local hours across the change of clocks, whatever zone the machine is in', () => {
    const ticks = timeTicks(at('2026-03-28T23:00Z'), at('2026-03-29T22:00Z'), 'Europe/Stockholm', 8);
    expect(ticks.map(iso)).toEqual([
      '2026-03-28T23:00Z',
      '2026-03-29T01:00Z',
      '2026-03-29T04:00Z',
      '2026-03-29T07:00Z',
      '2026-03-29T10:00Z',
      '2026-03-29T13:00Z',
      '2026-03-29T16:00Z',
      '2026-03-29T19:00Z',
      '2026-03-29T22:00Z',
    ]);
    const labels = tickLabels(ticks, 'Europe/Stockholm', 'en-GB');
    expect(labels).toEqual(['29 Mar', '03:00', '06:00', '09:00', '12:00', '15:00', '18:00', '21:00', '30 Mar']);
  });

  it('marks local midnights in a half-hour zone', () => {
    const ticks = timeTicks(at('2026-11-01T00:00Z'), at('2026-11-04T00:00Z'), 'Asia/Kolkata', 3);
    expect(ticks.map(iso)).toEqual(['2026-11-01T18:30Z', '2026-11-02T18:30Z', '2026-11-03T18:30Z']);
  });

  it('marks Mondays when it counts in weeks', () => {
    const ticks = timeTicks(at('2026-08-23T00:00Z'), at('2026-09-08T00:00Z'), 'UTC', 3);
    expect(ticks.map(iso)).toEqual(['2026-08-24T00:00Z', '2026-08-31T00:00Z', '2026-09-07T00:00Z']);
  });
});

describe('labels', () => {
  it.each([
    ['hour', '2026-10-25T00:00Z', '2026-10-25T01:00Z', /25 Oct.*02:00 – 02:00 (CEST|GMT\+2)/],
    ['hour', '2026-10-25T01:00Z', '2026-10-25T02:00Z', /25 Oct.*02:00 – 03:00 (CET|GMT\+1)/],
    ['day', '2026-11-10T23:00Z', '2026-11-11T23:00Z', /11 Nov 2026/],
    ['week', '2026-11-08T23:00Z', '2026-11-15T23:00Z', /9.*15 Nov/],
    ['month', '2026-09-30T22:00Z', '2026-10-31T23:00Z', /October 2026/],
  ] as const)('%s from %s', (bucket, start, end, expected) => {
    const slot = { start: at(start), end: at(end), complete: true };
    expect(slotLabel(slot, bucket, 'Europe/Stockholm', 'en-GB')).toMatch(expected);
  });

  it.each([
    [3_000, 'just now'],
    [120_000, '2 min. ago'],
    [3 * HOUR, '3 hr. ago'],
    [DAY, 'yesterday'],
    [-5 * DAY, 'in 5 days'],
    [90 * DAY, '3 mo. ago'],
  ])('%s ms ago reads "%s"', (age, text) => expect(relativeTime(1e12 - age, 1e12, 'en-US')).toBe(text));
});
