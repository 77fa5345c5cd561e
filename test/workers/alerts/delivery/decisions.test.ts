import { describe, expect, test } from 'vitest';
import type { AlertEvent } from '../../../../workers/alerts/alert.ts';
import type { DeliveryOutcome } from '../../../../workers/alerts/channels/channel.ts';
import { digestDue, localDate, quietUntil } from '../../../../workers/alerts/delivery/channel-clock.ts';
import {
  acknowledgedIn,
  channelsFor,
  hasRecipient,
  keyEventChannelsFor,
  missesPlatformAlert,
  ownerOf,
  type RoutedChannel,
  type Routing,
} from '../../../../workers/alerts/delivery/channel-routing.ts';
import { currentSecrets, rotatedSecrets } from '../../../../workers/alerts/delivery/channels.ts';
import { alertMessage } from '../../../../workers/alerts/delivery/compose-message.ts';
import { groupOf, groupWaitMs, reasonOf, strongestFirst } from '../../../../workers/alerts/delivery/grouping.ts';
import {
  afterAttempt,
  jobBackoffMs,
  RETRY_TABLE_MS,
  RunLater,
} from '../../../../workers/alerts/delivery/retry-table.ts';
import {
  type HeardOpening,
  isAcknowledgement,
  isBudgeted,
  reasonIn,
  reasonToDrop,
  standingOf,
} from '../../../../workers/alerts/delivery/standing.ts';
import type { NotifyReason } from '../../../../workers/alerts/state.ts';
import { alertEvent, type EventRequest } from '../../../support/alert-events.ts';

const channel = (fields: Partial<RoutedChannel> = {}): RoutedChannel => ({
  channel_id: 'c',
  organization_id: 'acme',
  type: 'webhook',
  purpose: 'alerts',
  enabled: true,
  routing: {},
  settings: {},
  ...fields,
});

describe('which channel hears of which event', () => {
  const routed = (routing: Routing) => channel({ routing });
  test.each<[string, EventRequest, RoutedChannel, boolean]>([
    ['a warning, by default', {}, channel(), true],
    ['info, by default', { severity: 'info' }, channel(), false],
    ['info from the registry, by default', { severity: 'info', kind: 'key_expiring' }, channel(), true],
    ['a foreign organization', { organization: 'rival' }, channel(), false],
    ['any organization, of the platform', { organization: 'rival' }, channel({ organization_id: '' }), true],
    ['one that is listed', {}, channel({ organization_id: '', routing: { organizations: ['acme'] } }), true],
    ['one that is not', {}, channel({ organization_id: '', routing: { organizations: ['b'] } }), false],
    ['a list does not widen an organization', { organization: 'b' }, routed({ organizations: ['b'] }), false],
    ['switched off', {}, channel({ enabled: false }), false],
    ['for key events', {}, channel({ purpose: 'key_events' }), false],
    ['another kind', {}, routed({ kinds: ['latency'] }), false],
    ['an empty list is any', {}, routed({ kinds: [] }), true],
    ['not severe enough', {}, routed({ min_severity: 'critical' }), false],
    [
      'a stated severity holds for the registry too',
      { kind: 'key_expiring' },
      routed({ min_severity: 'critical' }),
      false,
    ],
    ['info, when asked for', { severity: 'info' }, routed({ min_severity: 'info' }), true],
    ['another environment', {}, routed({ environments: ['staging'] }), false],
    ['this key', { key: 'k' }, routed({ key_ids: ['k'] }), true],
    ['another key', {}, routed({ key_ids: ['k'] }), false],
  ])('%s', (_name, request, candidate, heard) => {
    expect(channelsFor(alertEvent(request), [candidate]).length === 1).toBe(heard);
  });

  test.each<[string, RoutedChannel[], boolean]>([
    ['nobody hears anything', [], false],
    ['a channel of its organization', [channel()], true],
    ['of another organization', [channel({ organization_id: 'rival' })], false],
    ['of its organization, switched off', [channel({ enabled: false })], false],
    ['of its organization, for more severe ones', [routed({ min_severity: 'critical' })], false],
    ['the platform', [channel({ organization_id: '' })], false],
    [
      'the platform, of its organization only',
      [channel({ organization_id: '', routing: { organizations: ['acme'] } })],
      true,
    ],
    ['the platform, of this kind only', [channel({ organization_id: '', routing: { kinds: ['error_rate'] } })], true],
    ['the platform and its organization', [channel({ organization_id: '' }), channel({ channel_id: 'd' })], true],
  ])('readers of a key miss the alert that stands for many: %s', (_name, channels, missed) => {
    expect(missesPlatformAlert(channels)(alertEvent({ kind: 'error_rate' }))).toBe(missed);
  });

  test('key events go to the channels for them', () => {
    const event = { organization_id: 'acme', type: 'key.deactivated', key_id: 'k' } as const;
    const heard = (fields: Partial<RoutedChannel>) =>
      keyEventChannelsFor(event, [channel({ purpose: 'key_events', ...fields })]).length === 1;
    expect(heard({})).toBe(true);
    expect(heard({ purpose: 'alerts' })).toBe(false);
    expect(heard({ organization_id: 'rival' })).toBe(false);
    expect(heard({ routing: { event_types: ['key.expired'] } })).toBe(false);
  });

  test('mail goes to the owner of the key where that is wished', () => {
    const key = { owner_email: 'Ada@example.com' };
    const mail = channel({ type: 'email', routing: { to_owner: true }, settings: { to: [] } });
    expect(ownerOf(mail, key)).toBe('Ada@example.com');
    expect(ownerOf({ ...mail, settings: { unsubscribed: ['ada@example.com'] } }, key)).toBe('');
    expect(ownerOf(channel({ type: 'email' }), key)).toBe('');
    expect(ownerOf(channel({ routing: { to_owner: true } }), key)).toBe('');
    expect(hasRecipient(mail, undefined)).toBe(false);
    expect(hasRecipient(mail, key)).toBe(true);
    expect(hasRecipient({ ...mail, settings: { to: ['a@b.c'], unsubscribed: ['a@b.c'] } }, undefined)).toBe(false);
    expect(hasRecipient(channel(), undefined)).toBe(true);
  });
});

