import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { acknowledgeAlert } from '../../../workers/alerts/acknowledge.ts';
import { type AlertKind, alertKeyOf } from '../../../workers/alerts/alert.ts';
import { findStates } from '../../../workers/alerts/evaluation/event-store.ts';
import { endKeyAlerts } from '../../../workers/alerts/key-events/endings.ts';
import { repeatNotices } from '../../../workers/alerts/key-events/repeats.ts';
import { sweepKeyEvents } from '../../../workers/alerts/key-events/sweep.ts';
import { type KeyEventType, writeEvents } from '../../../workers/keys/events.ts';
import { brokenAlertLogs } from '../../support/alert-log.ts';
import { type AlertParts, startAlertParts } from '../../support/alert-parts.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 48 * HOUR_MS;
const TABLES = [
  'alert_events',
  'alert_progress',
  'alert_rules',
  'keys',
  'key_events',
  'key_totals',
  'policies',
  'silences',
];

let parts: AlertParts;
/** Ids are never used again: a process remembers which events have their alerts. */
let round = 0;
beforeAll(async () => {
  parts = await startAlertParts();
});
afterAll(() => parts.stop());
afterEach(async () => {
  round++;
  expect(await brokenAlertLogs(parts.store)).toEqual([]);
  for (const table of TABLES) await parts.store.command(`TRUNCATE TABLE ${table}`);
});

const at = (hours: number) => START + hours * HOUR_MS;
const iso = (ms: number) => new Date(ms).toISOString();

/** Something happens to a key, and is looked at. */
async function happens(hours: number, type: KeyEventType, data: object = {}): Promise<void> {
  const event = { id: `${type} ${hours} ${round}`, at: iso(at(hours)), key_id: 'k', organization_id: 'acme', type };
  await writeEvents(parts.store, [{ ...event, data: data as Record<string, unknown> }]);
  await sweepKeyEvents(parts, at(hours) + 5_000);
}
const key = (fields: object = {}) =>
  parts.store.insertRows('keys', [
    { key_id: 'k', status: 'active', version: Date.now(), created_at: iso(0), updated_at: iso(0), ...fields },
  ]);
const rule = (kind: AlertKind, fields: object) =>
  parts.store.insertRows('alert_rules', [
    { rule_id: kind, kind, name: kind, enabled: true, settings: '{}', version: Date.now(), ...fields },
  ]);
const policy = (fields: object) =>
  parts.store.insertRows('policies', [
    { policy_id: 'p', kind: 'unused', name: 'p', enabled: true, settings: '{}', deleted: false, version: 2, ...fields },
  ]);
const repeat = (hours: number) => repeatNotices(parts, at(hours));
/** Hour, kind and why people were told. */
async function told(): Promise<string[]> {
  const rows = await parts.store.query<{ ms: number; notify: string; withheld: string }>(
    'SELECT toUnixTimestamp64Milli(at) AS ms, notify, withheld FROM alert_events FINAL ORDER BY at',
  );
  return rows.map(({ ms, notify, withheld }) => `${((ms - START) / HOUR_MS).toFixed(1)} ${notify || withheld}`);
}
const acknowledgeAt = async (kind: AlertKind, hours: number) => {
  const alertKey = alertKeyOf(kind, 'k', '');
  const { alertId } = (await findStates(parts.store, [alertKey])).get(alertKey)!;
  return acknowledgeAlert(parts.store, { alertKey, alertId, actor: 'ada' }, at(hours));
};

describe('told again', () => {
  test('a leak, every four hours until somebody acknowledges it', async () => {
    await key({ leaked_at: iso(at(0)) });
    await happens(0, 'key.leaked', { reason: 'found in a repository' });
    for (const hours of [3.9, 4, 4, 7.9, 8]) await repeat(hours);
    expect(await told()).toEqual(['0.0 opened', '4.0 repeated', '8.0 repeated']);
    const [{ evidence }] = (await parts.store.query<{ evidence: string }>(
      "SELECT evidence FROM alert_events WHERE notify = 'repeated' LIMIT 1",
    )) as [{ evidence: string }];
    expect(JSON.parse(evidence).key).toMatchObject({ reason: 'found in a repository' });
    expect(await acknowledgeAt('key_leaked', 9)).toBe('done');
    expect(await repeat(20)).toBe(0);
  });

  test('not after its secret was replaced', async () => {
    await key({ leaked_at: iso(at(0)) });
    await happens(0, 'key.leaked');
    await key({ leaked_at: null });
    await endKeyAlerts(parts, at(3));
    expect(await repeat(9)).toBe(0);
  });

  test('a leak whose telling a silence kept back, once that is over', async () => {
    await parts.store.insertRows('silences', [
      { silence_id: 's', matchers: '{}', starts_at: iso(at(-1)), ends_at: iso(Date.now() + HOUR_MS), version: 1 },
    ]);
    await happens(0, 'key.leaked');
    await repeat(5);
    await parts.store.insertRows('silences', [
      { silence_id: 's', matchers: '{}', starts_at: iso(at(-1)), ends_at: iso(at(5)), version: 2 },
    ]);
    await repeat(6);
    await repeat(9);
    await repeat(10);
    expect(await told()).toEqual(['0.0 silenced', '6.0 opened', '10.0 repeated']);
  });

  test.each([
    ['as often as the rule says', 'key_expired', { repeat_minutes: 60 }, 'key.expired', 2],
    ['others never without a rule', 'key_expired', { severity: 'critical' }, 'key.expired', 0],
    ['never, where the rule says so', 'key_leaked', { repeat_minutes: 0 }, 'key.leaked', 0],
    ['nothing of what is off', 'key_leaked', { enabled: false, repeat_minutes: 60 }, 'key.leaked', 0],
  ] as const)('%s', async (_, kind, fields, type, times) => {
    await happens(0, type);
    await rule(kind, fields);
    let repeats = 0;
    for (const hours of [1, 1.5, 2]) repeats += await repeat(hours);
    expect(repeats).toBe(times);
  });

  test('is still over by what happened before it, though it was counted after', async () => {
    await key();
    await rule('key_unused', { repeat_minutes: 60 });
    await happens(0, 'key.unused', { days_left: 7 });
    expect(await repeat(1)).toBe(1);
    await parts.store.insertRows('key_totals', [
      {
        key_id: 'k',
        requests: 1,
        last_used: { at: iso(at(0.5)), country: 'SE', method: 'GET', route: '/', status: 200 },
      },
    ]);
    expect(await endKeyAlerts(parts, at(1.1))).toBe(1);
  });
});

