import { expect, test } from 'vitest';
import { FairShare, laneOf } from '../../ingest/fair-share.ts';

/** Rows that are remembered of a steady rate per second. */
const remembered = (perSecond: number) => (perSecond * 5) / Math.LN2;

test.each([
  ['one of many', 100, 10_000, 'steady'],
  ['most of little', 1_500, 1_600, 'steady'],
  ['most of much', 10_000, 10_100, 'bulk'],
  ['half of much', 10_000, 20_000, 'steady'],
  ['alone', 10_000, 10_000, 'steady'],
])('%s: %d of %d records a second → %s', (_name, own, all, lane) => {
  expect(laneOf(remembered(own), remembered(all))).toBe(lane);
});

function send(share: FairShare, seconds: number, fromMs: number, perSecond: Record<string, number>) {
  const lanes: Record<string, string> = {};
  for (let at = 0; at < seconds * 10; at++) {
    for (const [name, rows] of Object.entries(perSecond)) lanes[name] = share.lane(name, rows / 10, fromMs + at * 100);
  }
  return lanes;
}

test('an organization that sends a hundred times the rest is slowed, the rest is not; calm again, it is not slowed any more', () => {
  const share = new FairShare(0);
  expect(send(share, 20, 0, { light: 100, heavy: 10_000 })).toEqual({ light: 'steady', heavy: 'bulk' });
  expect(send(share, 60, 20_000, { light: 100, heavy: 100 })).toEqual({ light: 'steady', heavy: 'steady' });
});

test('tokens of the whole platform are never slowed', () => {
  const share = new FairShare(0);
  expect(send(share, 20, 0, { '': 100_000, light: 100 })['']).toBe('steady');
});

test('a hundred thousand organizations are not all remembered, and the busy one still is', () => {
  const share = new FairShare(0);
  send(share, 20, 0, { heavy: 10_000 });
  for (let n = 0; n < 100_000; n++) share.lane(`org-${n}`, 1, 20_000 + n / 100);
  expect(share.lane('heavy', 1_000, 21_000)).toBe('bulk');
  expect(send(share, 20, 21_000, { heavy: 10_000, light: 10 })).toEqual({ heavy: 'bulk', light: 'steady' });
});