describe('where an event goes', () => {
  const night: Routing = { quiet_hours: { from: '22:00', to: '07:00' } };
  const atNight = Date.parse('2026-11-21T23:00:00Z');
  const facts = { opening: 'told', overBudget: undefined, nowMs: atNight } as const;
  test.each<[string, EventRequest, Routing, Parameters<typeof standingOf>[2], string]>([
    ['at once', {}, {}, facts, 'waiting'],
    ['held in quiet hours', {}, night, facts, 'held'],
    ['critical passes', { severity: 'critical' }, night, facts, 'waiting'],
    ['a leak passes', { kind: 'key_leaked' }, night, facts, 'waiting'],
    ['over budget', {}, {}, { ...facts, overBudget: 'spent' }, 'digest'],
    ['the end of what is in the digest', { notify: 'resolved' }, {}, { ...facts, opening: 'digest' }, 'digest'],
  ])('%s', (_name, request, routing, given, status) => {
    expect(standingOf(alertEvent(request), routing, given).status).toBe(status);
  });

  test.each<[NotifyReason, HeardOpening, NotifyReason]>([
    ['opened', 'no', 'opened'],
    ['severity_raised', 'told', 'severity_raised'],
    ['severity_raised', 'no', 'opened'],
    ['severity_raised', 'digest', 'opened'],
    ['severity_raised', 'held', 'opened'],
    ['repeated', 'told', 'repeated'],
    ['repeated', 'no', 'opened'],
    ['repeated', 'held', 'opened'],
    ['flapping', 'no', 'flapping'],
    ['resolved', 'told', 'resolved'],
  ])('%s, where the opening was heard: %s, is told as %s', (notify, opening, reason) => {
    expect(reasonIn(alertEvent({ notify }), opening)).toBe(reason);
  });

  test('ends are told to those who heard of the opening', () => {
    const end = alertEvent({ notify: 'resolved' });
    expect(reasonToDrop(end, { silenced: false, opening: 'no' })).toBe('its opening was not told here');
    for (const opening of ['told', 'held', 'digest'] as const) {
      expect(reasonToDrop(end, { silenced: false, opening })).toBeUndefined();
    }
    expect(reasonToDrop(alertEvent(), { silenced: false, opening: 'no' })).toBeUndefined();
  });

  test('a silence keeps news back, and no end of what was told', () => {
    const silenced = { silenced: true, opening: 'told' } as const;
    const end = alertEvent({ notify: 'resolved' });
    expect(reasonToDrop(end, silenced)).toBeUndefined();
    expect(reasonToDrop({ ...end, notify: 'flapping' }, silenced)).toBeUndefined();
    expect(reasonToDrop({ ...end, transition: 'acknowledged' }, silenced)).toBeUndefined();
    expect(reasonToDrop(end, { silenced: true, opening: 'no' })).toBe('its opening was not told here');
    for (const notify of ['opened', 'severity_raised', 'repeated', 'flapping'] as const) {
      expect(reasonToDrop(alertEvent({ notify }), silenced)).toBe('silenced');
    }
  });

  test('that somebody has seen it is told to incidents that were opened, also at night and without budget', () => {
    const seen = { ...alertEvent({ notify: '' }), transition: 'acknowledged' } as const;
    const [pager, chat] = [channel({ type: 'pagerduty' }), channel({ type: 'slack' })];
    expect(acknowledgedIn([pager, chat])).toEqual([pager]);
    expect(isAcknowledgement(seen)).toBe(true);
    expect(isAcknowledgement({ ...seen, phase: 'resolved' })).toBe(false);
    expect(isBudgeted(seen, chat)).toBe(false);
    expect(standingOf(seen, night, facts).status).toBe('waiting');
    expect(reasonToDrop(seen, { silenced: true, opening: 'told' })).toBeUndefined();
    for (const opening of ['no', 'held', 'digest'] as const) {
      expect(reasonToDrop(seen, { silenced: false, opening })).toBe('its opening was not told here');
    }
  });

  test('an end that is told as flapping is an end: no budget, and where its opening went', () => {
    const end = { ...alertEvent({ notify: 'resolved' }), notify: 'flapping' } as const;
    expect(isBudgeted(end, channel())).toBe(false);
    expect(isBudgeted(alertEvent({ notify: 'flapping' }), channel())).toBe(true);
    expect(reasonToDrop(end, { silenced: false, opening: 'no' })).toBe('its opening was not told here');
    expect(standingOf(end, {}, { ...facts, opening: 'digest' }).status).toBe('digest');
  });

  test('an end goes where its opening went, however the routing was changed since then', () => {
    const end = alertEvent({ notify: 'resolved' });
    const narrowed = channel({ routing: { kinds: ['latency'], min_severity: 'critical', key_ids: ['other'] } });
    expect(channelsFor(end, [narrowed])).toEqual([]);
    expect(channelsFor(end, [narrowed], new Set(['c']))).toEqual([narrowed]);
    const [off, foreign] = [channel({ enabled: false }), channel({ organization_id: 'rival' })];
    expect(channelsFor(end, [off, foreign], new Set(['c']))).toEqual([]);
  });

  test('what was acknowledged is not repeated', () => {
    const event = alertEvent({ notify: 'repeated' });
    const seen = { ...event, state: { ...event.state, acknowledged: { by: 'ada', atMs: 1 } } };
    expect(reasonToDrop(seen, { silenced: false, opening: 'told' })).toBe('acknowledged');
    expect(reasonToDrop(event, { silenced: false, opening: 'told' })).toBeUndefined();
  });

  const limit = (stepPercent: number): EventRequest => ({
    kind: 'near_limit',
    evidence: { limit: { period: 'day', used: 1, limit: 1, stepPercent } },
  });
  test.each<[EventRequest, boolean]>([
    [{}, true],
    [{ severity: 'critical' }, false],
    [{ severity: 'critical', notify: 'severity_raised' }, false],
    [{ notify: 'resolved' }, false],
    [limit(80), true],
    [limit(100), false],
    [{ kind: 'key_expiring' }, false],
    [{ kind: 'key_expired' }, false],
    [{ kind: 'key_leaked' }, false],
    [{ kind: 'key_deactivated' }, false],
    [{ kind: 'platform' }, false],
    [{ kind: 'rotation_due' }, true],
  ])('budgets count %j: %s', (request, counted) => {
    expect(isBudgeted(alertEvent(request), channel())).toBe(counted);
    expect(isBudgeted(alertEvent(request), channel({ type: 'pagerduty' }))).toBe(false);
  });

  test.each<[string, EventRequest, number]>([
    ['an anomaly waits for company', {}, 30],
    ['a limit is told soon', limit(80), 2],
    ['a limit that is used up', limit(100), 1],
    ['a leak', { kind: 'key_leaked' }, 1],
    ['a deactivation', { kind: 'key_deactivated' }, 1],
  ])('%s', (_name, request, waitMs) => {
    expect(groupWaitMs(alertEvent(request), { normalMs: 30, soonMs: 2, urgentMs: 1 })).toBe(waitMs);
  });
});

