import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { utilizationOf } from '../../api/queries/utilization.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

test.each([
  ['no limits', [null, null, null], [null, null, null]],
  ['some limits', [10, null, 1000], [0.5, null, 0.3]],
  ['overrun', [2, 100, 100], [2.5, 1, 3]],
] as const)('counts beside limits: %s', (_name, [perMinute, perDay, perMonth], [minute, day, month]) => {
  const key = { key_id: 'k', limit_per_minute: perMinute, limit_per_day: perDay, limit_per_month: perMonth };
  expect(utilizationOf(key, { minute: 5, day: 100, month: 300 }, Date.UTC(2026, 10, 1, 1))).toMatchObject({
    per_minute: minute,
    per_day: day,
    per_month: month,
  });
});

test.each([
  ['half a day, 60 % used', Date.UTC(2026, 10, 21, 12), 600, '2026-11-21T20:00:00.000Z'],
  ['half a day, 40 % used: not today', Date.UTC(2026, 10, 21, 12), 400, null],
  ['an hour is too little to say', Date.UTC(2026, 10, 21, 1), 600, null],
  ['reached already', Date.UTC(2026, 10, 21, 12), 1_000, null],
])('forecast of a daily limit: %s', (_name, nowMs, day, expected) => {
  const key = { key_id: 'k', limit_per_minute: null, limit_per_day: 1_000, limit_per_month: null };
  expect(utilizationOf(key, { minute: 0, day, month: day }, nowMs).forecast).toEqual({
    per_day: expected,
    per_month: null,
  });
});

test('shares of the present windows, on the key and in the list', async () => {
  const now = Date.now();
  const today = Date.UTC(new Date(now).getUTCFullYear(), new Date(now).getUTCMonth(), new Date(now).getUTCDate());
  const month = Date.UTC(new Date(now).getUTCFullYear(), new Date(now).getUTCMonth());
  const limits = { per_minute: 100, per_day: 1000, per_month: 10_000 };
  await stack.call('/v1/keys/limited', { method: 'PUT', body: { limits } });
  await stack.call('/v1/keys/free', { method: 'PUT', body: {} });
  const times = [
    ...Array.from({ length: 25 }, () => now),
    ...Array.from({ length: 40 }, (_, n) => Math.max(today, now - 3_600_000) + n),
    ...Array.from({ length: 60 }, (_, n) => month + n),
    ...Array.from({ length: 80 }, (_, n) => month - 60_000 + n),
  ];
  const within = (from: number, to = Number.POSITIVE_INFINITY) =>
    times.filter((time) => time >= from && time < to).length;
  const expectedAt = (nowMs: number) => {
    const minute = nowMs - (nowMs % 60_000);
    const [year, monthOfYear, day] = new Date(nowMs).toISOString().split(/[-T]/).map(Number) as [
      number,
      number,
      number,
    ];
    return {
      per_minute: Math.max(within(minute), within(minute - 60_000, minute)) / 100,
      per_day: within(Date.UTC(year, monthOfYear - 1, day)) / 1000,
      per_month: within(Date.UTC(year, monthOfYear - 1)) / 10_000,
    };
  };
  await stack.send(
    times.flatMap((timestamp) => ['limited', 'free'].map((key_id) => ({ key_id, timestamp, status: 200, path: '/' }))),
  );
  await stack.untilTotal('limited', 205);
  // A minute may begin between the question and its answer.
  const asked = Date.now();
  const ofNow = () => [asked, Date.now()].map((at) => expect.objectContaining(expectedAt(at)));
  const { json: key } = await stack.call('/v1/keys/limited');
  expect(ofNow()).toContainEqual(key.utilization);
  const { json } = await stack.call('/v1/keys?sort=key_id');
  const [free, limited] = json.data.map((one: { utilization: unknown }) => one.utilization);
  expect(free).toBeNull();
  expect(ofNow()).toContainEqual(limited);
});

const DAY_MS = 86_400_000;
const TEST_MS = 45_000;

/** What was used of a day's limit is nothing a moment later. */
async function awayFromMidnight(): Promise<void> {
  const leftMs = DAY_MS - (Date.now() % DAY_MS);
  if (leftMs < TEST_MS) await sleep(leftMs);
}

test('the list finds keys near their limit, by their own limits and those of a plan, and sorts by it', async () => {
  await awayFromMidnight();
  const near = { method: 'PUT', body: { limits: { per_month: 100, per_day: 5 } } };
  await stack.call('/v1/plans/basic', { method: 'PUT', body: { limits: { per_month: 10 } } });
  for (const id of ['own', 'far', 'gone', 'idle']) await stack.call(`/v1/keys/${id}`, near);
  await stack.call('/v1/keys/planned', { method: 'PUT', body: { plan: 'basic', organization_id: 'acme' } });
  const sent = { own: 5, far: 1, gone: 9, planned: 8, unlimited: 50 };
  await stack.send(
    Object.entries(sent).flatMap(([key_id, count]) =>
      Array.from({ length: count }, () => ({ key_id, timestamp: Date.now(), status: 200, path: '/' })),
    ),
  );
  await stack.untilTotal('unlimited', 50);
  await stack.call('/v1/keys/gone/deactivate', { method: 'POST', body: { reason: 'test' } });
  const ids = async (query: string, token?: string) =>
    (await stack.call(`/v1/keys?${query}`, token ? { token } : {})).json.data.map(
      (key: { key_id: string }) => key.key_id,
    );

  expect(await ids('limit_used_percent=80&sort=-limit_used')).toEqual(['own', 'planned']);
  expect(await ids('limit_used_percent=80&sort=limit_used')).toEqual(['planned', 'own']);
  expect(await ids('limit_used_percent=95&sort=key_id')).toEqual(['own']);
  const all = await ids('sort=-limit_used');
  expect(all.slice(0, 3), 'what was deactivated is over its limit, too').toEqual(['gone', 'own', 'planned']);
  expect(all.indexOf('idle')).toBeLessThan(all.indexOf('unlimited'));
  const acme = await stack.token({ name: 'acme', scopes: ['read'], organization_id: 'acme' });
  expect(await ids('limit_used_percent=80&sort=-limit_used', acme)).toEqual(['planned']);
  const one = await stack.token({ name: 'one', scopes: ['read'], key_id: 'own' });
  expect(await ids('limit_used_percent=80&sort=-limit_used', one)).toEqual(['own']);
  expect((await stack.call('/v1/keys?limit_used_percent=-1')).status).toBe(400);
});
