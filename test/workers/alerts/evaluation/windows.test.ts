import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseConfig } from '../../../../ingest/config.ts';
import { type LocalRedis, startLocalRedis } from '../../../../ingest/local-redis.ts';
import { createLogger } from '../../../../ingest/logger.ts';
import type { Redis } from '../../../../ingest/redis.ts';
import { connectRedis } from '../../../../ingest/redis.ts';
import { type Rung, requestBaseline } from '../../../../workers/alerts/detectors/request-baseline.ts';
import { ensureBaselines } from '../../../../workers/alerts/evaluation/baselines.ts';
import { type EvaluationParts, evaluate } from '../../../../workers/alerts/evaluation/evaluate.ts';
import { openDeliveryQueue } from '../../../../workers/alerts/outbox.ts';
import type { Store } from '../../../../workers/clickhouse/store.ts';
import { brokenAlertLogs } from '../../../support/alert-log.ts';
import { ALERTS_KEPT_MS } from '../../../support/alert-parts.ts';
import { migratedStore } from '../../../support/migrated-store.ts';
import { tempFolder } from '../../../support/temp-folder.ts';
import { SeededHistory } from './seeded-history.ts';

let redisServer: LocalRedis;
let redis: Redis;
let store: Store;
let parts: EvaluationParts;
let history: SeededHistory;
let waiting: number | undefined;
const config = parseConfig({ LOG_LEVEL: 'error' });
const NOW = Math.floor(Date.now() / 3_600_000) * 3_600 - 3 * 3_600;
const TABLES = [
  'alert_events',
  'traffic_buckets',
  'alert_baselines',
  'alert_progress',
  'alert_hours',
  'alert_days',
  'alert_day_countries',
  'key_totals',
  'statuses_day',
  'keys',
  'key_countries',
  'countries_day',
  'country_hours',
  'silences',
  'alert_rules',
  'channels',
];

beforeAll(async () => {
  redisServer = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
  redis = await connectRedis(redisServer.url, 'worker', () => {});
  store = await migratedStore(config);
  parts = {
    store,
    delivery: openDeliveryQueue(redis),
    log: createLogger(config, 'test'),
    oldestWaitingMs: async () => waiting,
    settleMs: 0,
    alertsKeptMs: ALERTS_KEPT_MS,
  };
});
afterAll(async () => {
  await parts.delivery.close();
  redis.disconnect();
  await redisServer.stop();
  await store.close();
});
beforeEach(() => {
  waiting = undefined;
  history = new SeededHistory(store, NOW);
});
afterEach(async () => {
  expect(await brokenAlertLogs(store)).toEqual([]);
  for (const table of TABLES) await store.command(`TRUNCATE TABLE ${table}`);
});

interface Row {
  key_id: string;
  kind: string;
  scope: string;
  transition: string;
  notify: string;
  withheld: string;
  evidence: string;
}
const rows = () =>
  store.query<Row>(
    'SELECT key_id, kind, scope, transition, notify, withheld, evidence FROM alert_events FINAL ORDER BY at, kind, key_id, scope',
  );
const brief = async () =>
  (await rows()).map((row) => [row.key_id, row.kind, row.scope, row.transition, row.notify || row.withheld].join(' '));
