import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ErrorBucket,
  judgeErrorRatio,
  usualErrorRatio,
  wilsonLowerBound,
} from '../../../../workers/alerts/detectors/error-ratio.ts';
import {
  growth,
  type HourSample,
  requestBaseline,
  rungFor,
} from '../../../../workers/alerts/detectors/request-baseline.ts';
import { countScore, judgeRequestRate, type RateBucket } from '../../../../workers/alerts/detectors/request-rate.ts';
import { judgeSilence, silenceNats } from '../../../../workers/alerts/detectors/silence.ts';
import { seededRandom } from '../seeded-random.ts';
import { simulate } from '../simulate-counts.ts';

const weeks = (mean: number, variance = mean): HourSample[] =>
  [0.97, 1.02, 1, 0.99, 1.03, 1].map((f) => ({ mean: mean * f, variance }));
const baseline = requestBaseline('hour of week', weeks(40));
const buckets = (requests: number[], of = baseline): RateBucket[] =>
  requests.map((one) => ({ requests: one, baseline: of, growth: 1 }));
const calm = (length: number): number[] => Array.from({ length }, (_, at) => 40 + (at % 3));

describe('request baseline', () => {
  it.each([
    [0.5, 'caps only'],
    [1, 'last day'],
    [7, 'hour of day'],
    [27.9, 'hour of day'],
    [28, 'hour of week'],
  ])('a key of %d days is judged by %s', (ageDays, rung) => {
    expect(rungFor(ageDays)).toBe(rung);
  });

  it('is not moved by one week of incident', () => {
    const struck = [...weeks(40).slice(1), { mean: 4000, variance: 40 }];
    expect(requestBaseline('hour of week', struck).mean).toBeCloseTo(40, -1);
  });

  it('takes a key of few days as unsteady, and an hour that happened to agree as its key usually is', () => {
    expect(requestBaseline('last day', weeks(40)).within).toBe(4);
    const steady = requestBaseline('hour of week', weeks(40)).between;
    expect(requestBaseline('hour of week', weeks(40), 0.04).between).toBeGreaterThan(5 * steady);
  });

  it('growth follows the key, not an hour of incident', () => {
    const hours = Array.from({ length: 24 }, () => ({ requests: 130, expected: 100 }));
    expect(growth(hours)).toBeCloseTo(1.3, 1);
    expect(growth([...hours.slice(1), { requests: 100_000, expected: 100 }])).toBeCloseTo(1.3, 1);
    expect(growth(hours.map((one) => ({ ...one, requests: 9000 })))).toBe(2);
    expect(growth([])).toBe(1);
  });
});

describe('count score', () => {
  it.each([
    ['Poisson, mean 5', 5, 1],
    ['Poisson, mean 100', 100, 1],
    ['overdispersed, mean 20', 20, 5],
    ['overdispersed, mean 400', 400, 60],
  ])('is about standard normal: %s', (_, mean, dispersion) => {
    const random = seededRandom(mean);
    const shape = mean / Math.max(1e-9, dispersion - 1);
    const draws = Array.from({ length: 40_000 }, () =>
      random.poisson(dispersion === 1 ? mean : (mean * random.gamma(shape)) / shape),
    );
    const scores = draws.map((one) => countScore(one, mean, dispersion));
    const beyond = (limit: number): number =>
      scores.filter((z) => (limit > 0 ? z > limit : z < limit)).length / scores.length;
    expect(beyond(2)).toBeLessThan(0.03);
    expect(beyond(-2)).toBeLessThan(0.03);
    expect(beyond(4.5)).toBeLessThan(0.0002);
    expect(beyond(-4.5)).toBeLessThan(0.0002);
  });

  it('grows with the count and is near zero at the mean', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.02, max: 5000, noNaN: true }),
        fc.double({ min: 1, max: 100, noNaN: true }),
        (mean, dispersion) => {
          const scores = [0, 0.5, 1, 2, 10].map((times) => countScore(Math.round(mean * times), mean, dispersion));
          expect(scores).toEqual([...scores].sort((a, b) => a - b));
        },
      ),
    );
  });
});

describe('request rate', () => {
  it('is quiet on ordinary counts', () => {
    expect(judgeRequestRate(buckets(calm(36))).level).toBe('clear');
  });

  it('a spike needs two of three buckets, and says what it saw', () => {
    const slow = buckets(calm(36));
    const one = judgeRequestRate([...slow.slice(1), ...buckets([85])]);
    expect(one.level).toBe('hold');
    const two = judgeRequestRate([...slow.slice(2), ...buckets([85, 88])]);
    expect(two).toMatchObject({
      level: 'breach',
      direction: 'spike',
      digestOnly: false,
      baselineSpan: 'this hour in the last 6 weeks',
    });
    expect(two.expected).toBeGreaterThan(30);
  });

  it('an hour at half the rate is a drop even though no bucket is remarkable', () => {
    const verdict = judgeRequestRate(buckets([...calm(24), ...Array.from({ length: 12 }, () => 24)]));
    expect(verdict).toMatchObject({ level: 'breach', direction: 'drop' });
    expect(verdict.windowMinutes).toBeGreaterThanOrEqual(15);
  });

  it('two users instead of none belong into the digest', () => {
    const sunday = requestBaseline('hour of week', weeks(0.05));
    expect(judgeRequestRate(buckets([0, 0, 0, 4, 4, 4], sunday)).digestOnly).toBe(true);
  });

  it('a key without a day of history is left to its caps', () => {
    const young = requestBaseline('caps only', []);
    expect(judgeRequestRate(buckets([900, 900, 900], young)).level).toBe('clear');
    expect(judgeRequestRate([]).level).toBe('clear');
  });

  it('a key that turns one day old is not compared with the time when nothing was expected of it', () => {
    const [unknown, known] = [requestBaseline('caps only', []), requestBaseline('last day', weeks(40))];
    const turning = [...buckets(calm(33), unknown), ...buckets(calm(3), known)];
    expect(judgeRequestRate(turning).level).toBe('clear');
    expect(judgeRequestRate([...turning.slice(2), ...buckets([900, 900], known)]).direction).toBe('spike');
  });
});

