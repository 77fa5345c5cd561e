import { describe, expect, test } from 'vitest';
import { bodyOf, draftOf, hearsOf, isChanged, NEW_CHANNEL, receiverOf } from '../../dashboards/alerts/channel-words.ts';
import { settingsText } from '../../dashboards/alerts/rule-settings.ts';
import { ACTION_WORDS, changedFields } from '../../dashboards/audit/changed-fields.ts';
import { entryClock } from '../../dashboards/audit/entry-clock.ts';
import { groupMarks } from '../../dashboards/charts/mark-groups.ts';
import { addressed } from '../../dashboards/connect/guide-text.ts';
import { refusalOf } from '../../dashboards/console/page-reach.ts';
import { NO_RIGHTS, rightsOf } from '../../dashboards/console/rights.ts';
import { namesOf, numberOf, numbersOf } from '../../dashboards/forms/list-text.ts';
import { moversOf } from '../../dashboards/overview/totals.ts';
import { rowsInView } from '../../dashboards/panels/use-window-rows.ts';
import { NEW_POLICY } from '../../dashboards/policies/policy-draft.ts';
import { meaningOf, scopeOf, warningsOf } from '../../dashboards/policies/policy-words.ts';
import { sampleText, settledText } from '../../dashboards/system/dead-letter-words.ts';
import { lagTone, memoryTone, pipelineSentence } from '../../dashboards/system/health-words.ts';
import { limitFullAt } from '../../dashboards/usage-tab/limit-use.ts';
import { AUDIT_ACTIONS } from '../../workers/keys/audit.ts';

const HOUR = 3_600_000;

test.each([
  [0, 900, { first: 0, end: 40 }],
  [-48_000, 900, { first: 980, end: 1_040 }],
  [-4_800_000, 900, { first: 99_980, end: 100_000 }],
  [5_000, 900, { first: 0, end: 0 }],
])('rows near the screen of a list that begins at %i px', (top, screen, expected) => {
  expect(rowsInView(100_000, 48, top, screen)).toEqual(expected);
});

test('words about dead letters', () => {
  expect(settledText({ id: 'a', outcome: 'replayed', rows: 1 })).toMatch(/^On their way: 1 record\. .* comes back/);
  expect(settledText({ id: 'a', outcome: 'counted_already', rows: 2 })).toBe('Counted already, not again: 2 records.');
  expect(sampleText({ key_id: 'k', method: 'GET', path: '/a', status: '200', batch_id: 'b' })).toBe('k GET /a 200');
  expect(sampleText(null)).toBe('');
});

describe('top movers', () => {
  const group = (name: string, requests: number) => ({
    group: name,
    requests,
    client_errors: 0,
    server_errors: 0,
    error_rate: 0,
  });

  test('are ordered by requests, with those that stopped, without noise', () => {
    const now = [group('grew', 900), group('same', 500), group('new', 100), group('tiny', 3)];
    const before = [group('grew', 300), group('same', 499), group('stopped', 200), group('tiny', 1)];
    expect(moversOf(now, before, 10).map(({ group: name }) => name)).toEqual(['grew', 'stopped', 'new']);
    expect(moversOf(now, before, 1)).toHaveLength(1);
    expect(moversOf([], [], 10)).toEqual([]);
  });

  const many = (name: string, requests: number) =>
    Array.from({ length: 499 }, (_, n) => group(`${name} ${n}`, requests));
  const named = (now: ReturnType<typeof many>, before: ReturnType<typeof many>) =>
    moversOf(now, before, 500).map(({ group: name }) => name);

  test('say nothing of a key that is missing from a cut list', () => {
    const cut = [group('both', 90), ...many('a', 10)];
    expect(named([group('both', 90), group('new', 80)], [group('both', 10)])).toEqual(['both', 'new']);
    expect(named(cut, [group('both', 190), ...many('b', 10)])).toEqual(['both']);
    const after = named([group('both', 90), group('new', 80)], [group('both', 10), ...many('b', 10)]);
    expect([after.includes('new'), after.includes('b 0'), after.length]).toEqual([false, true, 500]);
    expect(named(cut, [group('both', 10), group('stopped', 80)])).not.toContain('stopped');
  });
});

test('marks outside the time are left out, those that would touch stand together', () => {
  const slots = [0, 1, 2, 3].map((hour) => ({ start: hour * HOUR, end: (hour + 1) * HOUR, complete: true }));
  const mark = (at: number) => ({ at, what: String(at), tone: 'plain' as const });
  const groups = groupMarks([mark(3.9 * HOUR), mark(HOUR), mark(HOUR + 60_000), mark(-1), mark(4 * HOUR)], slots);
  expect(groups.map(({ place, marks }) => [place, marks.length])).toEqual([
    [0.25, 2],
    [0.975, 1],
  ]);
  expect(groupMarks([mark(1)], [])).toEqual([]);
});

