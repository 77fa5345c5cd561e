import { describe, expect, it } from 'vitest';
import { pointChange, relativeChange } from '../../dashboards/format/change.ts';
import { formatCompact, formatMilliseconds, formatPercent } from '../../dashboards/format/number.ts';

const LOCALE = 'en-US';

describe('numbers', () => {
  it.each([
    [null, '–'],
    [0, '0'],
    [99_999, '99,999'],
    [1_234_567, '1.23M'],
    [100_000, '100K'],
  ])('shows the count %s as %s', (value, text) => expect(formatCompact(value, LOCALE)).toBe(text));

  it.each([
    [null, '–'],
    [Number.NaN, '–'],
    [0, '0%'],
    [0.000_001, '<0.1%'],
    [0.0042, '0.42%'],
    [0.1234, '12.3%'],
    [0.9994, '99.9%'],
    [1, '100%'],
    [1.1, '110%'],
  ])('shows the rate %s as %s', (value, text) => expect(formatPercent(value, LOCALE)).toBe(text));

  it.each([
    [null, '–'],
    [0, '0 ms'],
    [0.2, '<1 ms'],
    [8.25, '8.3 ms'],
    [131.6, '132 ms'],
    [1_234, '1.23 s'],
    [90_000, '1.5 min'],
  ])('shows %s milliseconds as %s', (value, text) => expect(formatMilliseconds(value, LOCALE)).toBe(text));
});

describe('change against the period before', () => {
  it.each([
    [null, 5, 'unknown', ''],
    [5, null, 'unknown', ''],
    [0, 0, 'flat', ''],
    [5, 0, 'new', 'new'],
    [0, 5, 'down', '−100%'],
    [100, 100, 'flat', 'no change'],
    [112, 100, 'up', '+12%'],
    [88, 100, 'down', '−12%'],
    [4_300, 100, 'up', '×43'],
  ] as const)('from %s, before %s: %s "%s"', (current, previous, direction, text) => {
    expect(relativeChange(current, previous, LOCALE)).toEqual({ direction, text });
  });

  it.each([
    [null, 0.1, 'unknown', ''],
    [0.03, 0.03, 'flat', 'no change'],
    [0.035, 0.03, 'up', '+0.5 pts'],
    [0.02, 0.52, 'down', '−50 pts'],
  ] as const)('rate %s, before %s: %s "%s"', (current, previous, direction, text) => {
    expect(pointChange(current, previous, LOCALE)).toEqual({ direction, text });
  });
});
