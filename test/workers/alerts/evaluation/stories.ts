/** What happens to a key of each kind of alert, as its gateway and its platform would report it. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { AlertKind } from '../../../../workers/alerts/alert.ts';
import type { Stack } from '../../../support/stack.ts';

const BUCKET_MS = 300_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

export interface Story {
  keyId: string;
  /** Calls and rows that come before the records. */
  prepare?: (stack: Stack) => Promise<void>;
  /** @param hour a full hour in the past, epoch milliseconds: the windows that are judged begin there */
  records?: (hour: number) => object[];
  /** Keys that were known for two months. */
  aged?: string[];
  opens: { scope: string; severity: string };
  says: RegExp;
  /** How the mail about it reads. */
  mail: RegExp;
  evidence?: object;
  /** Steps after the opening: transition and why people are told. */
  afterwards?: [transition: string, notify: string][];
  /** Settings under which a preview of the same past says nothing. */
  stricter?: object;
  /** How far the time of a preview may be off, because it judges in coarser steps. */
  previewAtMs?: number;
}

interface Spread {
  key: string;
  from: number;
  count: number;
  overMs: number;
  more?: object | ((n: number) => object);
}

const spread = ({ key, from, count, overMs, more = {} }: Spread): object[] =>
  Array.from({ length: count }, (_, n) => ({
    key_id: key,
    path: '/v1/things',
    status: 200,
    timestamp: Math.floor(from + (n * overMs) / count),
    ...(typeof more === 'function' ? more(n) : more),
  }));
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const put = async (stack: Stack, keyId: string, body: object) =>
  expect((await stack.call(`/v1/keys/${keyId}`, { method: 'PUT', body })).status).toBe(200);
const post = async (stack: Stack, path: string, body: object) => {
  const answer = await stack.call(path, { method: 'POST', body });
  expect(answer.status, answer.text).toBeLessThan(300);
};
const bucketsOf = (key: string, hour: number, buckets: number[], count: number, more: Spread['more'] = {}) =>
  buckets.flatMap((n) => spread({ key, from: hour + n * BUCKET_MS, count, overMs: BUCKET_MS, more }));

/** About 100 ms, a little slower towards the end of every bucket. */
const usualSpeed = (n: number) => ({ latency_ms: 95 + (n % 10) });

const latencyDoubles: Story = {
  keyId: 'search',
  records: (hour) => [
    ...numbers(1, 5).flatMap((week) =>
      spread({ key: 'search', from: hour - week * WEEK_MS, count: 80, overMs: HOUR_MS, more: usualSpeed }),
    ),
    ...bucketsOf('search', hour, [0, 1], 60, usualSpeed),
    ...bucketsOf('search', hour, [2, 3, 4, 5], 60, (n) => ({ latency_ms: 230 + (n % 10) })),
    ...bucketsOf('search', hour, [6, 7, 8, 9, 10, 11], 60, usualSpeed),
  ],
  aged: ['search'],
  opens: { scope: '', severity: 'warning' },
  mail: /^search: answers are slow\n\n\[Warning\] The slowest 5% of the requests of key search have taken 2\d\d ms or more since .*, 2\.\d times the usual 10\d ms\./,
  says: /^Answers have become slow: 95 % of requests took up to 2\d\d ms; 10\d ms is usual at this hour \(2\.\d times\)\.$/,
  evidence: {
    unit: 'ms',
    baseline: 'this hour in the last 5 weeks',
    statistic: { name: 'robust z of the logarithm', threshold: 4 },
    chart: { bucketMinutes: 5, values: expect.any(Array) },
  },
  afterwards: [
    ['recovering', ''],
    ['resolved', 'resolved'],
  ],
  stricter: { times_slower: 3 },
};

