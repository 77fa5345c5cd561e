import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeyStorage } from '../../api/queries/key-storage.ts';
import { applyRetention, deletesAfter } from '../../workers/clickhouse/retention.ts';
import { storagePerTable } from '../../workers/clickhouse/storage.ts';
import { Random } from '../support/random.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { everyTier, TIERS, tierCounts } from '../support/tiers.ts';
import { generateTraffic, type Sample } from '../support/traffic.ts';

const DAY_MS = 86_400_000;
const DAYS = {
  RETENTION_REQUESTS_DAYS: 20,
  RETENTION_MINUTE_DAYS: 10,
  RETENTION_QUARTER_HOUR_DAYS: 100,
  RETENTION_DAY_DAYS: 300,
};
/** Ages in days of groups of 200 requests, each in the middle between two limits. */
const AGES = [1, 15, 60, 200, 350];
const PER_GROUP = 200;

let stack: Stack;
let samples: Sample[];
beforeAll(async () => {
  stack = await startStack(Object.fromEntries(Object.entries(DAYS).map(([name, days]) => [name, String(days)])));
  const random = new Random(3);
  samples = AGES.flatMap((age) => {
    const end = Date.now() - age * DAY_MS;
    return generateTraffic(random, PER_GROUP, 5, end - 3_600_000, end);
  });
  // Merges would begin to delete before the rows are counted.
  await stack.store.command('SYSTEM STOP TTL MERGES');
  await stack.send(samples);
  await stack.untilCounted(samples.length);
});
afterAll(() => stack.stop());

test('storage per table and per key: all rows, and what they take', async () => {
  await expect.poll(() => tierCounts(stack.store)).toEqual(everyTier(samples.length));
  const tables = await storagePerTable(stack.store, stack.config);
  const requests = tables.find(({ table }) => table === 'requests')!;
  expect(requests.rows).toBe(samples.length);
  expect(requests.bytes_on_disk).toBeGreaterThan(0);
  expect(requests.bytes_per_row).toBeCloseTo(requests.bytes_on_disk / samples.length, 1);
  expect(Number(requests.newest_partition) - Number(requests.oldest_partition)).toBeGreaterThan(10);
  expect(tables.map(({ table }) => table)).toEqual(expect.arrayContaining([...TIERS]));
  const answer = await stack.call('/v1/storage?limit=4');
  const keys: KeyStorage[] = answer.json.keys;
  const keptFromMs = (Math.floor(Date.now() / DAY_MS) - DAYS.RETENTION_REQUESTS_DAYS) * DAY_MS;
  const ofKey0 = samples.filter((one) => one.key_id === 'key_0' && one.timestamp >= keptFromMs).length;
  expect(answer.json.tables.find(({ table }: { table: string }) => table === 'requests').rows).toBe(samples.length);
  expect(keys).toHaveLength(4);
  expect(keys[0]!.bytes_on_disk).toBeGreaterThanOrEqual(keys[1]!.bytes_on_disk);
  const [alone, ...others] = (await stack.call('/v1/storage?key_id=key_0')).json.keys as KeyStorage[];
  expect(others).toEqual([]);
  expect(alone).toMatchObject({ key_id: 'key_0', requests: ofKey0 });
  expect(alone!.rollup_rows).toBeGreaterThan(0);
  expect(alone!.bytes_on_disk).toBeGreaterThan(ofKey0 * requests.bytes_per_row * 0.9);
  expect((await stack.call('/v1/storage?limit=0')).json.errors[0].field).toBe('limit');
});

test('each tier deletes what is older than its time, and nothing else; what is left still counts exactly', async () => {
  const countYoungerThan = (days: number) => AGES.filter((age) => age < days).length * PER_GROUP;
  await stack.store.command('SYSTEM START TTL MERGES');
  for (const tier of TIERS) {
    await stack.store.command(`OPTIMIZE TABLE ${tier} FINAL`);
    if (tier !== 'key_totals')
      await stack.store.command(`ALTER TABLE ${tier} MATERIALIZE TTL SETTINGS mutations_sync = 2`);
  }
  const limits: Record<string, number> = { requests: 20, usage_minute: 10, key_totals: 1_000_000 };
  const kept = Object.fromEntries(
    TIERS.map((tier) => [tier, countYoungerThan(limits[tier] ?? (tier.endsWith('_day') ? 300 : 100))]),
  );
  expect(kept).toMatchObject({
    requests: 400,
    usage_minute: 200,
    usage_quarter_hour: 600,
    usage_day: 800,
    key_totals: 1_000,
  });
  expect(await tierCounts(stack.store)).toEqual(kept);
});

