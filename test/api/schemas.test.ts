import { expect, test } from 'vitest';
import { ConditionQuery, time_ms } from '../../api/schemas.ts';

test.each([
  ['2026-11-01', '2026-11-01T00:00:00.000Z'],
  ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ['2026-11-01T12:30Z', '2026-11-01T12:30:00.000Z'],
  ['2026-11-01T12:30:00.25Z', '2026-11-01T12:30:00.250Z'],
  ['2026-11-01T00:00:00+05:30', '2026-10-31T18:30:00.000Z'],
])('the time %s is %s', (text, instant) => {
  expect(new Date(time_ms.parse(text)).toISOString()).toBe(instant);
});

test.each([
  ['no offset', '2026-11-01T00:00:00'],
  ['no such day', '2026-02-30'],
  ['no such day', '2026-02-29T00:00:00Z'],
  ['no such month', '2026-13-01'],
  ['no such hour', '2026-11-01T25:00:00Z'],
  ['text behind it', '2026-11-01 (x)'],
  ['a space in the middle', '2026-11-01 12:00:00Z'],
  ['a plus that a URL made a space', '2026-11-01T00:00:00 02:00'],
  ['words', 'yesterday'],
  ['nothing', ''],
])('%s is refused: "%s"', (_name, text) => {
  expect(time_ms.safeParse(text).error?.issues[0]?.message).toMatch(/^must be a date such as .* with its offset/);
});

test('filters find methods and countries as they are stored, however they are written', () => {
  expect(ConditionQuery.parse({ method: 'get', country: 'se', route: '/Orders' })).toEqual({
    method: 'GET',
    country: 'SE',
    route: '/Orders',
    status: '',
  });
});
