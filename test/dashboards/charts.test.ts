import { describe, expect, it } from 'vitest';
import { dottedTail, lonePoints } from '../../dashboards/charts/dotted-tail.ts';
import { classCounts, classOfStatus, stackedTops, sumClasses } from '../../dashboards/charts/stack.ts';
import { snapToSlots } from '../../dashboards/charts/zoom.ts';
import { shadeOf } from '../../dashboards/map/shade.ts';
import world from '../../dashboards/map/world-paths.json' with { type: 'json' };
import { statedLimit, tightestLimit } from '../../dashboards/usage-tab/limit-use.ts';

describe('stacking', () => {
  const point = { requests: 10, redirects: 1, client_errors: 2, server_errors: 3 };

  it.each([
    [point, { success: 4, redirect: 1, client: 2, server: 3 }],
    [
      { ...point, requests: 0, redirects: 0, client_errors: 0, server_errors: 0 },
      { success: 0, redirect: 0, client: 0, server: 0 },
    ],
    // Never a bar below the axis, also when a total lags behind its parts.
    [
      { ...point, requests: 5 },
      { success: 0, redirect: 1, client: 2, server: 3 },
    ],
  ])('%o', (series, counts) => expect(classCounts(series)).toEqual(counts));

  it('adds up to the whole bar', () => {
    const counts = [classCounts(point), classCounts({ ...point, requests: 20 })];
    expect(stackedTops(counts)).toEqual([
      [4, 14],
      [5, 15],
      [7, 17],
      [10, 20],
    ]);
    expect(sumClasses(counts)).toEqual({ success: 18, redirect: 2, client: 4, server: 6 });
  });

  it.each([
    [200, 'success'],
    [101, 'success'],
    [304, 'redirect'],
    [429, 'client'],
    [503, 'server'],
  ])('status %s is a %s', (status, name) => expect(classOfStatus(status)).toBe(name));
});

describe('unfinished lines', () => {
  it.each([
    [
      [1, 2, 3],
      [true, true, true],
      [1, 2, 3],
      [null, null, null],
    ],
    [
      [1, 2, 3],
      [true, true, false],
      [1, 2, null],
      [null, 2, 3],
    ],
    [
      [1, 2, 3],
      [false, false, false],
      [null, null, null],
      [1, 2, 3],
    ],
  ])('%o complete %o', (values, complete, settled, open) => {
    expect(dottedTail(values, complete)).toEqual({ settled, open });
  });

  it('finds values that need a dot', () => {
    expect(lonePoints([1, null, 2, 3, null, null, 4])).toEqual([0, 6]);
  });
});

describe('zoom', () => {
  const hour = 3_600_000;
  const slots = [0, 1, 2, 3].map((index) => ({ start: index * hour, end: (index + 1) * hour, complete: true }));

  it.each([
    [0.5, 1.2, 5, { from: 0, to: 2 * hour }],
    [2.1, 2.2, 5, { from: 2 * hour, to: 3 * hour }],
    [-1, 9, 5, { from: 0, to: 4 * hour }],
    [5, 6, 5, null],
    [1.5, 3.2, 3.25, { from: hour, to: 3.25 * hour }],
    [3.1, 3.2, 2.9, null],
  ])('from %s h to %s h, at %s h', (from, to, now, span) => {
    expect(snapToSlots(slots, from * hour, to * hour, now * hour)).toEqual(span);
  });
});

describe('map', () => {
  it.each([
    [0, 1, 100, 0],
    [1, 1, 100, 1],
    [100, 1, 100, 5],
    [10, 1, 100, 3],
    [7, 7, 7, 5],
  ])('%s requests between %s and %s have shade %s', (requests, least, most, shade) => {
    expect(shadeOf(requests, least, most)).toBe(shade);
  });

  it('has a place for every country, also the small ones', () => {
    const places = new Set([...world.shapes, ...world.dots].map(([code]) => code));
    const wanted = [
      'SE',
      'FR',
      'NO',
      'TW',
      'XK',
      'SG',
      'HK',
      'MO',
      'MT',
      'BH',
      'MU',
      'GI',
      'MQ',
      'TV',
      'LI',
      'MC',
      'VA',
    ];
    expect(wanted.filter((code) => !places.has(code))).toEqual([]);
    expect(places.size).toBeGreaterThan(245);
  });

  it('keeps all dots inside the picture', () => {
    for (const [, x, y] of world.dots as [string, number, number][]) {
      expect(x >= 0 && x <= world.width && y >= 0).toBe(true);
    }
  });
});

describe('limits', () => {
  it.each([
    [null, null, null],
    [{}, {}, null],
    [{ per_day: 100 }, { per_day: 0.5 }, { share: 0.5, limit: 100, period: 'a day' }],
    [{ per_day: 100 }, { per_day: 0.5, per_minute: 0.9 }, { share: 0.9, limit: null, period: 'a minute' }],
    [{ per_day: 100 }, { per_day: null }, null],
  ])('limits %o in use %o', (limits, utilization, tightest) => {
    expect(tightestLimit({ limits, utilization })).toEqual(tightest);
  });

  it.each([
    [null, null],
    [
      { per_minute: null, per_day: 100 },
      { limit: 100, period: 'a day' },
    ],
  ])('limits %o without their use', (limits, stated) => expect(statedLimit(limits)).toEqual(stated));
});