test('a range that only coarse rows are left of gives the same sums as the requests did', async () => {
  const old = samples.filter(
    ({ timestamp }) => timestamp < Date.now() - 150 * DAY_MS && timestamp > Date.now() - 250 * DAY_MS,
  );
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const [row] = await stack.store.query(
    `SELECT sum(requests) AS requests, sum(client_errors) AS client_errors, sum(server_errors) AS server_errors,
            sum(request_bytes) AS request_bytes, sum(response_bytes) AS response_bytes
     FROM usage_day WHERE start >= {from:DateTime('UTC')} AND start <= {to:DateTime('UTC')}`,
    { from: `${day(Date.now() - 250 * DAY_MS)} 00:00:00`, to: `${day(Date.now() - 150 * DAY_MS)} 00:00:00` },
  );
  const sum = (figure: (sample: Sample) => number) => old.reduce((total, sample) => total + figure(sample), 0);
  expect(row).toEqual({
    requests: PER_GROUP,
    client_errors: sum(({ status }) => (status >= 400 && status < 500 ? 1 : 0)),
    server_errors: sum(({ status }) => (status >= 500 ? 1 : 0)),
    request_bytes: sum(({ request_bytes }) => request_bytes),
    response_bytes: sum(({ response_bytes }) => response_bytes),
  });
});

const ENGINE = 'MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY (key_id, timestamp)';

test.each([
  ['', false],
  ['TTL toDateTime(timestamp) + toIntervalDay(31)', true],
  ['TTL toDateTime(timestamp) + toIntervalDay(30)', false],
  ["TTL toDateTime(timestamp) + toIntervalDay(31) TO VOLUME 'cold'", false],
  ["TTL toDateTime(timestamp) + toIntervalDay(7) TO VOLUME 'cold', toDateTime(timestamp) + toIntervalDay(31)", true],
])('a table with %j deletes after 31 days: %s', (ttl, expected) => {
  const engine = `${ENGINE} ${ttl} SETTINGS index_granularity = 8192`;
  expect(deletesAfter(engine, 'toDateTime(timestamp)', 31)).toBe(expected);
  expect(deletesAfter(`${ENGINE} ${ttl}`, 'toDateTime(timestamp)', 31)).toBe(expected);
});

test('a second start finds every TTL as it should be and changes none', async () => {
  const rows = await stack.store.query<{ name: string; engine_full: string }>(
    "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'requests'",
  );
  expect(deletesAfter(rows[0]!.engine_full, 'toDateTime(timestamp)', DAYS.RETENTION_REQUESTS_DAYS + 1)).toBe(true);
});

test('a retention that is changed reaches what is merged already, shorter and longer', async () => {
  const ends = async (table: string) => {
    const parts = await stack.store.query<{ end: string }>(
      `SELECT toString(delete_ttl_info_max) AS end FROM system.parts
       WHERE active AND table = {table:String} AND rows > 0 ORDER BY end`,
      { table },
    );
    return parts.map(({ end }) => Date.parse(`${end}Z`));
  };
  const before = { days: await ends('usage_day'), requests: await ends('requests') };
  expect(before.days.length).toBeGreaterThan(1);
  await applyRetention(stack.store, { ...stack.config, RETENTION_DAY_DAYS: 290, RETENTION_REQUESTS_DAYS: 40 });
  await expect.poll(() => ends('usage_day')).toEqual(before.days.map((end) => end - 10 * DAY_MS));
  await expect.poll(() => ends('requests')).toEqual(before.requests.map((end) => end + 20 * DAY_MS));
  expect(await tierCounts(stack.store)).toMatchObject({ requests: 400, usage_day: 800 });
});