test('what looks at overlapping times meet again is told once, and not asked for after the second', async () => {
  const events = Array.from({ length: 3 }, (_, n) => `k${n}`).map((key_id) => ({
    ...{
      id: `again ${key_id}`,
      at: iso(at(1)),
      key_id,
      organization_id: 'acme',
      type: 'key.expired' as const,
      data: {},
    },
  }));
  await writeEvents(parts.store, events);
  const asked = vi.spyOn(parts.store, 'query');
  const looks: unknown[] = [];
  for (const secondsLater of [5, 10, 15]) {
    asked.mockClear();
    const made = await sweepKeyEvents(parts, at(1) + secondsLater * 1_000);
    const aboutAlerts = asked.mock.calls.filter(([sql]) => sql.includes('FROM alert_events')).length;
    looks.push({ made, asksForAlerts: aboutAlerts > 0 });
  }
  asked.mockRestore();
  expect(looks).toEqual([
    { made: 3, asksForAlerts: true },
    { made: 0, asksForAlerts: true },
    { made: 0, asksForAlerts: false },
  ]);
});

test('a leak that a policy acts on at once is over only after it was told', async () => {
  await key({ leaked_at: iso(at(0)), status: 'inactive' });
  await happens(0, 'key.leaked', { reason: 'found in a repository' });
  expect(await endKeyAlerts(parts, Date.now())).toBe(0);
  expect(await endKeyAlerts(parts, Date.now() + 61_000)).toBe(1);
});

test('a notice whose steps are about to go is neither told again nor ended: what ended it may be gone already', async () => {
  await key({ leaked_at: iso(at(0)) });
  await happens(0, 'key.leaked');
  const old = { ...parts, alertsKeptMs: HOUR_MS };
  expect(await repeatNotices(old, at(5))).toBe(0);
  expect(await repeatNotices(parts, at(5))).toBe(1);
  await key({ leaked_at: null });
  expect(await endKeyAlerts(old, at(7))).toBe(0);
  expect(await endKeyAlerts(parts, at(7))).toBe(1);
});

describe.each(['key.policy_warning', 'key.unused'] as const)('%s', (type) => {
  test.each<[string, policy: object, hours: number, ended: number]>([
    ['stays while the policy means the key', {}, 10, 0],
    ['is over when the policy is off', { enabled: false }, 10, 1],
    ['is over when the policy is gone', { deleted: true }, 10, 1],
    ['is over when the policy exempts the key', { exempt_key_ids: ['k'] }, 10, 1],
    ['stays when the policy exempts another', { exempt_key_ids: ['other'] }, 10, 0],
    ['stays while a late run may act', {}, 24 + 71, 0],
    ['is over three days after the day it named', {}, 24 + 73, 1],
  ])('%s', async (_, fields, hours, ended) => {
    await key();
    await policy(fields);
    await happens(0, type, { policy_id: 'p', days_left: 1, acts_at: iso(at(24)) });
    expect(await endKeyAlerts(parts, at(hours))).toBe(ended);
  });
});

describe('quiet_minutes', () => {
  const offAndOn = async () => {
    for (const hours of [0, 1, 2, 4]) {
      await key({ status: 'inactive' });
      await happens(hours, 'key.deactivated');
      await key({ status: 'active' });
      await endKeyAlerts(parts, at(hours + 0.5));
    }
  };

  test('without it each time is told', async () => {
    await offAndOn();
    expect((await told()).filter((row) => row.includes('opened'))).toHaveLength(4);
  });

  test('the same notice is not announced again within this time, and its end not either', async () => {
    await rule('key_deactivated', { quiet_minutes: 180 });
    await offAndOn();
    expect(await told()).toEqual([
      '0.0 opened',
      '0.5 resolved',
      '1.0 quiet',
      '1.5 ',
      '2.0 quiet',
      '2.5 ',
      '4.0 opened',
      '4.5 resolved',
    ]);
  });

  test('what is more urgent is told at once', async () => {
    await rule('key_expiring', { quiet_minutes: 10_000 });
    await happens(0, 'key.expiring', { reminder_days: 7, expires_at: iso(at(40)) });
    await acknowledgeAt('key_expiring', 0.5);
    await happens(1, 'key.expiring', { reminder_days: 3, expires_at: iso(at(40)) });
    await happens(2, 'key.expiring', { reminder_days: 1, expires_at: iso(at(40)) });
    expect((await told()).filter((row) => !row.includes('resolved'))).toEqual([
      '0.0 opened',
      '1.0 quiet',
      '2.0 severity_raised',
    ]);
  });
});
