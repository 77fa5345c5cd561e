import { describe, expect, it } from 'vitest';
import {
  jensenShannon,
  judgeCountryMix,
  log10ChiSquaredTail,
  log10NormalTail,
} from '../../../../workers/alerts/detectors/country-mix.ts';
import { judgeFleet } from '../../../../workers/alerts/detectors/fleet-guard.ts';
import { judgeLatency, latencyBaseline } from '../../../../workers/alerts/detectors/latency.ts';
import { judgeNearLimit, type LimitUse } from '../../../../workers/alerts/detectors/near-limit.ts';
import { judgeNovelty, noveltyRate } from '../../../../workers/alerts/detectors/novelty.ts';

describe('latency', () => {
  const usual = latencyBaseline([100, 110, 95, 105, 102, 98], 'this hour in the last 6 weeks');
  const slow = { requests: 200, p95Ms: 260 };
  const normal = { requests: 200, p95Ms: 104 };

  it.each([
    ['slow once', [normal, normal, slow], 'hold'],
    ['slow twice of three', [slow, normal, slow], 'breach'],
    ['slow and over', [slow, slow, normal], 'clear'],
    ['slower, not twice', [normal, { requests: 200, p95Ms: 150 }, { requests: 200, p95Ms: 150 }], 'hold'],
    ['few requests', [slow, slow, { requests: 49, p95Ms: 900 }], 'no_data'],
    ['nothing', [], 'no_data'],
  ])('%s', (_, recent, level) => {
    expect(judgeLatency(recent, usual).level).toBe(level);
  });

  it('says how slow against what', () => {
    const verdict = judgeLatency([slow, slow], usual);
    expect(verdict.expectedMs).toBeCloseTo(101, 0);
    expect(verdict.ratio).toBeCloseTo(2.57, 1);
    expect(verdict.baselineSpan).toBe('this hour in the last 6 weeks');
    expect(judgeLatency([slow, slow], latencyBaseline([100], 'x')).level).toBe('no_data');
  });
});

describe('novelty', () => {
  const seen = { requests: 20_000, seenOnce: 0, known: new Set(['SE', 'DE']), ageDays: 100 };
  const current = new Map([
    ['SE', 400],
    ['KP', 6],
    ['FR', 2],
  ]);

  it('tells of the first country of a key that never travels, once it is more than a stray', () => {
    expect(judgeNovelty(current, seen).map((one) => [one.value, one.isAlert])).toEqual([
      ['KP', true],
      ['FR', false],
    ]);
  });

  it.each([
    ['used from everywhere', { ...seen, seenOnce: 40 }],
    ['too young', { ...seen, ageDays: 13 }],
    ['too little seen', { ...seen, requests: 500 }],
  ])('is quiet when %s', (_, history) => {
    expect(judgeNovelty(current, history).some((one) => one.isAlert)).toBe(false);
  });

  it('Good-Turing rate', () => {
    expect(noveltyRate(3, 1000)).toBe(0.003);
    expect(noveltyRate(0, 0)).toBe(1);
  });
});

describe('country mix', () => {
  const usual = new Map([
    ['SE', 9000],
    ['DE', 1000],
  ]);

  it.each([
    [
      'the same mix',
      [
        ['SE', 450],
        ['DE', 50],
      ],
      'clear',
    ],
    [
      'half from elsewhere',
      [
        ['SE', 250],
        ['BR', 250],
      ],
      'breach',
    ],
    ['few requests', [['BR', 199]], 'no_data'],
  ] as const)('%s', (_, mix, level) => {
    expect(judgeCountryMix(new Map(mix), usual).level).toBe(level);
  });

  it('names what grew', () => {
    const verdict = judgeCountryMix(
      new Map([
        ['SE', 250],
        ['BR', 250],
      ]),
      usual,
    );
    expect(verdict.gained[0]).toMatchObject({ value: 'BR', share: 0.5 });
    expect(verdict.log10P).toBeLessThan(-20);
  });

  it('distance is 0 for equal and 1 for disjoint mixes', () => {
    expect(jensenShannon([{ share: 1, usualShare: 1 }])).toBe(0);
    expect(
      jensenShannon([
        { share: 1, usualShare: 0 },
        { share: 0, usualShare: 1 },
      ]),
    ).toBeCloseTo(1);
  });

  it.each([
    [1.6449, -1.301],
    [3.0902, -3],
    [4.7534, -6],
    [-1.6449, -0.0223],
  ])('normal tail of %d', (z, log10P) => {
    expect(log10NormalTail(z)).toBeCloseTo(log10P, 1);
  });

  it('chi-squared tail: 18.307 with 10 degrees is 5 %', () => {
    expect(10 ** log10ChiSquaredTail(18.307, 10)).toBeCloseTo(0.05, 2);
  });
});

describe('near limit', () => {
  const use = (used: number, change: Partial<LimitUse> = {}): LimitUse => ({
    period: 'day',
    used,
    limit: 1000,
    windowStartMs: 0,
    windowEndMs: 86_400_000,
    nowMs: 43_200_000,
    ...change,
  });

  it('tells each step once, the highest after downtime', () => {
    const first = judgeNearLimit(undefined, use(790));
    expect(first.stepPercent).toBeUndefined();
    const second = judgeNearLimit(first.next, use(810));
    expect(second.stepPercent).toBe(80);
    expect(judgeNearLimit(second.next, use(850)).stepPercent).toBeUndefined();
    expect(judgeNearLimit(second.next, use(1200)).stepPercent).toBe(100);
    const all = judgeNearLimit(second.next, use(1200)).next;
    expect(judgeNearLimit(all, use(5000)).stepPercent).toBeUndefined();
  });

  it.each([
    ['a new window', { windowStartMs: 86_400_000, windowEndMs: 172_800_000, nowMs: 90_000_000 }, 80],
    ['a raised limit', { limit: 1100 }, 80],
    ['a lowered limit', { limit: 950 }, 90],
    ['a late count of the window before', { windowStartMs: -86_400_000 }, undefined],
    ['no limit', { limit: 0 }, undefined],
  ])('after 80 %%: %s', (_, change, step) => {
    const told = judgeNearLimit(undefined, use(880)).next;
    expect(judgeNearLimit(told, use(880, change)).stepPercent).toBe(step);
  });

  it('forecasts only within the window and not too early', () => {
    expect(judgeNearLimit(undefined, use(750)).fullAtMs).toBe(57_600_000);
    expect(judgeNearLimit(undefined, use(400)).fullAtMs).toBeUndefined();
    expect(judgeNearLimit(undefined, use(500, { nowMs: 3_600_000 })).fullAtMs).toBeUndefined();
    expect(judgeNearLimit(undefined, use(500, { period: 'minute' })).fullAtMs).toBeUndefined();
  });
});

describe('fleet guard', () => {
  it.each([
    [4, 100, 'clear'],
    [11, 1000, 'breach'],
    [10, 1000, 'hold'],
    [5, 1000, 'clear'],
    [1001, 100_000, 'breach'],
    [0, 0, 'clear'],
  ])('%d of %d keys: %s', (firing, active, level) => {
    expect(judgeFleet(firing, active).level).toBe(level);
  });
});
