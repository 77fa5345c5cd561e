import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { acknowledgeAlert } from '../../../../workers/alerts/acknowledge.ts';
import { loadStates } from '../../../../workers/alerts/evaluation/event-store.ts';
import { readProgress } from '../../../../workers/alerts/evaluation/progress.ts';
import { lookAtLimits } from '../../../../workers/alerts/limits/look.ts';
import { brokenAlertLogs } from '../../../support/alert-log.ts';
import { type AlertParts, startAlertParts } from '../../../support/alert-parts.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A midnight from which the days of a test still lie in the past: records of the future count as present. */
const FIRST_DAY = Math.floor(Date.now() / DAY_MS) * DAY_MS - 12 * DAY_MS;
const TABLES = ['alert_events', 'alert_progress', 'alert_rules', 'keys', 'traffic_seconds', 'usage_day'];

let parts: AlertParts;
beforeAll(async () => {
  parts = await startAlertParts();
});
afterAll(() => parts.stop());
afterEach(async () => {
  expect(await brokenAlertLogs(parts.store)).toEqual([]);
  for (const table of TABLES) await parts.store.command(`TRUNCATE TABLE ${table}`);
});

const iso = (ms: number) => new Date(ms).toISOString();
const key = (limits: object) =>
  parts.store.insertRows('keys', [{ key_id: 'k', status: 'active', version: 1, created_at: iso(0), ...limits }]);
const rule = (fields: object) =>
  parts.store.insertRows('alert_rules', [
    { rule_id: 'r', kind: 'near_limit', name: 'r', enabled: true, settings: '{}', version: 1, ...fields },
  ]);

/** Counts requests of one second and looks, as the schedule does five seconds later. */
async function sendAndLook(atMs: number, requests: number): Promise<void> {
  await parts.store.command('TRUNCATE TABLE traffic_seconds');
  await parts.store.insertRows('traffic_seconds', [{ start: iso(atMs), key_id: 'k', requests }]);
  const day = atMs - (atMs % DAY_MS);
  await parts.store.insertRows('usage_day', [{ key_id: 'k', start: iso(day), requests }]);
  await lookAtLimits(parts, atMs + 5_000);
}

/** What people were told: day or minute of the test, reason and severity. */
async function told(unitMs: number): Promise<string[]> {
  const rows = await parts.store.query<{ ms: number; notify: string; severity: string }>(
    "SELECT toUnixTimestamp64Milli(at) AS ms, notify, severity FROM alert_events FINAL WHERE notify != '' ORDER BY at",
  );
  return rows.map(({ ms, notify, severity }) => `${Math.floor((ms - FIRST_DAY) / unitMs)} ${notify} ${severity}`);
}

test('a daily limit that is met every day is told every day', async () => {
  await key({ limit_per_day: 100 });
  for (let day = 0; day < 6; day++) {
    const noon = FIRST_DAY + day * DAY_MS + 12 * HOUR_MS;
    await sendAndLook(noon, 105);
    await lookAtLimits(parts, noon + 10_000);
    await lookAtLimits(parts, FIRST_DAY + (day + 1) * DAY_MS + 5_000);
  }
  const days = Array.from({ length: 6 }, (_, day) => [`${day} opened critical`, `${day + 1} resolved critical`]);
  expect(await told(DAY_MS)).toEqual(days.flat());
});

test('two days near a limit do not hide the day on which it is met', async () => {
  await key({ limit_per_day: 100 });
  for (const [day, used] of [85, 85, 100].entries()) {
    await sendAndLook(FIRST_DAY + day * DAY_MS + 12 * HOUR_MS, used);
    await lookAtLimits(parts, FIRST_DAY + (day + 1) * DAY_MS + 5_000);
  }
  expect((await told(DAY_MS)).filter((row) => row.includes('opened'))).toEqual([
    '0 opened info',
    '1 opened info',
    '2 opened critical',
  ]);
});

test('a limit per minute that is met all day is told once an hour, and at once when it gets worse', async () => {
  await key({ limit_per_minute: 100 });
  for (let minute = 0; minute < 3 * 60; minute += 10) {
    const at = FIRST_DAY + minute * MINUTE_MS + 30_000;
    await sendAndLook(at, minute === 140 ? 100 : 95);
    await lookAtLimits(parts, at + 2 * MINUTE_MS + 10_000);
  }
  expect(await told(MINUTE_MS)).toEqual([
    '0 opened warning',
    '2 resolved warning',
    '60 opened warning',
    '62 resolved warning',
    '120 opened warning',
    '122 resolved warning',
    '140 severity_raised critical',
    '142 resolved critical',
  ]);
});

test('steps of a day that began while nobody looked are told too', async () => {
  await key({ limit_per_day: 100 });
  await sendAndLook(FIRST_DAY + 12 * HOUR_MS, 100);
  const next = FIRST_DAY + DAY_MS + 9 * HOUR_MS;
  await sendAndLook(next, 85);
  await lookAtLimits(parts, next + 10_000);
  expect(await told(DAY_MS)).toEqual(['0 opened critical', '1 resolved critical', '1 opened info']);
});

test('a limit that stays used up is not repeated, unless a rule says so', async () => {
  await key({ limit_per_day: 100 });
  await sendAndLook(FIRST_DAY, 100);
  for (let hour = 1; hour <= 10; hour++) await lookAtLimits(parts, FIRST_DAY + hour * HOUR_MS);
  expect(await told(HOUR_MS)).toEqual(['0 opened critical']);
  await rule({ repeat_minutes: 300 });
  for (let hour = 11; hour <= 20; hour++) await lookAtLimits(parts, FIRST_DAY + hour * HOUR_MS);
  expect(await told(HOUR_MS)).toEqual(['0 opened critical', '11 repeated critical', '16 repeated critical']);
});

test('who acknowledged a step has not acknowledged the next one, also under a rule that gives both one severity', async () => {
  await key({ limit_per_day: 100 });
  await rule({ severity: 'warning', repeat_minutes: 60 });
  await sendAndLook(FIRST_DAY, 85);
  const [known] = (await loadStates(parts.store, ['near_limit'], FIRST_DAY)).values();
  await acknowledgeAlert(parts.store, { ...known!, actor: 'ada' }, FIRST_DAY + MINUTE_MS);
  for (let hour = 1; hour <= 4; hour++) await lookAtLimits(parts, FIRST_DAY + hour * HOUR_MS);
  expect(await told(HOUR_MS)).toEqual(['0 opened warning']);
  await sendAndLook(FIRST_DAY + 5 * HOUR_MS, 10);
  for (let hour = 5; hour <= 6; hour++) await lookAtLimits(parts, FIRST_DAY + hour * HOUR_MS + 30 * MINUTE_MS);
  expect(await told(HOUR_MS)).toEqual(['0 opened warning', '5 severity_raised warning', '6 repeated warning']);
});

test('looks that find nothing note how far they have come once a minute, after a clock that was ahead at once', async () => {
  const until = async (seconds: number) => {
    await lookAtLimits(parts, FIRST_DAY + seconds * 1_000);
    return ((await readProgress(parts.store, 'limits'))! - FIRST_DAY) / 1_000;
  };
  for (const [look, noted] of [
    [0, 0],
    [5, 0],
    [55, 0],
    [60, 60],
    [100, 60],
    [55, 55],
  ] as const)
    expect(await until(look)).toBe(noted);
});
