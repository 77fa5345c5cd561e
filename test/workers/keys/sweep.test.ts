import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Redis } from '../../../ingest/redis.ts';
import { connectRedis } from '../../../ingest/redis.ts';
import { nextVersion } from '../../../workers/keys/change.ts';
import { overdueKeys } from '../../../workers/keys/expiry.ts';
import { blankKey, type RegisteredKey } from '../../../workers/keys/key.ts';
import { openLifecycleQueue } from '../../../workers/keys/lifecycle-queue.ts';
import { KeyConflict, Registry } from '../../../workers/keys/registry.ts';
import { type SweepOptions, sweepKeys } from '../../../workers/keys/sweep.ts';
import { applyWishes } from '../../../workers/keys/transitions.ts';
import { sized } from '../../support/full-size.ts';
import { runLifecycleSlot } from '../../support/lifecycle-slot.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const DAY_MS = 86_400_000;
const SETTINGS = { reminderDays: [30, 14, 7, 3, 1, 0, -1], rotationDays: 90 };
const iso = (ms: number) => new Date(ms).toISOString();
let stack: Stack;
let redis: Redis;
let registry: Registry;

beforeAll(async () => {
  // The schedule of the stack itself stays quiet: the tests sweep by themselves.
  stack = await startStack({ KEY_SWEEP_CRON: '0 0 1 1 *', KEY_POLICY_CRON: '0 0 1 1 *', KEY_REMINDER_DAYS: '365' });
  redis = await connectRedis(stack.redisUrl, 'worker', () => {});
  registry = new Registry(stack.store, redis);
});
afterAll(async () => {
  redis.disconnect();
  await stack.stop();
});

const sweep = (options: SweepOptions = {}, settings = SETTINGS) =>
  sweepKeys(registry, redis, openLifecycleQueue(redis), settings, options);
const register = (keyId: string, fields: Partial<RegisteredKey>) =>
  registry.update(keyId, () => ({ fields, action: 'key.registered', actor: 'test', reason: '' }));

/** Rows written past the registry, as a restored backup or a killed writer leaves them. */
const storeRows = (rows: Partial<RegisteredKey>[]) =>
  stack.store.insertRows(
    'keys',
    rows.map((row) => ({ ...blankKey(row.key_id!, iso(Date.now() - DAY_MS)), version: 1, ...row })),
  );

async function ids(sql: string, params: object = {}): Promise<string[]> {
  return (await stack.store.query<{ id: string }>(sql, { ...params })).map((row) => row.id);
}
const events = (keyId: string) =>
  ids('SELECT id FROM key_events FINAL WHERE key_id = {key_id:String} ORDER BY id', { key_id: keyId });
const audits = (keyId: string) =>
  ids('SELECT id FROM audit WHERE subject = {key_id:String} ORDER BY version', { key_id: keyId });

test('a delayed job expires a key within 5 seconds of its time, edited expiries included', async () => {
  const due = Date.now() + 1_500;
  await register('timed', { expires_at: iso(due) });
  await register('moved', { expires_at: iso(due) });
  await register('moved', { expires_at: iso(due + DAY_MS) });
  await register('nearer', { expires_at: iso(due + DAY_MS) });
  await register('nearer', { expires_at: iso(due) });
  for (const keyId of ['timed', 'nearer']) {
    await expect.poll(async () => (await registry.find(keyId))!.status).toBe('expired');
    const key = (await registry.find(keyId))!;
    const late = Date.parse(key.status_changed_at!) - due;
    expect(late).toBeGreaterThanOrEqual(0);
    console.log(`${keyId} expired ${late} ms after its time`);
    expect((await audits(keyId)).at(-1)).toBe(`${keyId}@${key.version}`);
  }
  expect((await registry.find('moved'))!.status).toBe('active');
});

const ENDING = sized(1_500, 5_000);

test(`${ENDING} keys that end at the same moment end once each, and it is said how late`, async () => {
  const due = Date.now() + 6_000;
  const names = Array.from({ length: ENDING }, (_, n) => `midnight_${n}`);
  for (let at = 0; at < names.length; at += 1_000) {
    await registry.updateMany(names.slice(at, at + 1_000), () => ({
      fields: { expires_at: iso(due) },
      action: 'key.registered',
      actor: 'test',
      reason: '',
    }));
  }
  await sleep(due + 1_000 - Date.now());
  const state = async () =>
    stack.store.query<{ status: string; n: number; late: number }>(
      `SELECT status, count() AS n, max(toUnixTimestamp64Milli(status_changed_at)) - ${due} AS late FROM keys FINAL
       WHERE startsWith(key_id, 'midnight_') GROUP BY status`,
    );
  await expect.poll(state).toMatchObject([{ status: 'expired', n: ENDING }]);
  const [row] = await state();
  console.log(`${ENDING} keys expired, the last ${row!.late} ms after its time`);
  expect(row!.late).toBeGreaterThanOrEqual(0);
  const audited = () =>
    stack.store.query<{ n: number; unique: number }>(
      "SELECT count() AS n, uniqExact(id) AS unique FROM audit WHERE startsWith(subject, 'midnight_') AND action = 'key.expired'",
    );
  // Written after the keys themselves.
  await expect.poll(audited).toEqual([{ n: ENDING, unique: ENDING }]);
}, 120_000);