describe('the clock of a channel', () => {
  const quiet = (from: string, to: string, weekdays?: number[], timezone = 'Europe/Stockholm'): Routing => ({
    timezone,
    quiet_hours: { from, to, ...(weekdays && { weekdays }) },
  });
  test.each<[string, Routing, string, string | undefined]>([
    ['no quiet hours', {}, '2026-11-21T23:00:00Z', undefined],
    ['over midnight, before', quiet('22:00', '07:00'), '2026-11-21T22:30:00Z', '2026-11-22T06:00:00.000Z'],
    ['over midnight, after', quiet('22:00', '07:00'), '2026-11-22T03:00:00Z', '2026-11-22T06:00:00.000Z'],
    ['by day', quiet('22:00', '07:00'), '2026-11-22T12:00:00Z', undefined],
    ['the end is not quiet', quiet('22:00', '07:00'), '2026-11-22T06:00:00Z', undefined],
    ['within a day', quiet('12:00', '13:00'), '2026-11-21T11:30:00Z', '2026-11-21T12:00:00.000Z'],
    // 2026-11-21 is a Saturday.
    ['began on Saturday', quiet('22:00', '07:00', [6]), '2026-11-22T03:00:00Z', '2026-11-22T06:00:00.000Z'],
    ['does not begin on Sunday', quiet('22:00', '07:00', [6]), '2026-11-22T22:30:00Z', undefined],
    // Clocks go back at 03:00 on 2026-10-25: the night has an hour more.
    ['the night of the change', quiet('22:00', '07:00'), '2026-10-25T05:30:00Z', '2026-10-25T06:00:00.000Z'],
  ])('%s', (_name, routing, at, until) => {
    const untilMs = quietUntil(Date.parse(at), routing);
    expect(untilMs === undefined ? undefined : new Date(untilMs).toISOString()).toBe(until);
  });

  test('days and digests are local', () => {
    const routing = { timezone: 'Asia/Kolkata' };
    expect(localDate(Date.parse('2026-11-21T19:00:00Z'), routing)).toBe('2026-11-22');
    const due = (at: string, hour?: number) =>
      digestDue(Date.parse(at), hour === undefined ? routing : { ...routing, digest_hour: hour }, 8);
    expect(due('2026-11-22T02:29:00Z')).toEqual({ atMs: Date.parse('2026-11-21T02:30:00Z'), date: '2026-11-21' });
    expect(due('2026-11-22T02:30:00Z')).toEqual({ atMs: Date.parse('2026-11-22T02:30:00Z'), date: '2026-11-22' });
    expect(due('2026-11-22T02:30:00Z', 20).date).toBe('2026-11-21');
  });
});

