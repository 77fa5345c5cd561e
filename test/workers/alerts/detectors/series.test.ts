import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seriesDetector } from '../../../../workers/alerts/detectors/series.ts';
import { SortedWindow } from '../../../../workers/alerts/detectors/sorted-window.ts';
import { upperTailSurprise } from '../../../../workers/alerts/detectors/tail-surprise.ts';
import { artificialSeries } from '../artificial-series.ts';
import { seededRandom } from '../seeded-random.ts';
import { bestWindowScore, windowsAround } from '../window-score.ts';

const HOUR = 3600;

function scoresOf(values: number[], stepSeconds = HOUR): number[] {
  const detector = seriesDetector();
  return values.map((value, row) => detector.judge(row * stepSeconds, value).score);
}

describe('series detector', () => {
  it('opens once at a burst and stays low while it lasts', () => {
    const random = seededRandom(3);
    const values = Array.from(
      { length: 600 },
      (_, row) => 100 + 5 * random.normal() + (row >= 500 && row < 508 ? 200 : 0),
    );
    const scores = scoresOf(values);
    expect(scores[500]).toBeGreaterThan(0.6);
    expect(scores.slice(501, 508).filter((score) => score > 0.5).length).toBeLessThanOrEqual(1);
  });

  it('notices the missing rush of a daily season', () => {
    const random = seededRandom(4);
    const values = Array.from({ length: 24 * 21 }, (_, row) => {
      const rush = row % 24 >= 9 && row % 24 < 18 && Math.floor(row / 24) !== 18;
      return (rush ? 400 : 100) + 8 * random.normal();
    });
    const scores = scoresOf(values);
    const day = scores.slice(18 * 24 + 9, 18 * 24 + 18);
    expect(Math.max(...day)).toBeGreaterThan(0.5);
  });

  it('opens no second time while a burst climbs and ends', () => {
    const random = seededRandom(7);
    const climb: Record<number, number> = { 500: 40, 501: 60, 502: 80 };
    const values = Array.from({ length: 511 }, (_, row) => 100 + 5 * random.normal() + (climb[row] ?? 0));
    const scores = scoresOf(values);
    expect(scores[500]).toBeGreaterThan(0.6);
    expect(Math.max(...scores.slice(501))).toBe(0);
  });

  it('takes one zero of a restless series for a missing sample and tells the second', () => {
    const random = seededRandom(10);
    const values = Array.from({ length: 700 }, () => 100 * Math.exp(0.5 * random.normal()));
    values[500] = 0;
    values[600] = values[601] = 0;
    const scores = scoresOf(values);
    expect(scores[500]).toBeLessThan(0.5);
    expect(scores[600]).toBeLessThan(0.5);
    expect(scores[601]).toBeGreaterThan(0.5);
  });

  it('explains itself', () => {
    const random = seededRandom(5);
    const rows = Array.from({ length: 24 * 20 + 12 }, (_, row) => ({
      timeSeconds: row * HOUR,
      value: 100 + 60 * Math.sin((row * Math.PI) / 12) + 4 * random.normal(),
    }));
    rows.at(-1)!.value = 700;
    const detector = seriesDetector();
    const verdict = rows.map(({ timeSeconds, value }) => detector.judge(timeSeconds, value)).at(-1)!;
    expect(verdict.value).toBe(700);
    expect(verdict.expected).toBeGreaterThan(80);
    expect(verdict.expected).toBeLessThan(150);
    expect(verdict.baselineSpan).toMatch(/^this time of (day|week)/);
    expect(verdict.evidence[0]!.surprise).toBeGreaterThan(2);
  });

  it.each([
    ['constant', () => 42],
    ['zero', () => 0],
    ['negative', () => -3],
  ])('says nothing about a %s series', (_, value) => {
    expect(Math.max(...scoresOf(Array.from({ length: 500 }, value)))).toBe(0);
  });

  it('survives anything: scores stay in 0..1 for any values and times', () => {
    const value = fc.oneof(fc.double(), fc.integer({ min: -5, max: 5 }), fc.constant(Number.NaN));
    const row = fc.tuple(fc.integer({ min: -10, max: 100_000 }), value);
    fc.assert(
      fc.property(fc.array(row, { minLength: 70, maxLength: 200 }), (rows) => {
        const detector = seriesDetector();
        let time = 0;
        for (const [gap, one] of rows) {
          const { score } = detector.judge((time += gap), one);
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 100, endOnFailure: true },
    );
  });

  it('does not depend on the unit of a series', () => {
    const random = seededRandom(6);
    const values = Array.from({ length: 800 }, () => 50 * Math.exp(0.3 * random.normal()));
    const plain = scoresOf(values);
    const scaled = scoresOf(values.map((value) => value * 4096));
    scaled.forEach((score, row) => {
      expect(score).toBeCloseTo(plain[row]!, 6);
    });
  });

  it('keeps its early-detection score on artificial series it was not developed on', () => {
    const scored = artificialSeries(77)
      .filter((series) => series.values.length < 5000)
      .map((series) => {
        const detector = seriesDetector();
        const scores = series.values.map((value, row) => detector.judge(series.timesSeconds[row]!, value).score);
        const starts = series.incidents.map((incident) => incident.first);
        return { name: series.name, scores, windows: windowsAround(starts, scores.length) };
      });
    expect(bestWindowScore(scored).score).toBeGreaterThan(70);
  });
});

describe('sorted window', () => {
  it('ranks as a sorted copy of the last numbers would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 12 }),
        (values, size) => {
          const window = new SortedWindow(size);
          values.forEach((value, index) => {
            window.add(value);
            const last = values.slice(Math.max(0, index + 1 - size), index + 1).sort((a, b) => a - b);
            expect(Array.from({ length: window.size }, (_, rank) => window.at(rank))).toEqual(last);
            expect(window.lowerBound(0)).toBe(last.filter((one) => one < 0).length);
          });
        },
      ),
    );
  });
});

describe('tail surprise', () => {
  it('grows with the value and asks more of a bursty past', () => {
    const random = seededRandom(8);
    const [calm, bursty] = [new SortedWindow(2000), new SortedWindow(2000)];
    for (let row = 0; row < 2000; row++) {
      calm.add(Math.abs(random.normal()));
      bursty.add((1 - random.uniform()) ** -0.7);
    }
    const levels = [0.5, 1, 2, 3, 5, 8, 20];
    const surprises = levels.map((level) => upperTailSurprise(calm, level, 1e-9));
    expect(surprises).toEqual([...surprises].sort((a, b) => a - b));
    const median = bursty.median;
    expect(upperTailSurprise(bursty, 8 * median, 1e-9)).toBeLessThan(upperTailSurprise(calm, 8 * calm.median, 1e-9));
  });

  it('is about uniform on its own kind: one in a hundred reaches two decades', () => {
    const random = seededRandom(9);
    const past = new SortedWindow(3000);
    let high = 0;
    for (let row = 0; row < 8000; row++) {
      const value = Math.abs(random.normal());
      if (row >= 1000 && upperTailSurprise(past, value, 1e-9) >= 2) high++;
      past.add(value);
    }
    expect(high / 7000).toBeGreaterThan(0.005);
    expect(high / 7000).toBeLessThan(0.02);
  });
});