test.each([
  [null, { manage: false, platform: false, keyId: '' }],
  [
    { scopes: ['read'], organization_id: null, key_id: null, name: '' },
    { manage: false, platform: false, keyId: '' },
  ],
  [
    { scopes: ['manage'], organization_id: 'acme', key_id: null, name: '' },
    { manage: true, platform: false, keyId: '' },
  ],
  [
    { scopes: ['admin'], organization_id: 'acme', key_id: null, name: '' },
    { manage: true, platform: false, keyId: '' },
  ],
  [
    { scopes: ['admin'], organization_id: null, key_id: null, name: '' },
    { manage: true, platform: true, keyId: '' },
  ],
  [
    { scopes: ['admin'], organization_id: null, key_id: 'k', name: '' },
    { manage: false, platform: false, keyId: 'k' },
  ],
])('rights of %j', (session, expected) => {
  expect(rightsOf(session)).toEqual(expected);
});

describe('pages a token does not reach', () => {
  const PAGES = ['overview', 'keys', 'requests', 'alerts', 'alert'] as const;
  const OF_ORGANIZATIONS = ['alert-rules', 'channel', 'silences', 'deliveries', 'policy', 'connect', 'audit'] as const;
  const OF_THE_PLATFORM = ['tokens', 'system', 'jobs'] as const;

  test.each([
    ['one key', { ...NO_RIGHTS, keyId: 'k' }, /one key/, /whole platform/],
    ['an organization', { ...NO_RIGHTS, manage: true }, /^$/, /whole platform/],
    ['the platform', { ...NO_RIGHTS, platform: true }, /^$/, /^$/],
  ])('of %s', (_, rights, organization, platform) => {
    for (const page of PAGES) expect(refusalOf(page, rights), page).toBe('');
    for (const page of OF_ORGANIZATIONS) expect(refusalOf(page, rights), page).toMatch(organization);
    for (const page of OF_THE_PLATFORM) expect(refusalOf(page, rights), page).toMatch(platform);
  });
});

test('a limit that will be used up: the first of the forecasts', () => {
  const [soon, later] = ['2026-11-21T15:00:00Z', '2026-11-28T00:00:00+02:00'];
  expect(limitFullAt({ utilization: { per_day: 0.5, forecast: { per_month: later, per_day: soon } } })).toBe(soon);
  expect(limitFullAt({ utilization: { per_day: 0.5, forecast: { per_month: later, per_day: null } } })).toBe(later);
  expect([limitFullAt({ utilization: { per_day: 0.5 } }), limitFullAt({ utilization: null })]).toEqual([null, null]);
});

test('lists as people type them', () => {
  expect(numbersOf('7, 1;30 ')).toEqual([7, 1, 30]);
  expect(numbersOf('7d, 1;x 1e999')).toEqual([Number.NaN, 1, Number.NaN, Number.NaN]);
  expect(namesOf(' a,b\n c ')).toEqual(['a', 'b', 'c']);
  expect([numberOf(''), numberOf(' 0 '), numberOf('1.5'), numberOf('x')]).toEqual([undefined, 0, 1.5, undefined]);
});

test('policies in words', () => {
  expect(meaningOf(NEW_POLICY)).toBe('Keys not used for 90 days, or never used in 90 days');
  const abusive = { kind: 'abusive', enabled: true, settings: { client_error_rate: 0.905, limit_factor: 2 } } as const;
  expect(meaningOf(abusive)).toBe(
    'Keys with at least 90.5% client errors, or 2 times their limit per minute over 15 minutes',
  );
  const byAlert = { kind: 'abusive', enabled: true, settings: { anomaly_minutes: 60, window_minutes: 5 } } as const;
  expect(meaningOf(byAlert)).toBe('Keys with an alert of their behaviour unacknowledged for 60 minutes');
  expect(meaningOf({ ...byAlert, settings: { ...byAlert.settings, limit_factor: 3 } })).toBe(
    'Keys with 3 times their limit per minute over 5 minutes, or an alert of their behaviour unacknowledged for 60 minutes',
  );
  expect(meaningOf({ ...byAlert, settings: {} })).toBe('Keys with no threshold yet');
  expect(scopeOf({ organization_id: 'acme', environment: '', plan: 'free' })).toBe('acme · plan free');
  expect(warningsOf({ warn_days: [1, 7] })).toBe('warns 7, 1 days before');
  expect(warningsOf({ warn_days: [] })).toBe('at once');
});

test('changes name what differs, and nothing else', () => {
  const before = { name: 'a', plan: 'free', tags: [1], gone: 'x' };
  expect(changedFields(before, { name: 'b', plan: 'free', tags: [1], limit: 5 })).toEqual([
    { name: 'name', before: 'a', after: 'b' },
    { name: 'gone', before: 'x', after: '–' },
    { name: 'limit', before: '–', after: '5' },
  ]);
  expect(changedFields(null, null)).toEqual([]);
});

