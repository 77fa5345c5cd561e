import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sized } from '../support/full-size.ts';
import { Random } from '../support/random.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { generateTraffic, type Sample } from '../support/traffic.ts';
import { bucketName, countBy, emptyTruth, quantileFits, type TruthCounts } from '../support/truth.ts';

/** Records, days and keys of the generated truth: every rollup and every number of /usage is compared with it. */
const RECORDS = sized(80_000, 200_000);
const DAYS = 30;
const KEYS = 12;
const RECORDS_PER_POST = 4_000;
const DAY_MS = 86_400_000;

// Fixed dates: the range holds the clock changes of 25 October 2026 (Europe) and 1 November 2026 (America).
const END_MS = Date.parse('2026-11-18T00:00:00Z');
const START_MS = END_MS - DAYS * DAY_MS;

let stack: Stack;
let traffic: Sample[];

beforeAll(async () => {
  stack = await startStack({
    ACCEPT_PAST_DAYS: '2900',
    RETENTION_MINUTE_DAYS: '3650',
    RETENTION_REQUESTS_DAYS: '3650',
  });
  traffic = generateTraffic(new Random(20_261_120), RECORDS, KEYS, START_MS, END_MS);
  for (let at = 0; at < RECORDS; at += RECORDS_PER_POST * 4) {
    const parts = [0, 1, 2, 3].map((n) => traffic.slice(at + n * RECORDS_PER_POST, at + (n + 1) * RECORDS_PER_POST));
    await Promise.all(
      parts
        .filter((part) => part.length > 0)
        .map((part) => stack.send([], { body: part.map((sample) => JSON.stringify(sample)).join('\n') })),
    );
  }
  await stack.untilCounted(RECORDS);
}, 180_000);

afterAll(() => stack.stop());

const SUMS = [
  'requests',
  'redirects',
  'client_errors',
  'server_errors',
  'rate_limited',
  'request_bytes',
  'response_bytes',
] as const;
const TIER_MS = { minute: 60_000, quarter_hour: 900_000, day: DAY_MS };

interface Compared {
  group: string;
  counted: unknown[];
  sent: unknown[];
}

/** The first groups that differ. An `expect` for each of two hundred thousand took most of this file's processor time. */
const unequal = (groups: readonly Compared[]) =>
  groups.filter(({ counted, sent }) => sent.some((value, at) => value !== counted[at])).slice(0, 5);

describe('every tier equals the generated truth', () => {
  test.each(['minute', 'quarter_hour', 'day'] as const)('usage_%s', async (tier) => {
    const startOf = (s: Sample) => Math.floor(s.timestamp / TIER_MS[tier]) * TIER_MS[tier];
    const truth = countBy(traffic, (s) => `${s.key_id} ${startOf(s)} ${s.environment} ${s.service}`);
    const rows = await stack.store.query<Record<string, unknown>>(
      `SELECT key_id, toUnixTimestamp(start) * 1000 AS start_ms, environment, service,
         ${SUMS.map((name) => `sum(${name}) AS sum_${name}`).join(', ')}
       FROM usage_${tier} GROUP BY key_id, start, environment, service`,
    );
    expect(rows.length).toBe(truth.size);
    const compared = rows.map((row) => {
      const group = `${row.key_id} ${row.start_ms} ${row.environment} ${row.service}`;
      const expected = truth.get(group);
      return { group, counted: SUMS.map((name) => row[`sum_${name}`]), sent: SUMS.map((name) => expected?.[name]) };
    });
    expect(unequal(compared)).toEqual([]);
  });

  const dimensions = [
    ['endpoints', 'method, route', (s: Sample) => `${s.method} ${s.route}`],
    ['countries', 'country', (s: Sample) => s.country],
    ['statuses', 'status', (s: Sample) => String(s.status)],
  ] as const;
  const cases = dimensions.flatMap(([table, by, nameOf]) =>
    (['quarter_hour', 'day'] as const).map((tier) => ({ table, by, nameOf, tier })),
  );
  test.each(cases)('$table of $tier', async ({ table, by, nameOf, tier }) => {
    const startOf = (s: Sample) => Math.floor(s.timestamp / TIER_MS[tier]) * TIER_MS[tier];
    const truth = countBy(traffic, (s) => `${s.key_id} ${startOf(s)} ${nameOf(s)}`);
    const rows = await stack.store.query<{ name: string; counts: number[] }>(
      `SELECT concat(key_id, ' ', toString(toUnixTimestamp(start) * 1000), ' ', ${by
        .split(', ')
        .map((c) => `toString(${c})`)
        .join(", ' ', ")}) AS name,
         [sum(requests), sum(client_errors), sum(server_errors)] AS counts
       FROM ${table}_${tier} GROUP BY key_id, start, ${by}`,
    );
    expect(rows.length).toBe(truth.size);
    const compared = rows.map(({ name, counts }) => {
      const expected = truth.get(name);
      const sent = [expected?.requests, expected?.client_errors, expected?.server_errors];
      return { group: name, counted: counts, sent };
    });
    expect(unequal(compared)).toEqual([]);
  });

  test('key_totals: count, first seen, and the last use as one tuple', async () => {
    const rows = await stack.store.query<{ key_id: string; total: number; first_ms: number; last: unknown[] }>(
      `SELECT key_id, sum(requests) AS total, toUnixTimestamp64Milli(min(first_seen)) AS first_ms,
         tuple(toUnixTimestamp64Milli(max(last_used).at), max(last_used).country, max(last_used).method, max(last_used).route, max(last_used).status) AS last
       FROM key_totals GROUP BY key_id`,
    );
    const truth = countBy(traffic, (s) => s.key_id);
    expect(rows.length).toBe(truth.size);
    for (const row of rows) {
      const own = traffic.filter((s) => s.key_id === row.key_id);
      const newest = Math.max(...own.map((s) => s.timestamp));
      expect(row.total).toBe(own.length);
      expect(row.first_ms).toBe(Math.min(...own.map((s) => s.timestamp)));
      const candidates = own
        .filter((s) => s.timestamp === newest)
        .map((s) => [s.timestamp, s.country, s.method, s.route, s.status]);
      expect(candidates).toContainEqual(Object.values(row.last));
    }
  });
});