test('the sweep finds what no job was made for; two at once change each key once', async () => {
  await storeRows(Array.from({ length: 2_500 }, (_, n) => ({ key_id: `late_${n}`, expires_at: iso(Date.now() - 1) })));
  await Promise.all([sweep(), sweep(), sweep()]);
  await sweep();
  const [row] = await stack.store.query<object>(
    "SELECT count() AS n, max(version) AS version, countIf(status = 'expired') AS expired FROM keys FINAL WHERE startsWith(key_id, 'late_')",
  );
  expect(row).toEqual({ n: 2_500, version: 2, expired: 2_500 });
  for (const [table, column] of [
    ['audit', 'subject'],
    ['key_events', 'key_id'],
  ]) {
    const [rows] = await stack.store.query<object>(
      `SELECT count() AS n FROM ${table} WHERE startsWith(${column}, 'late_') AND endsWith(id, '@2')`,
    );
    expect(rows).toEqual({ n: 2_500 });
  }
});

test('a writer killed between key row and audit row: the sweep completes both, once', async () => {
  const before = (await register('killed', { name: 'before' })).after;
  const change = {
    fields: { status: 'inactive' as const },
    action: 'key.deactivated' as const,
    actor: 'me',
    reason: 'why',
  };
  await stack.store.insertRows('keys', [nextVersion(before, before, change, iso(Date.now() - 60_000))]);
  expect(await audits('killed')).toEqual(['killed@1']);
  expect((await sweep()).repaired).toBe(1);
  expect((await sweep()).repaired).toBe(0);
  expect(await audits('killed')).toEqual(['killed@1', 'killed@2']);
  expect(await events('killed')).toEqual(['killed@2']);
  const { json } = await stack.call('/v1/keys/killed/history');
  expect(json.data.find((entry: { version: number }) => entry.version === 2)).toMatchObject({
    action: 'key.deactivated',
    actor: 'me',
    reason: 'why',
    before: { status: 'active' },
    after: { status: 'inactive' },
  });
});

test('a killed writer whose key is changed again at once: no audit row is missing', async () => {
  const before = (await register('replaced', {})).after;
  const change = { fields: { name: 'lost?' }, action: 'key.updated' as const, actor: 'me', reason: '' };
  await stack.store.insertRows('keys', [nextVersion(before, before, change, iso(Date.now()))]);
  await register('replaced', { name: 'next' });
  expect(await audits('replaced')).toEqual(['replaced@1', 'replaced@2', 'replaced@3']);
});

test('notices: once each, only the nearest after a downtime, none when the successor is in use', async () => {
  const created_at = iso(Date.now() - 80 * DAY_MS);
  const expires_at = iso(Date.now() + 5 * DAY_MS);
  await register('reminded', { created_at, expires_at });
  await register('followed', { created_at, expires_at, successor_key_id: 'follower' });
  await register('awaited', { created_at, expires_at, successor_key_id: 'nobody-uses-it' });
  await register('old', { created_at: iso(Date.now() - 91 * DAY_MS) });
  await stack.send([{ key_id: 'follower', status: 200, path: '/' }]);
  await expect.poll(() => ids("SELECT key_id AS id FROM key_totals WHERE key_id = 'follower'")).toEqual(['follower']);
  for (let n = 0; n < 3; n++) await Promise.all([sweep(), sweep()]);
  const days7 = `@expiring@${Date.parse(expires_at)}@7`;
  expect(await events('reminded')).toEqual([`reminded${days7}`]);
  expect(await events('awaited')).toEqual([`awaited${days7}`]);
  expect(await events('followed')).toEqual([]);
  expect((await events('old')).map((id) => id.split('@')[1])).toEqual(['rotation_due']);
});

test('notices that are due by changed settings only are told once, also of keys that nothing happened to', async () => {
  const [created_at, updated_at] = [iso(Date.now() - 120 * DAY_MS), iso(Date.now() - 119 * DAY_MS)];
  const expires_at = iso(Date.now() + 10 * DAY_MS);
  await storeRows([
    { key_id: 'aged_1', created_at, updated_at },
    { key_id: 'aged_2', created_at, updated_at },
    { key_id: 'ending', created_at, updated_at, rotated_at: updated_at, expires_at },
  ]);
  await sweep({}, { reminderDays: [7], rotationDays: 180 });
  for (const keyId of ['aged_1', 'aged_2', 'ending']) expect(await events(keyId)).toEqual([]);
  // The look at all keys is left unfinished by the settings before, and then goes over several sweeps.
  await sweep({ maxNotices: 0 }, { reminderDays: [3], rotationDays: 180 });
  for (let n = 0; n < 3; n++) await sweep();
  const due = (keyId: string) => `${keyId}@rotation_due@${Date.parse(created_at)}`;
  expect(await events('aged_1')).toEqual([due('aged_1')]);
  expect(await events('aged_2')).toEqual([due('aged_2')]);
  expect(await events('ending')).toEqual([
    `ending@expiring@${Date.parse(expires_at)}@14`,
    `ending@rotation_due@${Date.parse(updated_at)}`,
  ]);
});

