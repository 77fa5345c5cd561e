import { describe, expect, it } from 'vitest';
import type { Alert, Severity } from '../../dashboards/http/contract/alerts.ts';
import { problemFrom } from '../../dashboards/http/problem.ts';
import { answerBefore } from '../../dashboards/overview/answer-before.ts';
import { failingGroups, totalsOfGroups } from '../../dashboards/overview/totals.ts';
import { worstAlerts } from '../../dashboards/overview/worst-alerts.ts';
import {
  readRequestsView,
  requestsOfUsage,
  requestsPath,
  typedFilter,
  writeRequestsView,
} from '../../dashboards/requests/requests-view.ts';
import { rowKeys } from '../../dashboards/requests/row-keys.ts';
import { longestPreset } from '../../dashboards/time/range.ts';
import { readView } from '../../dashboards/usage-tab/view.ts';

const group = (name: string, requests: number, client_errors: number, server_errors: number) => ({
  group: name,
  requests,
  client_errors,
  server_errors,
  error_rate: requests ? (client_errors + server_errors) / requests : 0,
});

describe('request explorer in the address', () => {
  const read = (search: string) => readRequestsView(new URLSearchParams(search), 'Europe/Paris');

  it.each([
    ['', 'range=24h&tz=Europe/Paris'],
    ['range=7d&tz=UTC&status=5xx&key_id=a%26b', 'range=7d&tz=UTC&key_id=a%26b&status=5xx'],
    ['range=1y&nonsense=1&route=/a?b', 'range=24h&tz=Europe/Paris&route=/a%3Fb'],
    ['range=1h&live=1&service=x', 'range=1h&tz=Europe/Paris&live=1&service=x'],
  ])('"%s" is spelled out as "%s"', (search, written) => {
    expect(writeRequestsView(read(search))).toBe(written);
    expect(read(written)).toEqual(read(search));
  });

  it('takes range, zone and filters over from a usage tab', () => {
    const usage = readView(new URLSearchParams('range=3d&tz=UTC&bucket=hour&status=404&route=/a'), 'Europe/Paris');
    expect(requestsPath(requestsOfUsage('key_1', usage))).toBe(
      '/requests?range=3d&tz=UTC&key_id=key_1&status=404&route=/a',
    );
  });

  it.each([
    ['method', ' get ', { value: 'GET' }],
    ['status', '5XX', { value: '5xx' }],
    ['status', '404', { value: '404' }],
    ['status', '6xx', { wrong: expect.any(String) }],
    ['country', 'se', { value: 'SE' }],
    ['country', 'Sweden', { wrong: expect.any(String) }],
    ['route', ' /v1/a ', { value: '/v1/a' }],
  ] as const)('typed %s "%s"', (name, typed, filter) => expect(typedFilter(name, typed)).toEqual(filter));
});

describe('overview', () => {
  it('sums groups, and knows no error rate without requests', () => {
    expect(totalsOfGroups([group('200', 90, 0, 0), group('404', 8, 8, 0), group('500', 2, 0, 2)])).toEqual({
      requests: 100,
      client_errors: 8,
      server_errors: 2,
      error_rate: 0.1,
    });
    expect(totalsOfGroups([]).error_rate).toBeNull();
  });

  it('lists failing keys by rate, without those of a few requests', () => {
    const groups = [
      group('calm', 1000, 10, 0),
      group('few', 2, 1, 1),
      group('bad', 100, 5, 5),
      group('worse', 20, 9, 0),
    ];
    expect(failingGroups(groups).map((row) => row.group)).toEqual(['worse', 'bad']);
  });
});

it('rows keep their names when new ones come above them, equal ones, too', () => {
  const row = (second: number, request_id: string | null = null) => ({ timestamp: `12:00:0${second}`, request_id });
  const shown = [row(2, 'b'), row(1), row(1), row(0, 'a')];
  expect(new Set(rowKeys(shown)).size).toBe(4);
  expect(rowKeys([row(4), row(3, 'c'), ...shown]).slice(2)).toEqual(rowKeys(shown));
});

describe('what the overview compares with', () => {
  const asked = (from: number, to: number) => ({ asked: { from, to } });
  const present = asked(2_000, 3_000);
  it.each([
    ['the period before', present, asked(1_000, 2_000), true],
    ['that of a moment ago', asked(2_000, 3_005), asked(1_000, 2_000), true],
    ['an earlier answer that is late', present, asked(0, 1_000), false],
    ['a later answer that is early', present, asked(1_500, 2_500), false],
    ['one of another length', present, asked(0, 2_000), false],
    ['no answer', present, null, false],
    ['nothing to compare', null, asked(1_000, 2_000), false],
  ])('%s', (_, shown, before, used) => expect(answerBefore(shown, before)).toBe(used ? before : null));
});

describe('open alerts on the overview', () => {
  const alerts = (...severities: Severity[]) =>
    severities.map((severity, index) => ({ alert_id: String(index), severity }) as Alert);
  it.each([
    ['all', alerts('warning', 'critical'), null, ['1', '0'], undefined],
    [
      'the worst',
      alerts('info', 'info', 'info', 'info', 'info', 'critical', 'info', 'warning'),
      null,
      ['5', '7', '0', '1', '2', '3'],
      'The worst 6 of 8',
    ],
    ['some', alerts('info', 'warning'), 'next', ['1', '0'], 'The worst 2 of the newest 2; there are more'],
  ])('%s', (_, data, next_cursor, ids, note) => {
    const shown = worstAlerts({ data, next_cursor });
    expect([shown.rows.map((alert) => alert.alert_id), shown.note]).toEqual([ids, note]);
  });
});

describe('filters beyond the kept requests', () => {
  it.each([
    [30, '14d'],
    [31, '30d'],
    [400, '90d'],
    [2, '24h'],
    [1, null],
    [0, null],
  ])('%i days are kept: %s', (days, preset) => expect(longestPreset(days)).toBe(preset));

  it('names the field that was refused', () => {
    const body = '{"title":"Bad request","detail":"from: too old","errors":[{"field":"from","message":"too old"}]}';
    expect(problemFrom(400, body).field).toBe('from');
    expect(problemFrom(400, '{"errors":"none"}').field).toBe('');
  });
});