interface UsageCase {
  key: string;
  fromMs: number;
  toMs: number;
  bucket: string;
  timezone: string;
}

const at = (days: number, minutes = 0) => START_MS + days * DAY_MS + minutes * 60_000;
const CLOCK_CHANGE_MS = Date.parse('2026-10-25T01:00:00Z');
const CASES: UsageCase[] = [
  { key: 'key_0', fromMs: at(0), toMs: at(DAYS), bucket: 'day', timezone: 'UTC' },
  { key: 'key_0', fromMs: at(0), toMs: at(DAYS), bucket: 'hour', timezone: 'Europe/Stockholm' },
  { key: 'key_1', fromMs: at(0), toMs: at(DAYS), bucket: 'day', timezone: 'America/New_York' },
  { key: 'key_2', fromMs: at(3, 7), toMs: at(9, 52), bucket: 'hour', timezone: 'Asia/Kolkata' },
  { key: 'key_3', fromMs: at(5, 1), toMs: at(5, 122), bucket: 'minute', timezone: 'Asia/Kathmandu' },
  { key: 'key_4', fromMs: at(2, 13), toMs: at(4, 28), bucket: 'quarter_hour', timezone: 'Australia/Lord_Howe' },
  { key: 'key_5', fromMs: at(1, 61), toMs: at(29, 1), bucket: 'week', timezone: 'Pacific/Auckland' },
  { key: 'key_6', fromMs: at(-20), toMs: at(DAYS, 30), bucket: 'month', timezone: 'Asia/Kolkata' },
  { key: 'key_0', fromMs: at(10, 1), toMs: at(10, 4), bucket: 'auto', timezone: 'UTC' },
  { key: 'key_11', fromMs: at(6, 59), toMs: at(13, 1), bucket: 'auto', timezone: 'America/St_Johns' },
  {
    key: 'key_0',
    fromMs: CLOCK_CHANGE_MS - DAY_MS,
    toMs: CLOCK_CHANGE_MS + DAY_MS,
    bucket: 'hour',
    timezone: 'Europe/Paris',
  },
  {
    key: 'key_0',
    fromMs: CLOCK_CHANGE_MS - DAY_MS,
    toMs: CLOCK_CHANGE_MS + DAY_MS,
    bucket: 'day',
    timezone: 'Europe/Paris',
  },
];

function expectCounts(
  answered: Record<string, unknown> & { latency_ms: Record<string, number | null> },
  truth: TruthCounts,
): void {
  for (const name of ['requests', 'redirects', 'client_errors', 'server_errors', 'rate_limited'] as const) {
    expect({ [name]: answered[name] }).toEqual({ [name]: truth[name] });
  }
  for (const [name, level] of [
    ['p50', 0.5],
    ['p95', 0.95],
    ['p99', 0.99],
  ] as const) {
    expect({
      name,
      answered: answered.latency_ms[name],
      fits: quantileFits(truth.latencies, level, answered.latency_ms[name]!),
    }).toMatchObject({ fits: true });
  }
}

function truthOf(samples: Sample[]): TruthCounts {
  return countBy(samples, () => 'all').get('all') ?? emptyTruth();
}