describe('what travels together', () => {
  const member = (request: EventRequest) => {
    const event = alertEvent(request);
    return { delivery_id: event.event_id, event, notify: event.notify };
  };

  test('one channel, organization and kind; PagerDuty and owners apart', () => {
    const of = (request: EventRequest, fields: Partial<RoutedChannel> = {}, owner = '') =>
      groupOf(alertEvent({ atMs: 1, ...request }), channel(fields), owner);
    expect(of({ key: 'a' })).toBe(of({ key: 'b' }));
    expect(of({})).not.toBe(of({ kind: 'latency' }));
    expect(of({})).not.toBe(of({ organization: 'other' }));
    expect(of({})).not.toBe(of({}, { channel_id: 'other' }));
    expect(of({ key: 'a' }, { type: 'pagerduty' })).not.toBe(of({ key: 'b' }, { type: 'pagerduty' }));
    expect(of({}, {}, 'ada')).not.toBe(of({}, {}, 'ben'));
  });

  test('strongest first; the reason is that of the strongest', () => {
    const ended = member({ key: 'a', severity: 'critical', notify: 'resolved', atMs: 1 });
    const warning = member({ key: 'b', atMs: 2 });
    const calmed = { ...ended, event: { ...ended.event, notify: 'flapping' as const } };
    expect(strongestFirst([calmed, warning])).toEqual([warning, calmed]);
    const critical = member({ key: 'c', severity: 'critical', notify: 'severity_raised', atMs: 3 });
    expect(strongestFirst([ended, warning, critical])).toEqual([critical, warning, ended]);
    expect(reasonOf([ended, warning])).toBe('opened');
    expect(reasonOf([ended, warning, critical])).toBe('severity_raised');
    expect(reasonOf([ended])).toBe('resolved');
  });

  test('a message says of each alert what the channel was told of it', () => {
    const events = ['opened', 'severity_raised'].map((notify, n) =>
      alertEvent({ key: `k${n}`, kind: 'near_limit', notify: notify as 'opened', atMs: n + 1 }),
    );
    const rows = events.map((event) => ({ ...event, delivery_id: event.event_id, thread_id: '', notify: 'opened' }));
    const byId = new Map<string, AlertEvent>(events.map((event) => [event.event_id, event]));
    const message = alertMessage('msg_1', channel() as never, rows as never, byId, new Map());
    expect([message.reason, ...message.notices.map(({ reason }) => reason)]).toEqual(['opened', 'opened', 'opened']);
  });

  test('a digest names a hundred and counts the rest', () => {
    const events = Array.from({ length: 130 }, (_, n) => alertEvent({ key: `k${n}`, atMs: n + 1 }));
    const rows = events.map((event) => ({ ...event, delivery_id: event.event_id, thread_id: '' }));
    const byId = new Map<string, AlertEvent>(events.map((event) => [event.event_id, event]));
    const message = alertMessage('dig_1', channel() as never, rows as never, byId, new Map());
    expect([message.reason, message.notices.length, message.omitted]).toEqual(['digest', 100, 30]);
  });
});