test('every action of the audit log has its words, and no other has', () => {
  expect(Object.keys(ACTION_WORDS).sort()).toEqual([...AUDIT_ACTIONS].sort());
});

test.each([
  ['UTC', 'en-GB', '28 Feb 2024, 23:03:10'],
  ['Asia/Tokyo', 'en-GB', '29 Feb 2024, 08:03:10'],
  ['UTC', 'de', '28.02.2024, 23:03:10'],
])('an audit entry says its year in %s, %s', (zone, locale, words) => {
  expect(entryClock(zone, locale)('2024-02-28T23:03:10Z')).toBe(words);
});

test.each([
  [{}, 'All is well'],
  [{ paused: true }, 'wait for the store'],
  [{ lag_ms: 90_000 }, '1.5 min behind'],
  [{ failed_batches: 2, waiting_dead_letters: 1 }, 'but 3 batches or dead letters could not be'],
  [{ waiting_dead_letters: 1 }, 'but 1 batch or dead letter could not be'],
])('the pipeline with %j', (change, words) => {
  const pipeline = {
    waiting_batches: 0,
    failed_batches: 0,
    lag_ms: 0,
    paused: false,
    last_received_at: null,
    waiting_dead_letters: 0,
    ...change,
  };
  const redis = {
    version: '7',
    used_memory_bytes: 1,
    max_memory_bytes: 100,
    used_ratio: 0.01,
    refuses_above_ratio: 0.85,
    appendonly: true,
  };
  expect(pipelineSentence({ pipeline, redis })).toContain(words);
  expect(pipelineSentence({ pipeline, redis: { ...redis, used_ratio: 0.9 } })).toContain('nearly full');
});

test('tones of lag and memory', () => {
  expect([0, 10_000, 60_000].map(lagTone)).toEqual(['', 'warn', 'bad']);
  expect([null, 0.5, 0.7, 0.85].map((share) => memoryTone(share, 0.85))).toEqual(['', '', 'warn', 'bad']);
});

test('a guide names this installation, over plain HTTP without TLS', () => {
  const guide = 'https://keytally.example.com/v1 Host keytally.example.com Port              443 tls               On';
  const at = { origin: 'http://10.0.0.5:8080', hostname: '10.0.0.5', port: '8080', protocol: 'http:' };
  expect(addressed(guide, at)).toBe(
    'http://10.0.0.5:8080/v1 Host 10.0.0.5 Port              8080 tls               Off',
  );
  const secure = { origin: 'https://k.example', hostname: 'k.example', port: '', protocol: 'https:' };
  expect(addressed(guide, secure)).toContain('Port              443 tls               On');
});

test('settings of a rule as a sentence', () => {
  expect(settingsText('error_rate', { min_ratio: 0.05, scopes: ['server_errors', 'refused'] })).toBe(
    'server errors from 5% · looks at 5xx, 401 and 403',
  );
  expect(settingsText('traffic_anomaly', { spike: true, drop: false })).toBe('spikes');
  expect(settingsText('key_leaked', {})).toBe('');
});

describe('channels', () => {
  const channel = {
    ...NEW_CHANNEL,
    channel_id: 'c',
    name: 'Ops',
    type: 'webhook',
    settings: { url_host: 'hooks.example.com' },
    routing: { kinds: ['error_rate'], min_severity: 'critical', key_ids: ['a'] },
    disabled_reason: '',
    problem: '',
    created_at: '',
    updated_at: '',
  } as const;

  test('say whom they reach and what they hear', () => {
    expect(receiverOf(channel)).toBe('hooks.example.com');
    expect(hearsOf(channel as never)).toBe('High error rate · from critical · 1 key');
    expect(hearsOf({ purpose: 'key_events', routing: {} })).toBe('every change of a key');
  });

  test('differ from what is stored when something else would be sent', () => {
    const draft = draftOf(channel as never);
    const changes = [
      {},
      { routing: { ...draft.routing, quiet_hours: undefined } },
      { url: 'https://x' },
      { name: 'O' },
    ];
    const told = changes.map((change) => isChanged({ ...draft, ...change }, channel as never));
    expect(told).toEqual([false, false, true, true]);
  });

  test('keep what nobody entered anew, and send no empty list', () => {
    const draft = draftOf(channel as never);
    expect(bodyOf(draft)).toMatchObject({ settings: {}, routing: { kinds: ['error_rate'] } });
    expect(bodyOf(draft)).not.toHaveProperty('secrets');
    expect(bodyOf({ ...draft, url: 'https://x', routing: { kinds: [] } })).toMatchObject({
      settings: { url: 'https://x' },
      routing: {},
    });
    expect(bodyOf({ ...NEW_CHANNEL, type: 'pagerduty', secret: 'k' })).toMatchObject({ secrets: { routing_key: 'k' } });
  });
});