describe('every number of /usage equals the generated truth', () => {
  test.each(CASES)('$key by $bucket in $timezone', async ({ key, fromMs, toMs, bucket, timezone }) => {
    const query = new URLSearchParams({
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      bucket,
      timezone,
    });
    const { status, json: usage } = await stack.call(`/v1/keys/${key}/usage?${query}`);
    expect(status).toBe(200);
    expect([usage.from, usage.to]).toEqual([new Date(fromMs).toISOString(), new Date(toMs).toISOString()]);
    const own = traffic.filter((s) => s.key_id === key);
    const inside = own.filter((s) => s.timestamp >= fromMs && s.timestamp < toMs);
    const before = own.filter((s) => s.timestamp >= fromMs - (toMs - fromMs) && s.timestamp < fromMs);
    for (const [totals, samples] of [
      [usage.totals, inside],
      [usage.previous, before],
    ] as const) {
      const truth = truthOf(samples);
      expectCounts(totals, truth);
      expect([totals.request_bytes, totals.response_bytes]).toEqual([truth.request_bytes, truth.response_bytes]);
      expect(totals.error_rate).toBeCloseTo(
        truth.requests === 0 ? 0 : (truth.client_errors + truth.server_errors) / truth.requests,
        12,
      );
    }
    const byBucket = countBy(inside, (s) => bucketName(s.timestamp, usage.bucket, timezone));
    // Bucket starts before the range (a week that began earlier) are named by their first moment inside the range.
    const names = usage.series.map((point: { start: string }) =>
      bucketName(Math.max(Date.parse(point.start), fromMs), usage.bucket, timezone),
    );
    expect(new Set(names).size).toBe(names.length);
    for (const name of byBucket.keys()) expect(names).toContain(name);
    for (const [n, point] of usage.series.entries()) expectCounts(point, byBucket.get(names[n]) ?? emptyTruth());
    expectBreakdowns(usage, inside);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: an HTTP answer, compared as a whole.
function expectBreakdowns(usage: any, inside: Sample[]): void {
  const rate = (counts: TruthCounts) => (counts.client_errors + counts.server_errors) / counts.requests;
  const endpoints = countBy(inside, (s) => `${s.method} ${s.route}`);
  expect(usage.endpoints.length).toBe(endpoints.size);
  for (const row of usage.endpoints) {
    const truth = endpoints.get(`${row.method} ${row.route}`)!;
    expect(row.requests).toBe(truth.requests);
    expect(row.error_rate).toBeCloseTo(rate(truth), 12);
    expect(quantileFits(truth.latencies, 0.95, row.latency_ms.p95)).toBe(true);
  }
  const countries = countBy(inside, (s) => s.country);
  expect(
    Object.fromEntries(
      usage.countries.map((row: { country: string; requests: number }) => [row.country, row.requests]),
    ),
  ).toEqual(Object.fromEntries([...countries].map(([country, counts]) => [country, counts.requests])));
  for (const row of usage.countries) expect(row.error_rate).toBeCloseTo(rate(countries.get(row.country)!), 12);
  const statuses = countBy(inside, (s) => String(s.status));
  expect(
    Object.fromEntries(
      usage.statuses.map((row: { status: number; requests: number }) => [String(row.status), row.requests]),
    ),
  ).toEqual(Object.fromEntries([...statuses].map(([status, counts]) => [status, counts.requests])));
}

describe('usage with filters equals the generated truth', () => {
  test.each([
    ['status=5xx', (s: Sample) => s.status >= 500],
    ['country=SE&method=GET', (s: Sample) => s.country === 'SE' && s.method === 'GET'],
    ['route=/v1/things/{id}/part3&status=404', (s: Sample) => s.route.endsWith('part3') && s.status === 404],
  ])('%s', async (filter, matches) => {
    const [fromMs, toMs] = [at(2), at(9, 30)];
    const range = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}&bucket=day&timezone=Asia/Kolkata`;
    const { status, json: usage } = await stack.call(`/v1/keys/key_0/usage?${range}&${filter}`);
    expect(status).toBe(200);
    expect(usage.filters).toEqual(Object.fromEntries(new URLSearchParams(filter)));
    const inside = traffic.filter(
      (s) => s.key_id === 'key_0' && s.timestamp >= fromMs && s.timestamp < toMs && matches(s),
    );
    expect(inside.length).toBeGreaterThan(10);
    expectCounts(usage.totals, truthOf(inside));
    const byBucket = countBy(inside, (s) => bucketName(s.timestamp, 'day', 'Asia/Kolkata'));
    for (const point of usage.series) {
      const name = bucketName(Math.max(Date.parse(point.start), fromMs), 'day', 'Asia/Kolkata');
      expectCounts(point, byBucket.get(name) ?? emptyTruth());
    }
    expectBreakdowns(usage, inside);
  });
});