describe('what follows from an attempt', () => {
  const settings = { tableMs: RETRY_TABLE_MS, random: () => 0 };
  const retry = (afterMs?: number): DeliveryOutcome => ({
    result: 'retry',
    responseStatus: 500,
    detail: 'd',
    ...(afterMs !== undefined && { afterMs }),
  });
  const minutes = (value: number) => value * 60_000;
  test.each<[string, DeliveryOutcome, number, object]>([
    ['sent', { result: 'sent', responseStatus: 200 }, 1, { status: 'sent' }],
    ['first failure', retry(), 1, { status: 'retrying', waitMs: 5_000, reason: 'd' }],
    ['second', retry(), 2, { status: 'retrying', waitMs: minutes(5), reason: 'd' }],
    ['ninth', retry(), 9, { status: 'retrying', waitMs: minutes(24 * 60), reason: 'd' }],
    ['tenth', retry(), 10, { status: 'failed', reason: 'd' }],
    ['Retry-After is longer', retry(minutes(1)), 1, { status: 'retrying', waitMs: minutes(1), reason: 'd' }],
    ['Retry-After is shorter', retry(1_000), 2, { status: 'retrying', waitMs: minutes(5), reason: 'd' }],
    ['final', { result: 'failed', responseStatus: 400, detail: 'd' }, 1, { status: 'failed', reason: 'd' }],
    [
      'gone',
      { result: 'disable', responseStatus: 410, detail: 'd' },
      1,
      { status: 'failed', reason: 'd', channel: 'disable' },
    ],
    [
      'not configured',
      { result: 'not_configured', responseStatus: 0, detail: 'd' },
      1,
      { status: 'failed', reason: 'not configured: d', channel: 'not_configured' },
    ],
  ])('%s', (_name, outcome, attempts, expected) => {
    expect(afterAttempt(outcome, attempts, settings)).toEqual(expected);
  });

  test('the table is the one of Standard Webhooks, and waits are lengthened by a fifth at most', () => {
    expect(RETRY_TABLE_MS.map((ms) => ms / 60_000)).toEqual([0, 5 / 60, 5, 30, 120, 300, 600, 840, 1200, 1440]);
    const late = afterAttempt(retry(), 1, { ...settings, random: () => 1 });
    expect(late).toMatchObject({ waitMs: 6_000 });
  });

  test('a job runs again as it asked, or ever later after a fault of ours', () => {
    expect(jobBackoffMs(3, new RunLater(1234, ''), () => 1)).toBe(1234);
    expect(jobBackoffMs(1, new Error(), () => 1)).toBe(500);
    expect(jobBackoffMs(50, new Error(), () => 1)).toBe(30_000);
  });
});

test('of two signing secrets the former holds until its time', () => {
  const rotated = rotatedSecrets({ signing: ['old', 'older'] }, 'new', 1_000);
  expect(currentSecrets(rotated, 999)).toEqual({ signing: ['new', 'old'] });
  expect(currentSecrets(rotated, 1_000)).toEqual({ signing: ['new'] });
  expect(currentSecrets({ routing_key: 'r' }, 0)).toEqual({ routing_key: 'r' });
});
