import { describe, expect, test } from 'vitest';
import { missingText } from '../../../workers/alerts/rules/preview.ts';
import { effectiveOf, mostSpecific, policyOf, type Rule, RuleBook } from '../../../workers/alerts/rules/rule.ts';
import { parseRuleFile } from '../../../workers/alerts/rules/rule-file.ts';
import { RuleBody } from '../../../workers/alerts/rules/settings.ts';
import { type Silence, silencedUntil } from '../../../workers/alerts/silence-matching.ts';

const rule = (rule_id: string, fields: object): Rule => ({
  ...RuleBody.parse({ name: rule_id, kind: 'error_rate', ...fields }),
  rule_id,
  source: 'api',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
});
const key = { key_id: 'k', organization_id: 'acme', environment: 'production', plan: 'gold' };

test.each([
  ['none matches', [rule('a', { organization_id: 'other' })], undefined],
  ['everything', [rule('a', {})], 'a'],
  ['organization over everything', [rule('a', {}), rule('b', { organization_id: 'acme' })], 'b'],
  [
    'environment over organization',
    [rule('a', { environment: 'production' }), rule('b', { organization_id: 'acme' })],
    'a',
  ],
  [
    'organization and environment over environment',
    [rule('a', { environment: 'production' }), rule('b', { environment: 'production', organization_id: 'acme' })],
    'b',
  ],
  [
    'plan over both',
    [rule('a', { plan: 'gold' }), rule('b', { environment: 'production', organization_id: 'acme' })],
    'a',
  ],
  [
    'key over all',
    [rule('a', { plan: 'gold', environment: 'production', organization_id: 'acme' }), rule('b', { key_id: 'k' })],
    'b',
  ],
  ['another kind does not count', [rule('a', { kind: 'latency', key_id: 'k' })], undefined],
  ['of equal ones the newer', [rule('a', {}), { ...rule('b', {}), updated_at: '2026-02-01T00:00:00Z' }], 'b'],
  ['a scope that only half matches', [rule('a', { plan: 'gold', organization_id: 'other' })], undefined],
])('the most specific rule: %s', (_name, rules, expected) => {
  expect(mostSpecific(rules, 'error_rate', key)?.rule_id).toBe(expected);
});

test('a rule replaces the defaults as a whole, and paces the state machine', () => {
  const effective = effectiveOf(
    'error_rate',
    rule('a', { settings: { min_ratio: 0.2 }, quiet_minutes: 10, severity: 'critical' }),
  );
  expect(effective).toMatchObject({
    ruleId: 'a',
    severity: 'critical',
    quietMs: 600_000,
    settings: { min_ratio: 0.2, times_usual: 3 },
  });
  expect(policyOf(effective, 'warning')).toMatchObject({
    breaches: 1,
    ofLast: 1,
    quietMs: 600_000,
    repeatMs: 86_400_000,
  });
  expect(policyOf(effectiveOf('error_rate', undefined), 'critical')).toMatchObject({
    quietMs: 86_400_000,
    repeatMs: 14_400_000,
  });
});

test('the loosest settings of all rules that are on bound what SQL may filter', () => {
  const book = new RuleBook([
    rule('a', { settings: { min_errors: 2 } }),
    rule('b', { enabled: false, settings: { min_errors: 1 } }),
  ]);
  expect(book.allSettings('error_rate').map((one) => one.min_errors)).toEqual([5, 2]);
});

describe('expected countries', () => {
  const countries = (expected_countries: unknown[]) => ({
    name: 'abroad',
    kind: 'new_country',
    settings: { expected_countries },
  });

  test('are kept as requests carry them', () => {
    expect(RuleBody.parse(countries(['se', 'De', 'GB', 'xk'])).settings).toEqual({
      expected_countries: ['SE', 'DE', 'GB', 'XK'],
    });
  });

  test('of a rule that was stored before are read in either case', () => {
    const stored = { ...rule('a', {}), kind: 'new_country' as const, settings: { expected_countries: ['se', 'q1'] } };
    expect(effectiveOf('new_country', stored).settings.expected_countries).toEqual(['SE', 'Q1']);
  });

  test.each(['S1', 'ZZ', 'xx', 'QQ', 'UK', '--'])('%s is no country', (code) => {
    const { error } = RuleBody.safeParse(countries(['SE', code]));
    expect(error?.issues).toMatchObject([
      { path: ['settings', 'expected_countries', 1], message: expect.stringContaining('is not a country') },
    ]);
  });

  test.each(['SWE', '', 5])('%j is no code', (code) => {
    expect(RuleBody.safeParse(countries([code])).error?.issues).toHaveLength(1);
  });
});

