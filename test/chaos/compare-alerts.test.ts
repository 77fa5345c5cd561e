import { expect, test } from 'vitest';
import type { ReceivedMessage } from '../support/delivery-receiver.ts';
import type { Read } from './compare.ts';
import { compareAlerts, type ExpectedAlerts, type KeyChange } from './compare-alerts.ts';
import { Ledger, type Sent } from './ledger.ts';

/** A run in which one key was deactivated, one expired and one reached its limit, told as it should be. */
class Run {
  readonly ledger = new Ledger();
  readonly expected: ExpectedAlerts = {
    changes: [
      { keyId: 'registered-0', type: 'key.deactivated', version: 2 },
      { keyId: 'registered-1', type: 'key.reactivated', version: 3 },
      { keyId: 'expiring-0', type: 'key.expired' },
    ],
    uncertain: new Set(['expiring-1']),
    monthlyLimits: new Map([['chaos-0', 2]]),
    active: new Set(['registered-1']),
  };
  steps = [
    { ...step('a', 'key_deactivated', 'registered-0'), about: 'registered-0@2' },
    { ...step('b', 'key_expired', 'expiring-0'), about: 'expiring-0@2' },
    { ...step('c', 'near_limit', 'chaos-0'), step_percent: 100 },
  ];
  messages = [
    keyEvent('m1', 'key.deactivated', 'registered-0', 2),
    keyEvent('m2', 'key.reactivated', 'registered-1', 3),
    keyEvent('m3', 'key.expired', 'expiring-0', 2),
    alert('m4', { kind: 'key_deactivated', key_id: 'registered-0', key_event: { event_id: 'registered-0@2' } }),
    alert('m5', { kind: 'key_expired', key_id: 'expiring-0', key_event: { event_id: 'expiring-0@2' } }),
    alert('m6', { kind: 'near_limit', key_id: 'chaos-0', limit: { step_percent: 100 } }),
  ];
  openDeliveries = 0;

  constructor() {
    const record = { key_id: 'chaos-0', timestamp: Date.now(), method: 'GET', route: '/', status: 200, latency_ms: 1 };
    const rest = { request_bytes: 0, response_bytes: 0, country: 'SE', service: 's', environment: 'e' };
    for (const request_id of ['1', '2']) this.ledger.add([{ ...record, ...rest, request_id } satisfies Sent]);
  }

  compare() {
    const read: Read = async <Row>(sql: string) =>
      (sql.includes('count()') ? [{ n: this.openDeliveries }] : this.steps) as Row[];
    return compareAlerts(read, this.messages, this.ledger, this.expected);
  }
}

function step(event_id: string, kind: string, key_id: string) {
  return {
    ...{ event_id, alert_id: `of ${event_id}`, kind, key_id, phase: 'firing', transition: 'opened', notify: 'opened' },
    ...{ about: '', step_percent: 0, at_ms: 1, delivery: 'sent', reason: '', message_id: '' },
  };
}

const message = (path: string, id: string, body: object): ReceivedMessage =>
  ({ ...{ atMs: 0, headers: {}, text: '', status: 200 }, path, id, body }) as ReceivedMessage;
const keyEvent = (id: string, type: string, key_id: string, version: number) =>
  message('/keys', id, { type, data: { key: { key_id }, event: { version } } });
const alert = (id: string, told: object) =>
  message('/alerts', id, { type: 'alert.opened', data: { alerts: [{ phase: 'firing', alert_id: 'x', ...told }] } });

test('what was told as the ledger has it is no fault; a repeat under the same id neither', async () => {
  const run = new Run();
  run.messages.push(run.messages[0]!, run.messages[3]!);
  expect(await run.compare()).toEqual({ expected: 6, steps: 3, ended: 0, wrong: [] });
});

test('a key whose change nobody confirmed may have been told', async () => {
  const run = new Run();
  run.messages.push(keyEvent('m9', 'key.expired', 'expiring-1', 2));
  expect((await run.compare()).wrong).toEqual([]);
});

