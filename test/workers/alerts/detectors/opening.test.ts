import { describe, expect, it } from 'vitest';
import { agreedSurprise } from '../../../../workers/alerts/detectors/agreement.ts';
import { Confirmation } from '../../../../workers/alerts/detectors/confirmation.ts';
import type { Evidence } from '../../../../workers/alerts/detectors/level-evidence.ts';
import { OpenOnce } from '../../../../workers/alerts/detectors/open-once.ts';

describe('open once', () => {
  it.each([
    // surprise after the opening of 4, rows after it, let through
    [5, 1, false],
    [5.6, 1, true],
    [4.5, 10, false],
    [5, 10, true],
    [4.2, 11, false],
    [4.5, 11, true],
    [2.5, 12, true],
  ])('surprise %f, %i rows after an opening of 4 with 12 rows of quiet: %s', (surprise, rowsAfter, through) => {
    const pacing = new OpenOnce();
    expect(pacing.let(4, 12)).toBe(4);
    for (let row = 1; row < rowsAfter; row++) expect(pacing.let(0, 12)).toBe(0);
    expect(pacing.let(surprise, 12)).toBe(through ? surprise : 0);
  });

  it('is not silenced by small talk', () => {
    const pacing = new OpenOnce();
    expect(pacing.let(1.9, 12)).toBe(1.9);
    expect(pacing.let(2.1, 12)).toBe(2.1);
  });
});

describe('confirmation', () => {
  const usual = { value: 10, median: 8 };
  it.each([
    ['a rise in an hour row counts at once', 24, false, 4],
    ['a fall in an hour row counts at once', 24, true, 4],
    ['a rise in a 5-minute row waits for a part', 288, false, 3.2],
    ['a fall in a 5-minute row waits for more', 288, true, 2.4],
    ['a rise in a minute row counts at once', 1440, false, 4],
    ['a fall in a minute row waits', 1440, true, 2.4],
  ])('%s', (_, rowsPerDay, falls, counted) => {
    const confirmation = new Confirmation();
    expect(confirmation.confirmed(4, { ...usual, falls }, rowsPerDay)).toBeCloseTo(counted);
    expect(confirmation.confirmed(4, { ...usual, falls }, rowsPerDay)).toBeCloseTo(4);
  });

  it('takes the first zero for a missing sample and the second for a stop', () => {
    const confirmation = new Confirmation();
    const zero = { falls: true, value: 0, median: 8 };
    expect(confirmation.confirmed(0, { ...usual, falls: false }, 24)).toBe(0);
    expect(confirmation.confirmed(4, zero, 24)).toBe(1);
    expect(confirmation.confirmed(4, zero, 24)).toBe(4);
  });

  it('leaves the zeros of a series alone that is usually zero, or that was expected to be', () => {
    expect(new Confirmation().confirmed(4, { falls: true, value: 0, median: 0 }, 24)).toBe(4);
    expect(new Confirmation().confirmed(4, { falls: false, value: 0, median: 8 }, 24)).toBe(4);
  });
});

describe('agreed surprise', () => {
  const said = (surprise: number, overWindow = false): Evidence => ({ finding: 'jump', surprise, overWindow });

  it('is the one answer when there is one, and more when several agree', () => {
    expect(agreedSurprise([said(3)], 0, 1000)).toBeCloseTo(3);
    const both = agreedSurprise([said(3), said(3)], 0, 1000);
    expect(both).toBeGreaterThan(3);
    expect(both).toBeLessThan(6);
  });

  it('lets a mean over many rows lead what the row says by one decade only', () => {
    const bounded = agreedSurprise([said(1), said(9, true)], 0, 1000);
    expect(bounded).toBeCloseTo(agreedSurprise([said(1), said(2, true)], 0, 1000));
    expect(agreedSurprise([said(9), said(1, true)], 0, 1000)).toBeGreaterThan(8.9);
  });

  it('asks more of a long past and gives a short one no more than that of 500 rows', () => {
    expect(agreedSurprise([said(3)], 0, 10_000)).toBeCloseTo(2.3);
    expect(agreedSurprise([said(3)], 0, 100)).toBe(agreedSurprise([said(3)], 0, 500));
  });

  it('is nothing without answers, and never negative', () => {
    expect(agreedSurprise([], 1, 1000)).toBe(0);
    expect(agreedSurprise([said(0)], 1, 1000)).toBe(0);
    expect(agreedSurprise([said(0.1)], -1, 1000)).toBe(0);
  });
});