test('a sweep of the schedule reminds on the days of KEY_REMINDER_DAYS', async () => {
  const [created_at, expires_at] = [iso(Date.now() - 80 * DAY_MS), iso(Date.now() + 300 * DAY_MS)];
  await register('yearly', { created_at, expires_at });
  await sweep();
  expect(await events('yearly')).toEqual([]);
  await runLifecycleSlot(redis, 'sweep', Date.now());
  expect(await events('yearly')).toEqual([`yearly@expiring@${Date.parse(expires_at)}@365`]);
});

const NOTICES = sized(2_000, 3_500);

test('very many notices: told over several sweeps, each once; a stopping process leaves them to the next', async () => {
  const [created_at, expires_at] = [iso(Date.now() - 80 * DAY_MS), iso(Date.now() + 5 * DAY_MS)];
  const aged = { created_at, expires_at, updated_at: iso(Date.now()) };
  await storeRows(Array.from({ length: NOTICES }, (_, n) => ({ key_id: `many_${n}`, ...aged })));
  const stopping = new AbortController();
  stopping.abort();
  const stopped = await sweep({ signal: stopping.signal });
  expect(stopped.notices).toBe(0);
  expect(stopped.waiting).toBeGreaterThanOrEqual(NOTICES);
  const first = await sweep({ maxNotices: 500 });
  expect(first.notices).toBeGreaterThanOrEqual(500);
  expect(first.notices).toBeLessThan(2_000);
  expect(first.waiting).toBeGreaterThan(1_000);
  // Becomes due behind the place that was reached.
  await storeRows([{ key_id: 'a_late_one', ...aged }]);
  for (let waiting = first.waiting; waiting > 0; ) {
    const results = await Promise.all([sweep({ maxNotices: 500 }), sweep({ maxNotices: 500 })]);
    waiting = Math.max(...results.map((result) => result.waiting));
  }
  await sweep();
  expect((await sweep()).notices).toBe(0);
  const [row] = await stack.store.query<object>(
    "SELECT count() AS n, uniqExact(key_id) AS keys FROM key_events FINAL WHERE startsWith(key_id, 'many_')",
  );
  expect(row).toEqual({ n: NOTICES, keys: NOTICES });
  expect((await events('a_late_one')).length).toBe(1);
});

test('a transition is not applied to a key that was changed since it was chosen', async () => {
  await register('chosen', {});
  await register('chosen', { name: 'meanwhile' });
  const wish = { kind: 'deactivate', reason: 'unused' } as const;
  const result = await applyWishes(registry, [{ keyId: 'chosen', wish, version: 1 }], { actor: 'policy' });
  expect(result).toEqual({ changed: 0, busy: [], left: 1 });
});

test('a key that another writer holds is refused after a short wait, and expired by a later sweep', async () => {
  await storeRows([{ key_id: 'held', expires_at: iso(Date.now() - 1) }]);
  await redis.set('{keytally}:key-lock:held', 'another', 'PX', 15_000);
  await expect(register('held', {})).rejects.toThrow(KeyConflict);
  await sweep();
  expect((await registry.find('held'))!.status).toBe('active');
  await redis.del('{keytally}:key-lock:held');
  await sweep();
  expect((await registry.find('held'))!.status).toBe('expired');
});

const REGISTERED = sized(200_000, 1_000_000);

test(`${REGISTERED} keys: the sweep finds the overdue ones, and ends them once`, async () => {
  await stack.store.command(
    `INSERT INTO keys (key_id, organization_id, status, expires_at, created_at, version, updated_at, registered_at)
     SELECT concat('bulk_', toString(number)), 'bulk', if(number % 10 = 0, 'inactive', 'active'),
            now64(3) + toIntervalDay(40 + number % 300) - if(number % 1000 = 1, toIntervalDay(400), toIntervalDay(0)),
            now64(3) - toIntervalDay(50), 1, now64(3) - toIntervalDay(41), now64(3)
     FROM numbers(${REGISTERED})`,
  );
  const startedAt = performance.now();
  const found = await overdueKeys(registry, Date.now(), '');
  const foundMs = performance.now() - startedAt;
  const result = await sweep();
  const sweptMs = performance.now() - startedAt - foundMs;
  console.log(
    `${REGISTERED} keys: ${found.length} overdue found in ${foundMs.toFixed(0)} ms, whole sweep ${sweptMs.toFixed(0)} ms`,
  );
  expect([found.length, result.expired]).toEqual([REGISTERED / 1_000, REGISTERED / 1_000]);
  const again = performance.now();
  expect((await sweep()).expired).toBe(0);
  console.log(`sweep with nothing to do: ${(performance.now() - again).toFixed(0)} ms`);
});