const many = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}_${n}`);
const all = (keyIds: readonly string[], requests: number) =>
  Object.fromEntries(keyIds.map((keyId) => [keyId, requests]));
/** Judges every bucket up to this one, one call per bucket as the schedule does. */
async function judgeTo(bucket: number, from = bucket): Promise<void> {
  for (let at = from; at <= bucket; at++) await evaluate(parts, history.endOf(at) + 1);
}

describe('request rate', () => {
  test('a spike, a drop and a silence; the others are left in peace; a repeat writes nothing', async () => {
    const calm = many('calm', 10);
    await history.keys([...calm, 'spike', 'silent'], 40);
    for (let bucket = 0; bucket < 6; bucket++)
      await history.bucket(bucket, { ...all(calm, 40), spike: 400, silent: 0 });
    await judgeTo(5, 0);
    const written = await brief();
    expect(written).toEqual(
      ['silent traffic_anomaly drop opened opened', 'spike traffic_anomaly spike opened opened'].sort(
        (a, b) => written.indexOf(a) - written.indexOf(b),
      ),
    );
    const spike = JSON.parse((await rows()).find((row) => row.key_id === 'spike')!.evidence);
    expect(spike.summary).toMatch(
      /^About \d+ times as many requests as usual: [\d,]+ requests in \d+ minutes; [\d,]+ were expected from this hour in the last 6 weeks\.$/,
    );
    expect(spike.chart.values).toHaveLength(36);
    expect(spike.chart.expected.at(-1)).toBeGreaterThan(30);
    await evaluate(parts, history.endOf(5) + 1);
    expect(await brief()).toEqual(written);
  });

  test('nobody expects anything of a key that is off', async () => {
    const calm = many('calm', 10);
    await history.keys([...calm, 'off'], 40);
    await store.insertRows('keys', [
      {
        key_id: 'off',
        status: 'inactive',
        deleted: false,
        version: 1,
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:00:00Z',
      },
    ]);
    for (let bucket = 0; bucket < 8; bucket++) await history.bucket(bucket, all(calm, 40));
    await judgeTo(7, 0);
    expect(await brief()).toEqual([]);
  });

  test('nothing from anybody: no key is called silent, one alert says that reports are missing, and ends', async () => {
    const calm = many('calm', 10);
    await history.keys(calm, 40);
    await judgeTo(5, 0);
    expect(await brief()).toEqual([' platform silence opened opened']);
    for (let bucket = 6; bucket < 10; bucket++) await history.bucket(bucket, all(calm, 40));
    await judgeTo(9, 6);
    expect((await brief()).at(-1)).toBe(' platform silence resolved resolved');
  });
});

test('many keys fail together: one alert of the platform, those of the keys wait behind it', async () => {
  const calm = many('calm', 30);
  const failing = many('failing', 12);
  await history.keys([...calm, ...failing], 40);
  for (let bucket = 0; bucket < 4; bucket++)
    await history.bucket(bucket, {
      ...all(calm, 40),
      ...Object.fromEntries(failing.map((keyId) => [keyId, { requests: 40, server_errors: 18 }])),
    });
  await judgeTo(3, 0);
  const written = await brief();
  expect(written.filter((row) => row.endsWith('opened opened'))).toEqual([
    ' platform error_rate server_errors opened opened',
  ]);
  expect(written.filter((row) => row.endsWith('opened inhibited'))).toHaveLength(12);
});

/** Six of 16 keys fail: five of `acme`, one of `rival`. */
async function failTogether(): Promise<void> {
  const calm = many('calm', 10);
  const failing = [...many('acme', 5), 'rival_0'];
  await history.keys([...calm, ...failing], 40);
  await store.insertRows(
    'keys',
    failing.map((key_id) => ({
      ...{ key_id, organization_id: key_id.split('_')[0], status: 'active', version: 1 },
      ...{ created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' },
    })),
  );
  for (let bucket = 0; bucket < 2; bucket++)
    await history.bucket(bucket, {
      ...all(calm, 40),
      ...Object.fromEntries(failing.map((keyId) => [keyId, { requests: 40, server_errors: 18 }])),
    });
  await judgeTo(1, 0);
}
const opened = async () =>
  (await rows())
    .filter((row) => row.transition === 'opened')
    .map((row) => `${row.kind} ${row.key_id.split('_')[0]} ${row.notify || row.withheld}`);

test('many keys fail together: an organization that does not hear the alert of the platform hears those of its keys', async () => {
  const now = new Date().toISOString();
  const fields = { type: 'webhook', purpose: 'alerts', enabled: true, settings: '{}', routing: '{}', version: 1 };
  await store.insertRows('channels', [
    { ...fields, channel_id: 'c', organization_id: 'rival', name: 'rival', created_at: now, updated_at: now },
  ]);
  await failTogether();
  expect(await opened()).toEqual([
    ...Array.from({ length: 5 }, () => 'error_rate acme inhibited'),
    'error_rate rival opened',
    'platform  opened',
  ]);
});

test.each([
  ['a rule that is off', 'alert_rules', { rule_id: 'r', kind: 'error_rate', enabled: false, settings: '{}' }, []],
  [
    'a silence',
    'silences',
    { silence_id: 's', matchers: '{}', starts_at: '2026-01-01T00:00:00Z', ends_at: '2100-01-01T00:00:00Z' },
    Array.from({ length: 5 }, () => 'error_rate acme silenced'),
  ],
])('keys muted by %s do not open the alert of the platform', async (_what, table, fields, muted) => {
  await store.insertRows(table, [{ ...fields, organization_id: 'acme', version: 1 }]);
  await failTogether();
  expect(await opened()).toEqual([...muted, 'error_rate rival opened']);
});

test('after an interruption the missed windows are judged, and each alert speaks at most once', async () => {
  const calm = many('calm', 10);
  await history.keys([...calm, 'past', 'lasting', 'known'], 40);
  const failing = { requests: 40, server_errors: 18 };
  await history.bucket(0, { ...all(calm, 40), past: 40, lasting: 40, known: failing });
  await history.bucket(1, { ...all(calm, 40), past: 40, lasting: 40, known: failing });
  await judgeTo(1, 0);
  expect(await brief()).toEqual(['known error_rate server_errors opened opened']);
  for (let bucket = 2; bucket < 30; bucket++) {
    const struck = bucket >= 4 && bucket < 10;
    await history.bucket(bucket, { ...all(calm, 40), known: 40, past: struck ? failing.requests : 40, lasting: 40 });
    if (struck) await history.bucket(bucket, { past: { requests: 1, server_errors: 18 } });
    if (bucket >= 20) await history.bucket(bucket, { lasting: { requests: 1, server_errors: 18 } });
  }
  await judgeTo(29);
  const told = (await rows()).filter((row) => row.notify !== '').map((row) => `${row.key_id} ${row.notify}`);
  expect(told).toEqual(['known opened', 'known resolved', 'lasting opened']);
  expect((await brief()).filter((row) => row.startsWith('past'))).toContain('past error_rate server_errors resolved ');
});

test('a bucket is judged only when no batch of its time waits', async () => {
  await history.keys(['failing'], 40);
  for (let bucket = 0; bucket < 3; bucket++)
    await history.bucket(bucket, { failing: { requests: 40, server_errors: 18 } });
  await evaluate(parts, history.endOf(0) + 1);
  waiting = history.endOf(1) - 1_000;
  expect(await evaluate(parts, history.endOf(2) + 1)).toMatchObject({ windows: 0 });
  waiting = history.endOf(2) + 1_000;
  expect(await evaluate(parts, history.endOf(2) + 2_000)).toMatchObject({ windows: 2 });
});

test('a silence keeps messages back, the alert itself is there', async () => {
  await history.keys(['failing', 'calm'], 40);
  const [starts_at, ends_at] = [new Date(history.endOf(-20)).toISOString(), new Date(history.endOf(100)).toISOString()];
  await store.insertRows('silences', [
    {
      silence_id: 's',
      matchers: JSON.stringify({ kinds: ['error_rate'], key_ids: ['failing'] }),
      starts_at,
      ends_at,
      version: 1,
      created_at: starts_at,
    },
  ]);
  for (let bucket = 0; bucket < 3; bucket++)
    await history.bucket(bucket, { calm: 40, failing: { requests: 40, server_errors: 18 } });
  await judgeTo(2, 0);
  expect(await brief()).toEqual(['failing error_rate server_errors opened silenced']);
});

test('ClickHouse makes the baselines that requestBaseline makes', async () => {
  await history.keys(['old_1', 'old_2'], 40);
  await history.keys(['weeks'], 15, { ageDays: 12 });
  await history.keys(['days'], 9, { ageDays: 3 });
  await history.keys(['fresh'], 9, { ageDays: 0.5 });
  await ensureBaselines(store, [NOW - 7_200, NOW - 3_600, NOW]);
  const made = await store.query<{
    key_id: string;
    rung: Rung;
    means: number[];
    variances: number[];
    usual_spread: number;
    mean: number;
    within: number;
    between: number;
  }>(
    `SELECT key_id, rung, means, variances, usual_spread, mean, within, between FROM alert_baselines FINAL WHERE hour = toDateTime(${NOW}, 'UTC') AND key_id != '' ORDER BY key_id`,
  );
  expect(made.map((row) => [row.key_id, row.rung])).toEqual([
    ['days', 'last day'],
    ['fresh', 'caps only'],
    ['old_1', 'hour of week'],
    ['old_2', 'hour of week'],
    ['weeks', 'hour of day'],
  ]);
  for (const row of made) {
    const expected = requestBaseline(
      row.rung,
      row.means.map((mean, n) => ({ mean, variance: row.variances[n]! })),
      row.usual_spread,
    );
    expect(row.mean, row.key_id).toBeCloseTo(expected.mean, 3);
    expect(row.within, row.key_id).toBeCloseTo(expected.within, 3);
    expect(row.between, row.key_id).toBeCloseTo(expected.between, 2);
  }
  expect(made[2]!.mean).toBeGreaterThan(35);
});

test('a country never seen before, and a mix of countries that changed', async () => {
  const calm = many('calm', 10);
  await history.keys([...calm, 'moved'], 40);
  const month = Array.from({ length: 20 }, (_, n) =>
    new Date((NOW - (NOW % 86_400) - (n + 1) * 86_400) * 1000).toISOString(),
  );
  await store.insertRows(
    'countries_day',
    month.map((start) => ({ key_id: 'moved', start, country: 'SE', requests: 5_000 })),
  );
  await store.insertRows('key_countries', [
    { key_id: 'moved', country: 'SE', first_seen: month.at(-1), requests: 100_000 },
    { key_id: 'moved', country: 'BR', first_seen: new Date((NOW + 60) * 1000).toISOString(), requests: 300 },
  ]);
  await store.insertRows('country_hours', [
    { start: new Date(NOW * 1000).toISOString(), key_id: 'moved', country: 'BR', requests: 300 },
    { start: new Date(NOW * 1000).toISOString(), key_id: 'moved', country: 'SE', requests: 180 },
  ]);
  for (let bucket = 0; bucket < 12; bucket++) await history.bucket(bucket, { ...all(calm, 40), moved: 40 });
  await judgeTo(11, 10);
  expect(await brief()).toEqual(['moved new_country BR opened opened', 'moved country_mix  opened opened']);
});