describe('a file of rules', () => {
  test('good ones', () => {
    const text =
      'rules:\n  - name: calm staging\n    kind: error_rate\n    environment: staging\n    settings: { min_ratio: 0.3 }\n';
    expect(parseRuleFile(text, 'alerts.yaml')).toMatchObject([
      { name: 'calm staging', environment: 'staging', enabled: true },
    ]);
    expect(parseRuleFile('', 'alerts.yaml')).toEqual([]);
  });

  test.each([
    [
      'rules:\n  - name: a\n    kind: error_rate\n    settings:\n      min_ratio: 7\n',
      /^alerts\.yaml:5: rules\[0\]\.settings\.min_ratio: /,
    ],
    ['rules:\n  - name: a\n    kind: nothing\n', /^alerts\.yaml:3: rules\[0\]\.kind: /],
    ['rules:\n  - kind: latency\n', /^alerts\.yaml:2: rules\[0\]\.name: /],
    ['rules:\n  - name: a\n    kind: latency\n    setings: {}\n', /^alerts\.yaml:2: rules\[0\]: .*setings/],
    [
      'rules:\n  - name: a\n    kind: latency\n  - name: a\n    kind: latency\n',
      /^alerts\.yaml:4: rules\[1\]\.name: "a" stands twice/,
    ],
    ['rules: [\n', /^alerts\.yaml:\d: /],
  ])('bad ones name line and field: %j', (text, message) => {
    expect(() => parseRuleFile(text, 'alerts.yaml')).toThrow(message);
  });
});

const silence = (fields: Partial<Silence>): Silence => ({
  organization_id: '',
  matchers: {},
  startsAtMs: 0,
  endsAtMs: 100,
  ...fields,
});
const subject = { kind: 'latency' as const, key_id: 'k', organization_id: 'acme', environment: 'staging' };

test.each([
  ['none', [], undefined],
  ['anything', [silence({})], 100],
  ['the latest end', [silence({}), silence({ endsAtMs: 200 })], 200],
  ['over', [silence({ endsAtMs: 50 })], undefined],
  ['not yet', [silence({ startsAtMs: 60 })], undefined],
  ['another organization', [silence({ organization_id: 'other' })], undefined],
  ['this organization', [silence({ organization_id: 'acme' })], 100],
  ['kind', [silence({ matchers: { kinds: ['latency', 'error_rate'] } })], 100],
  ['another kind', [silence({ matchers: { kinds: ['error_rate'] } })], undefined],
  ['key and environment', [silence({ matchers: { key_ids: ['k'], environments: ['staging'] } })], 100],
  [
    'key, but another environment',
    [silence({ matchers: { key_ids: ['k'], environments: ['production'] } })],
    undefined,
  ],
  ['empty lists mean any', [silence({ matchers: { kinds: [], key_ids: [] } })], 100],
])('silences: %s', (_name, silences, expected) => {
  expect(silencedUntil(subject, silences, 50)).toBe(expected);
});

const DAY = 86_400;
test.each([
  ['nothing was used', { kept: 0, used: 0 }, ''],
  ['all is there', { kept: 10 * DAY + 5, used: 10 * DAY }, ''],
  ['days are gone', { kept: 20_000 * DAY + 5, used: 19_998 * DAY }, 'stored since 2024-10-04: the days before'],
  ['all is gone', { kept: 0, used: 10 * DAY }, 'nothing was looked at'],
])('what a preview could not look at: %s', (_name, times, says) => {
  expect(missingText(times)).toEqual(says === '' ? '' : expect.stringContaining(says));
});