/** Other stories send what was never expected: only this key is judged on how much it sends. */
const twelveTimesAsMuch: Story = {
  keyId: 'busy',
  prepare: async (stack) => {
    await post(stack, '/v1/alert-rules', { name: 'nobody', kind: 'traffic_anomaly', enabled: false });
    await post(stack, '/v1/alert-rules', { name: 'but busy', kind: 'traffic_anomaly', key_id: 'busy' });
  },
  records: (hour) => [
    ...numbers(0, 6).flatMap((week) =>
      spread({
        key: 'busy',
        from: hour - week * WEEK_MS - 3 * HOUR_MS,
        count: week === 0 ? 36 * 12 : 60 * 12,
        overMs: week === 0 ? 3 * HOUR_MS : 5 * HOUR_MS,
      }),
    ),
    ...bucketsOf('busy', hour, [0, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], 12),
    ...bucketsOf('busy', hour, [2, 3, 4], 150),
  ],
  aged: ['busy'],
  opens: { scope: 'spike', severity: 'warning' },
  mail: /^busy: far more requests than usual\n\n\[Warning\] Key busy has sent .* times its usual requests since /,
  says: /times as many requests as usual: .* were expected from this hour in the last 6 weeks\.$/,
  stricter: { spike: false },
};

const days = (key: string, hour: number) =>
  numbers(2, 26).flatMap((day) =>
    spread({ key, from: hour - day * DAY_MS, count: 60, overMs: HOUR_MS, more: { country: 'SE' } }),
  );

const calledFromBrazil: Story = {
  keyId: 'abroad',
  records: (hour) => [
    ...days('abroad', hour),
    ...bucketsOf('abroad', hour, numbers(0, 15), 4, { country: 'SE' }),
    ...bucketsOf('abroad', hour, [3], 12, { country: 'BR', path: '/v1/export' }),
  ],
  aged: ['abroad'],
  opens: { scope: 'BR', severity: 'warning' },
  mail: /^abroad: used from a new country\n\n\[Warning\] Key abroad was used from Brazil for the first time: 12 requests since [\s\S]*\/v1\/export \((new here|usually 0\.\d%)\)/,
  says: /^12 requests from BR, where this key was never used before; it is used from SE\.$/,
  evidence: { country: 'BR', value: 12 },
  stricter: { min_requests: 13 },
  previewAtMs: 3 * BUCKET_MS,
};

const movedToBrazil: Story = {
  keyId: 'moved',
  records: (hour) => [
    ...days('moved', hour),
    ...spread({ key: 'moved', from: hour, count: 60, overMs: HOUR_MS, more: { country: 'SE' } }),
    ...spread({ key: 'moved', from: hour, count: 240, overMs: HOUR_MS, more: { country: 'BR' } }),
  ],
  aged: ['moved'],
  opens: { scope: '', severity: 'warning' },
  mail: /^moved: requests from unusual countries\n\n\[Warning\] Since .* the requests of key moved come from other countries than usual\.[\s\S]* 80% +Brazil/,
  says: /^Requests come from elsewhere than usual: 80 % from BR, which is usually less than 0\.1 %/,
  evidence: { windowMinutes: 60, contributions: [{ dimension: 'country', value: 'BR', share: 0.8 }] },
  stricter: { min_distance: 0.9 },
};

const fleet = numbers(0, 6).map((n) => `fleet_${n}`);
const sevenKeysFail: Story = {
  keyId: '',
  records: (hour) =>
    fleet.flatMap((key) => [
      ...bucketsOf(key, hour, numbers(0, 15), 20),
      ...bucketsOf(key, hour, [4, 5, 6], 30, { status: 400 }),
    ]),
  opens: { scope: 'error_rate client_errors', severity: 'critical' },
  mail: /^Many keys at once\n\n\[Critical\] 7 of 1\d active keys have shown failing requests at the same time since /,
  says: /^7 of 1\d active keys show many client errors \(4xx\) at the same time; the cause is likely common to them\.$/,
  evidence: { fleet: { firingKeys: 7, kind: 'error_rate' } },
  afterwards: [
    ['recovering', ''],
    ['resolved', 'resolved'],
  ],
  stricter: { min_keys: 8 },
};

