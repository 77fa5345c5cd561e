import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../../ingest/config.ts';
import { acknowledgeAlert } from '../../../workers/alerts/acknowledge.ts';
import { type AlertEvent, alertKeyOf } from '../../../workers/alerts/alert.ts';
import { isEnd } from '../../../workers/alerts/channels/message/topic.ts';
import { loadStates, writeAlertEvents } from '../../../workers/alerts/evaluation/event-store.ts';
import { noFacts } from '../../../workers/alerts/evaluation/key-facts.ts';
import { eventOfStep } from '../../../workers/alerts/evaluation/steps.ts';
import { keyAlertEvent } from '../../../workers/alerts/key-events/key-alert.ts';
import { effectiveOf } from '../../../workers/alerts/rules/rule.ts';
import type { Level, Severity } from '../../../workers/alerts/state.ts';
import type { Store } from '../../../workers/clickhouse/store.ts';
import { brokenAlertLogs } from '../../support/alert-log.ts';
import { migratedStore } from '../../support/migrated-store.ts';

const WINDOW_MS = 5 * 60_000;
const START = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS - 24 * 60 * 60_000;
const KIND = 'error_rate';
const ALERT_KEY = alertKeyOf(KIND, 'k', 'server_errors');
/** From the end of a window until its row is made. */
const JUDGED_AFTER_MS = 90_000;

let store: Store;
beforeAll(async () => {
  store = await migratedStore(parseConfig({}));
});
afterAll(() => store.close());
afterEach(async () => {
  expect(await brokenAlertLogs(store)).toEqual([]);
  await store.command('TRUNCATE TABLE alert_events');
});

const endOf = (window: number) => START + window * WINDOW_MS;
const known = async () => (await loadStates(store, [KIND], START - WINDOW_MS)).get(ALERT_KEY);

/** One evaluation: what it read, what it found, and `meanwhile` between its reading and its writing. */
async function judge(window: number, level: Level, severity: Severity = 'warning', meanwhile = async () => {}) {
  const before = await known();
  const event = eventOfStep(
    before,
    { kind: KIND, scope: 'server_errors', keyId: 'k', level, severity, describe: () => ({ summary: level }) },
    {
      atMs: endOf(window),
      windowMs: WINDOW_MS,
      recordedAt: new Date(endOf(window) + JUDGED_AFTER_MS).toISOString(),
      late: false,
    },
    {
      facts: noFacts('k'),
      effective: effectiveOf(KIND, undefined),
      silencedUntilMs: undefined,
      inhibitedBy: undefined,
    },
  );
  await meanwhile();
  await writeAlertEvents(store, event ? [event] : []);
  return event?.notify || event?.withheld;
}

const acknowledgeAt = async (atMs: number) =>
  acknowledgeAlert(store, { alertKey: ALERT_KEY, alertId: (await known())!.alertId, actor: 'ada' }, atMs);
const acknowledgedBy = async () => (await known())!.state.acknowledged?.by;
const steps = async () => {
  const rows = await store.query<{ transition: string }>('SELECT transition FROM alert_events FINAL ORDER BY at');
  return rows.map((row) => row.transition);
};

test('an acknowledgement is of one opening: the next one within the quiet day is not acknowledged by it', async () => {
  expect(await judge(1, 'breach')).toBe('opened');
  expect(await acknowledgeAt(endOf(2))).toBe('done');
  expect(await acknowledgedBy()).toBe('ada');
  for (const window of [3, 4, 5]) await judge(window, 'clear');
  expect(await judge(9, 'breach')).toBe('quiet');
  expect(await acknowledgedBy()).toBeUndefined();
  expect(await acknowledgeAt(endOf(10))).toBe('done');
  expect(await acknowledgedBy()).toBe('ada');
  expect((await steps()).filter((step) => step === 'acknowledged')).toHaveLength(2);
});

test('who acknowledges before a worse window is judged has not seen it', async () => {
  await judge(1, 'breach');
  await acknowledgeAt(endOf(2) + 1_000);
  expect(await judge(2, 'breach', 'critical')).toBe('severity_raised');
  expect(await acknowledgedBy()).toBeUndefined();
  await acknowledgeAt(endOf(3));
  expect(await acknowledgedBy()).toBe('ada');
});

test('an evaluation under way loses no acknowledgement', async () => {
  await judge(1, 'breach');
  const meanwhile = async () => void (await acknowledgeAt(endOf(2) + JUDGED_AFTER_MS + 10));
  await judge(2, 'clear', 'warning', meanwhile);
  expect(await steps()).toEqual(['opened', 'recovering', 'acknowledged']);
  expect(await acknowledgedBy()).toBe('ada');
});

test('an acknowledgement while a worse window is being judged is not of that', async () => {
  await judge(1, 'breach');
  const meanwhile = async () => void (await acknowledgeAt(endOf(2) + JUDGED_AFTER_MS + 10));
  await judge(2, 'breach', 'critical', meanwhile);
  expect(await acknowledgedBy()).toBeUndefined();
});

test('what nobody was told of can be acknowledged', async () => {
  await judge(1, 'breach');
  for (const window of [3, 4, 5]) await judge(window, 'clear');
  await judge(9, 'breach');
  await acknowledgeAt(endOf(10));
  await judge(11, 'clear');
  expect(await acknowledgedBy()).toBe('ada');
});

test.each([
  ['told', undefined, ['opened', 'resolved']],
  ['silenced', START + 60 * WINDOW_MS, ['', '']],
])(
  'a notice about a key ends with its acknowledgement, for those who were told: %s',
  async (_, silencedUntilMs, notify) => {
    const leak = keyAlertEvent(
      undefined,
      {
        id: 'e',
        at: new Date(START).toISOString(),
        key_id: 'k',
        organization_id: 'acme',
        type: 'key.leaked',
        data: {},
      },
      {
        facts: noFacts('k'),
        effective: effectiveOf('key_leaked', undefined),
        silencedUntilMs,
        recordedAt: new Date(START).toISOString(),
      },
    )!;
    await writeAlertEvents(store, [leak]);
    await acknowledgeAlert(
      store,
      { alertKey: leak.alert_key, alertId: leak.alert_id, actor: 'ada' },
      START + WINDOW_MS,
    );
    const rows = await store.query<AlertEvent>('SELECT * FROM alert_events FINAL ORDER BY at');
    expect(rows.map((row) => [row.alert_id, row.notify])).toEqual(notify.map((reason) => [leak.alert_id, reason]));
    expect(rows.map(isEnd)).toEqual([false, true]);
  },
);

test('the acknowledgement of a condition ends nothing', async () => {
  await judge(1, 'breach');
  await acknowledgeAt(endOf(2));
  const rows = await store.query<AlertEvent>('SELECT * FROM alert_events FINAL ORDER BY at');
  expect(rows.map((row) => [row.phase, row.notify])).toEqual([
    ['firing', 'opened'],
    ['firing', ''],
  ]);
});