describe('silence', () => {
  it('of a steady key is noticed, of a slow one it is not', () => {
    expect(judgeSilence(buckets([41, 0]), 40)).toMatchObject({ level: 'breach', silentMinutes: 5 });
    const slow = requestBaseline('hour of week', weeks(0.5));
    expect(judgeSilence(buckets([1, ...Array.from({ length: 12 }, () => 0)], slow), 40).level).toBe('hold');
    expect(judgeSilence(buckets([1, ...Array.from({ length: 60 }, () => 0)], slow), 40).level).toBe('breach');
  });

  it('ends with the first request and is not asked of a young key', () => {
    expect(judgeSilence(buckets([0, 0, 1]), 40).level).toBe('clear');
    expect(judgeSilence(buckets([41, 0, 0]), 13).level).toBe('clear');
  });

  const silent = (length: number, of: typeof baseline) =>
    judgeSilence(buckets([41, ...Array.from({ length }, () => 0)], of), 40).level;

  it('a short one must be stranger than a long one of which as much was expected', () => {
    expect(silent(1, requestBaseline('hour of week', weeks(16)))).toBe('hold');
    expect(silent(12, requestBaseline('hour of week', weeks(16 / 12)))).toBe('breach');
  });

  it('chance alone makes the weeks of a slow key differ: that is not counted twice', () => {
    const means = [1.1, 1.6, 1.2, 1.7, 1.3, 1.9];
    const slow = requestBaseline(
      'hour of week',
      means.map((mean) => ({ mean, variance: mean })),
    );
    expect(slow.between).toBeGreaterThan(0.5 * (slow.mean / 12));
    expect(silent(12, slow)).toBe('breach');
  });

  it('a key that sends once an hour is silent in between', () => {
    const hourly = requestBaseline('hour of week', weeks(10, 1_200));
    expect([1, 6, 11, 12].map((length) => silent(length, hourly))).toEqual(['hold', 'hold', 'hold', 'hold']);
  });

  it('an unsteady key needs a longer silence', () => {
    expect(silenceNats(30, 1)).toBe(30);
    expect(silenceNats(30, 1.01)).toBeCloseTo(30, 0);
    expect(silenceNats(30, 10)).toBeLessThan(10);
  });
});

describe('error ratio', () => {
  const steady = (requests: number, errors: number, length: number): ErrorBucket[] =>
    Array.from({ length }, () => ({ requests, errors }));
  const judge = (recent: ErrorBucket[], usual = 0.01) => judgeErrorRatio(recent, usual, 'the last 28 days');

  it.each([
    ['92 % of 4 requests', [...steady(1, 0, 11), { requests: 4, errors: 4 }], 'hold'],
    ['half of 100, once', [...steady(100, 1, 11), { requests: 100, errors: 50 }], 'breach'],
    ['a usual ratio of 20 %', steady(100, 20, 12), 'clear'],
    ['no requests', steady(0, 0, 12), 'clear'],
    ['slow key, 8 of 12 in an hour', steady(1, 0, 4).concat(steady(1, 1, 8)), 'breach'],
    ['errors long over', [...steady(100, 50, 6), ...steady(100, 0, 6)], 'clear'],
  ] as const)('%s: %s', (name, recent, level) => {
    expect(judge([...recent], name.startsWith('a usual') ? 0.2 : 0.01).level).toBe(level);
  });

  it('Wilson bound matches the published example and never leaves 0..ratio', () => {
    // 10 of 20 at z = 1.96: 0.299 (Newcombe 1998, the interval 0.299..0.701).
    expect(wilsonLowerBound(10, 20, 1.96)).toBeCloseTo(0.299, 3);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (requests, share) => {
          const errors = Math.floor(requests * share);
          const bound = wilsonLowerBound(errors, requests, 3);
          expect(bound).toBeGreaterThanOrEqual(0);
          expect(bound).toBeLessThanOrEqual(errors / requests + 1e-12);
        },
      ),
    );
    expect(usualErrorRatio(0, 0)).toBeCloseTo(0.02);
  });
});

describe('simulated fleet', () => {
  it('raises few false alerts and catches outages, bursts and error storms', () => {
    const results = simulate(120, 9);
    const rate = results.find((one) => one.rule === 'request rate + silence')!;
    const errors = results.find((one) => one.rule === 'error ratio')!;
    const naive = results.find((one) => one.rule === '> 3x 7-day mean')!;
    expect(rate.falsePerKeyWeek).toBeLessThanOrEqual(0.02);
    expect(errors.falsePerKeyWeek).toBeLessThanOrEqual(0.02);
    expect(naive.falsePerKeyWeek).toBeGreaterThan(20);
    const share = (one: { caught: number; of: number } | undefined): number => (one ? one.caught / one.of : 1);
    expect(share(rate.caughtCounts['outage 1 h'])).toBeGreaterThanOrEqual(0.5);
    expect(share(rate.caughtCounts['x20 30 min'])).toBeGreaterThanOrEqual(0.75);
    expect(share(errors.caughtCounts['errors 50 % 30 min'])).toBeGreaterThanOrEqual(0.4);
  });
});
