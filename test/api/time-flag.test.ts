import { expect, test } from 'vitest';
import { timeFlag } from '../../api/commands/time-flag.ts';

test.each([
  ['2027-01-31', '2027-01-31T00:00:00.000Z'],
  ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ['2026-11-22T08:00Z', '2026-11-22T08:00:00.000Z'],
  ['2026-11-22T08:00:30+02:00', '2026-11-22T06:00:30.000Z'],
  ['2026-11-22T08:00:30.25-05:30', '2026-11-22T13:30:30.250Z'],
])('%s is %s', (text, time) => {
  expect(timeFlag('--until', text, '2h')).toBe(time);
});

test.each([
  ['a time of day without its offset', '2026-11-22T08:00'],
  ['a day that no month has', '2026-02-30'],
  ['a day that no month has, at a time', '2026-02-30T12:00:00Z'],
  ['an hour that no day has', '2026-02-03T25:00:00Z'],
  ['a month alone', '2026-02'],
  ['words', 'tomorrow'],
  ['a number', '1796032800'],
  ['nothing', ''],
])('%s is refused, naming the flag', (_, text) => {
  expect(() => timeFlag('--until', text, '2h')).toThrow(`--until: "${text}" is not a time such as 2h`);
});
