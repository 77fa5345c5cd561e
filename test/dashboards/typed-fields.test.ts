import { describe, expect, test } from 'vitest';
import {
  idsOf,
  idsText,
  listText,
  namesOf,
  namesText,
  numbersOf,
  numbersText,
} from '../../dashboards/forms/list-text.ts';
import { numberText, scaledNumberOf, shownText } from '../../dashboards/forms/shown-text.ts';
import { completed, NEW_POLICY, ofKind } from '../../dashboards/policies/policy-draft.ts';

const idsReread = (text: string) => idsText(idsOf(text));
const inPercent = (text: string) => numberText(scaledNumberOf(text, 100), 100);

describe('a field whose value is read as it is typed', () => {
  test.each([
    ['the comma before the next number', '7, ', '7', numbersText, '7, '],
    ['letters that are no number', '7, x', '7, NaN', numbersText, '7, x'],
    ['ids that a line end joins anew', 'Acme, Inc\n', 'Acme, Inc\n', idsReread, 'Acme, Inc\n'],
    ['ids on lines', 'a\nb', 'a, b', idsReread, 'a\nb'],
    ['an emptied name in the middle', 'a, , c', 'a, c', namesText, 'a, , c'],
    ['a list set from outside', '7, ', '30', numbersText, '30'],
    ['zeros of a number', '1.0', '1', inPercent, '1.0'],
    ['the half of a number', '-', '', inPercent, '-'],
    ['an emptied number', '', '', inPercent, ''],
    ['a number set from outside', '', '15', inPercent, '15'],
  ])('%s', (_, typed, value, canonical, shown) => expect(shownText(typed, value, canonical)).toBe(shown));

  test('reads what it writes', () => {
    expect(numbersOf(listText([7, 1]))).toEqual([7, 1]);
    expect(namesOf(listText(['a', 'b']))).toEqual(['a', 'b']);
    expect([scaledNumberOf('90.5', 100), numberText(0.905, 100)]).toEqual([0.905, '90.5']);
    expect([scaledNumberOf(' '), numberText(null), numberText(undefined), numberText(0)]).toEqual([
      undefined,
      '',
      '',
      '0',
    ]);
  });
});

describe('ids of keys', () => {
  test.each([
    ['key_a, key b,,key_c', ['key_a', 'key b', 'key_c']],
    ['Acme, Inc', ['Acme', 'Inc']],
    ['Acme, Inc\n', ['Acme, Inc']],
    ['Acme, Inc\r\n\n key;b', ['Acme, Inc', 'key;b']],
    [' ', []],
  ])('%j', (text, ids) => expect(idsOf(text)).toEqual(ids));

  test.each([[['a', 'b']], [['Acme, Inc']], [['a b', 'Acme, Inc', 'c']], [[]]])(
    '%j are read as they are written',
    (ids) => expect(idsOf(idsText(ids))).toEqual(ids),
  );
});

describe('another kind of policy', () => {
  test.each([
    ['leaked', { name: 'Leaked', settings: {}, warn_days: [] }],
    ['expired', { name: 'Expired', settings: {}, warn_days: [] }],
    ['abusive', { name: 'Abusive', warn_days: [] }],
    ['unused', { name: 'Unused for 90 days', warn_days: [7, 1] }],
  ] as const)('%s begins with its own name, settings and warnings', (kind, expected) => {
    expect(ofKind(NEW_POLICY, kind)).toMatchObject({ kind, ...expected });
    expect(ofKind(ofKind(NEW_POLICY, 'leaked'), kind)).toEqual(ofKind(NEW_POLICY, kind));
    expect(ofKind({ ...NEW_POLICY, name: 'Mine', max_per_run: 5 }, kind)).toMatchObject({
      name: 'Mine',
      max_per_run: 5,
    });
  });
});

test('a policy without its limit, or with days that are none, is not sent, and says which field it is', () => {
  expect(completed(NEW_POLICY)).toEqual(NEW_POLICY);
  expect(() => completed({ ...NEW_POLICY, max_per_run: null })).toThrow(
    expect.objectContaining({ field: 'max_per_run', detail: 'Say how many keys one run may deactivate at most.' }),
  );
  const days = { field: 'warn_days', detail: 'Whole days, as 7, 1' };
  for (const warn_days of [[Number.NaN, 1], [7.5]])
    expect(() => completed({ ...NEW_POLICY, warn_days })).toThrow(expect.objectContaining(days));
});