test('an alert and its end that went over before their message left are not missed', async () => {
  const run = new Run();
  const gone = { delivery: 'dropped', reason: 'over before it was sent', message_id: 'm' };
  Object.assign(run.steps[0]!, gone);
  run.steps.push({
    ...run.steps[0]!,
    event_id: 'z',
    about: '',
    phase: 'resolved',
    transition: 'resolved',
    notify: 'resolved',
  });
  run.messages.splice(3, 1);
  expect((await run.compare()).wrong).toEqual(['alert_events: registered-0 is not active, but its alert has ended']);
  (run.expected.active as Set<string>).add('registered-0');
  expect((await run.compare()).wrong).toEqual([]);
  run.steps.pop();
  expect((await run.compare()).wrong).toEqual(['alerts: key.deactivated registered-0@2 was never told']);
});

test('a second deactivation that went over before its message left is not missed where the end of the alert was told', async () => {
  const run = new Run();
  (run.expected.changes as KeyChange[]).push({ keyId: 'registered-0', type: 'key.deactivated', version: 4 });
  run.messages.push(keyEvent('m8', 'key.deactivated', 'registered-0', 4));
  (run.expected.active as Set<string>).add('registered-0');
  const again = { ...run.steps[0]!, event_id: 'y', about: 'registered-0@4', transition: '', notify: 'repeated' };
  run.steps.push({ ...again, delivery: 'dropped', reason: 'over before it was sent', message_id: 'm' });
  const missed = ['alerts: key.deactivated registered-0@4 was never told'];
  expect((await run.compare()).wrong).toEqual(missed);
  const end = { phase: 'resolved', transition: 'resolved', notify: 'resolved' };
  run.steps.push({ ...again, ...end, event_id: 'z', about: '', delivery: 'sent' });
  expect((await run.compare()).wrong).toEqual(['alerts: end of of a was never told']);
  const told = { kind: 'key_deactivated', key_id: 'registered-0', phase: 'resolved', alert_id: 'of a' };
  run.messages.push(alert('m7', told));
  expect((await run.compare()).wrong).toEqual([]);
  run.steps.at(-1)!.delivery = 'dropped';
  expect((await run.compare()).wrong).toContain(missed[0]);
});

const SPOILED: [string, (run: Run) => void, RegExp][] = [
  ['a lost key event', (run) => run.messages.splice(0, 1), /key events: key.deactivated registered-0@2 was never told/],
  ['a lost alert', (run) => run.messages.splice(3, 1), /alerts: key.deactivated registered-0@2 was never told/],
  ['a lost expiry', (run) => run.messages.splice(4, 1), /alerts: key.expired expiring-0 was never told/],
  ['a lost step', (run) => run.steps.splice(0, 1), /alert_events: key.deactivated registered-0@2 was never told/],
  [
    'a second id',
    (run) => run.messages.push({ ...run.messages[3]!, id: 'm7' }),
    /alerts: key.deactivated registered-0@2 under m4, m7/,
  ],
  [
    'a second step',
    (run) => run.steps.push({ ...run.steps[0]!, event_id: 'd' }),
    /alert_events: key.deactivated registered-0@2 under a, d/,
  ],
  [
    'a change that did not happen',
    (run) => run.messages.push(keyEvent('m8', 'key.deactivated', 'registered-3', 2)),
    /key events: key.deactivated registered-3@2 was told and did not happen/,
  ],
  ['a limit that was not told', (run) => run.messages.splice(5, 1), /limits: 100 % of the month of chaos-0 was never/],
  ['a limit that was not seen', (run) => run.steps.splice(2, 1), /chaos-0 reached 100 %, told were 0 %/],
  [
    'a limit that was not reached',
    (run) => (run.expected.monthlyLimits as Map<string, number>).set('chaos-0', 100),
    /chaos-0 reached 0 %, told were 100 %/,
  ],
  ['a message that waits', (run) => (run.openDeliveries = 2), /2 deliveries are not over/],
];

test.each(SPOILED)('the comparison sees %s', async (_title, spoil, said) => {
  const run = new Run();
  spoil(run);
  expect((await run.compare()).wrong.join('\n')).toMatch(said);
});