const overEighty: Story = {
  keyId: 'limited',
  prepare: async (stack) => {
    await put(stack, 'limited', { limits: { per_day: 100 } });
    await stack.send(spread({ key: 'limited', from: Date.now() - 1_000, count: 85, overMs: 1_000 }));
    await stack.untilCounted(85);
  },
  opens: { scope: 'day', severity: 'info' },
  mail: /^limited: near its daily limit\n\n\[Notice\] Key limited has used 85% of its daily limit: 85 of 100 requests\./,
  says: /^85 % of its daily limit is used: 85 of 100 requests\./,
};

const ago = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY_MS).toISOString();

/** The platform did something to a key, or time did. */
const happensTo = (keyId: string, severity: string, words: [says: RegExp, mail: RegExp], prepare: Prepare): Story => ({
  keyId,
  opens: { scope: '', severity },
  says: words[0],
  mail: words[1],
  prepare,
});
type Prepare = (stack: Stack) => Promise<void>;

export const STORIES: Record<Exclude<AlertKind, 'error_rate'>, Story> = {
  latency: latencyDoubles,
  traffic_anomaly: twelveTimesAsMuch,
  new_country: calledFromBrazil,
  country_mix: movedToBrazil,
  platform: sevenKeysFail,
  near_limit: overEighty,
  key_expiring: happensTo(
    'ending',
    'warning',
    [/expires/, /^ending: expires soon\n\n\[Warning\] Key ending expires in [23] days, on /],
    (stack) => put(stack, 'ending', { created_at: ago(100), expires_at: ago(-2.5) }),
  ),
  key_expired: happensTo(
    'ended',
    'critical',
    [/expired/, /^ended: has expired\n\n\[Critical\] Key ended expired at \d\d:\d\d UTC\. /],
    async (stack) => {
      const sha256 = createHash('sha256').update('ended').digest('hex');
      await put(stack, 'ended', { sha256, expires_at: new Date(Date.now() + 1_500).toISOString() });
    },
  ),
  key_deactivated: happensTo(
    'off',
    'warning',
    [/deactivated/, /^off: was deactivated\n\n\[Warning\] Key off was deactivated: contract ended\./],
    async (stack) => {
      await put(stack, 'off', {});
      await post(stack, '/v1/keys/off/deactivate', { reason: 'contract ended' });
    },
  ),
  key_unused: happensTo(
    'forgotten',
    'info',
    [
      /not (been )?used|unused/,
      /^forgotten: is not used any more\n\n\[Notice\] Key forgotten was never used since .*\. It will be deactivated on /,
    ],
    async (stack) => {
      const old = ago(400);
      await stack.store.insertRows('keys', [
        {
          ...{ key_id: 'forgotten', name: 'Forgotten', organization_id: 'acme', status: 'active', version: 1 },
          ...{ created_at: old, updated_at: old, registered_at: old, deleted: false },
        },
      ]);
      const settings = { unused_days: 90, never_used_days: 90 };
      const policy = {
        name: 'sleepers',
        kind: 'unused',
        organization_id: 'acme',
        enabled: true,
        warn_days: [7],
        settings,
      };
      await post(stack, '/v1/policies', policy);
    },
  ),
  rotation_due: happensTo(
    'stale',
    'info',
    [
      /rotat|secret/,
      /^stale: secret is due for rotation\n\n\[Notice\] The secret of key stale is 100 days old and due for rotation\./,
    ],
    (stack) => put(stack, 'stale', { created_at: ago(100) }),
  ),
  key_leaked: happensTo(
    'leaked',
    'critical',
    [
      /found in public; replace it now/,
      /^leaked: secret found in public\n\n\[Critical\] The secret of key leaked was found in public: found in a repository\./,
    ],
    async (stack) => {
      await put(stack, 'leaked', {});
      await post(stack, '/v1/keys/leaked/report-leak', { reason: 'found in a repository' });
    },
  ),
};
