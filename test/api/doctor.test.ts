import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diagnose } from '../../api/commands/doctor-diagnosis.ts';
import { daysUntilFull } from '../../api/commands/doctor-disk.ts';
import {
  capacityFor,
  cellsUsed,
  DEFAULT_EXPECTATION,
  insertCores,
  MEASURED,
  rollupBytes,
} from '../../api/commands/doctor-model.ts';
import { type DoctorSnapshot, takeSnapshot } from '../../api/doctor-snapshot.ts';
import { diskSpaceOf } from '../../api/queries/disk-space.ts';
import { readStoreHealth, type StoreHealth } from '../../api/queries/store-health.ts';
import type { Config } from '../../ingest/config.ts';
import { packageRoot } from '../../ingest/package-root.ts';
import { connectRedis } from '../../ingest/redis.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import { Random } from '../support/random.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';

const GIGABYTE = 1e9;
const MEGABYTE = 1e6;

const WELL: DoctorSnapshot = {
  at_ms: 1_800_000_000_000,
  embedded: false,
  requests_per_second: 1_000,
  requests_per_day: 86_400_000,
  peak_per_second: 3_000,
  keys: 1_000,
  routes_per_key: 10,
  redis: { nodes: [{ name: 'r:1', used_bytes: 50 * MEGABYTE, max_bytes: GIGABYTE, policy: 'noeviction' }] },
  queue: { waiting: 2, active: 2, failed: 0, oldest_seconds: 1, workers: 2 },
  dead_letters: 0,
  disk: {
    free_bytes: 50_000 * GIGABYTE,
    total_bytes: 60_000 * GIGABYTE,
    retention_days: { requests: 30, minute: 15, quarter_hour: 400, day: 1825 },
    tables: [],
  },
};
const later = (change: Partial<DoctorSnapshot>): DoctorSnapshot => ({ ...WELL, at_ms: WELL.at_ms + 10_000, ...change });
const redisAt = (used: number, max = GIGABYTE, policy = 'noeviction') => ({
  nodes: [{ name: 'r:1', used_bytes: used, max_bytes: max, policy }],
});

describe('diagnosis', () => {
  test('a system that is well: nothing breaks', () => {
    const findings = diagnose(WELL, later({}));
    expect(findings.map(({ severity }) => severity)).toEqual(findings.map(() => 'ok'));
    expect(findings.map(({ breaks_in_seconds }) => breaks_in_seconds)).toEqual(findings.map(() => null));
  });

  test.each([
    [
      'Redis grows by 10 MB/s: 800 MB of room are 80 s',
      { redis: redisAt(150 * MEGABYTE) },
      'redis_memory',
      'critical',
      70,
    ],
    ['Redis is full', { redis: redisAt(900 * MEGABYTE) }, 'redis_memory', 'critical', 0],
    ['Redis without a limit', { redis: redisAt(50 * MEGABYTE, 0) }, 'redis_memory', 'warning', null],
    ['Redis evicts', { redis: redisAt(50 * MEGABYTE, GIGABYTE, 'allkeys-lru') }, 'redis_policy', 'critical', null],
    [
      'batches wait long and become more',
      { queue: { ...WELL.queue, waiting: 50, oldest_seconds: 90 } },
      'queue',
      'critical',
      null,
    ],
    [
      'batches wait long and become fewer',
      { queue: { ...WELL.queue, waiting: 1, oldest_seconds: 90 } },
      'queue',
      'warning',
      null,
    ],
    ['a peak above what two workers can', { peak_per_second: 2_800_000 }, 'workers', 'critical', null],
    ['the engine in the worker', { embedded: true, peak_per_second: 118_000 }, 'workers', 'warning', null],
    ['rows in dead_letters', { dead_letters: 3 }, 'failures', 'warning', null],
  ] as const)('%s', (_name, change, part, severity, breaksIn) => {
    const finding = diagnose(WELL, later(change as Partial<DoctorSnapshot>)).find((one) => one.part === part)!;
    expect(finding).toMatchObject({ severity, breaks_in_seconds: breaksIn });
    expect(finding.advice === '').toBe(false);
  });

  test('the soonest comes first', () => {
    const disk = { ...WELL.disk, free_bytes: 20 * GIGABYTE };
    const findings = diagnose(WELL, later({ disk, redis: redisAt(150 * MEGABYTE) }));
    expect(findings.slice(0, 2).map(({ part }) => part)).toEqual(['redis_memory', 'disk']);
  });

  test('disk: single requests stop growing at their retention, rollups go on', () => {
    const perDay = WELL.requests_per_day * MEASURED.diskBytesPerRequest;
    const free = (bytes: number) => later({ disk: { ...WELL.disk, free_bytes: bytes } });
    expect(daysUntilFull(free(perDay * 10))).toBeLessThanOrEqual(10);
    expect(daysUntilFull(free(perDay * 10))).toBeGreaterThan(8);
    expect(daysUntilFull(free(perDay * 40))).toBeGreaterThan(31);
    expect(daysUntilFull(free(perDay * 31 + 400 * GIGABYTE))).toBeNull();
  });
});

/** Present traffic for this many days, from nothing: 1,000,000,000 requests a day of 100,000 keys. */
function grownFor(age: number, freeGigabytes: number): DoctorSnapshot {
  const traffic = { requests_per_day: 1e9, keys: 100_000, routes_per_key: 20 };
  const { requests, minute, quarter_hour: quarterHour, day } = WELL.disk.retention_days;
  const [minutes, quarterHours, days] = [minute, quarterHour, day].map((kept) => Math.min(kept, age));
  const rollups = rollupBytes({
    ...{ requestsPerDay: 1e9, keys: 100_000, routesPerKey: 20, peakFactor: 1, outageHours: 0 },
    retentionDays: { requests, minute: minutes!, quarterHour: quarterHours!, day: days! },
  });
  const perDay = 1e9 * MEASURED.diskBytesPerRequest;
  const table = (name: string, bytes: number) => ({
    ...{ table: name, rows: 1, bytes_on_disk: bytes, bytes_per_row: MEASURED.diskBytesPerRequest },
    ...{ oldest_partition: '', newest_partition: '' },
  });
  const tables = [
    table('requests', perDay * Math.min(age, requests + 1)),
    table('usage_minute', rollups / 3),
    table('usage_day', (rollups * 2) / 3),
  ];
  return later({ ...traffic, disk: { ...WELL.disk, free_bytes: freeGigabytes * GIGABYTE, tables } });
}

// By hand. A day adds 13 GB of quarter hours and days up to 400, and 0.3 GB of days from there on to 1,825; 14.7 GB of minutes up to 15;
// 34.2 GB of single requests up to a month.
test.each([
  ['in its first year', 200, 390, 30],
  ['younger, with twice as much room', 100, 778, 60],
  ['when only days are added', 500, 131, 417],
  ['in its first week, when all of it grows', 5, 1_000, 19],
  ['when everything goes as it comes', 1_825, 0.001, null],
  ['at the start', 0, 0, 1],
])('the disk of a system %s', (_when, age, free, days) => {
  expect(daysUntilFull(grownFor(age, free))).toBe(days);
});

describe('model', () => {
  const TABLE: [requestsPerDay: number, keys: number][] = [
    [1e6, 1_000],
    [1e9, 100_000],
    [1e11, 1_000_000],
  ];

  test('docs/capacity.md shows what the model says', () => {
    const page = readFileSync(join(packageRoot(), 'docs/capacity.md'), 'utf8');
    for (const [requestsPerDay, keys] of TABLE) {
      const line = page.split('\n').find((one) => one.replaceAll(',', '').startsWith(`| ${requestsPerDay} |`));
      expect(
        line
          ?.replaceAll(',', '')
          .split('|')
          .slice(1, -1)
          .map((cell) => Number(cell.trim())),
      ).toEqual(tableRow(requestsPerDay, keys));
    }
  });

  test('CPU, Redis and network grow in proportion to requests, the engine by less; disk of rollups grows ever slower', () => {
    const at = (requestsPerDay: number) => capacityFor({ ...DEFAULT_EXPECTATION, requestsPerDay, keys: 10_000 });
    const [small, large] = [at(1e8), at(1e9)];
    for (const name of [
      'collectorCores',
      'workerCores',
      'redisBytes',
      'networkBytesPerSecond',
      'diskBytesRequests',
    ] as const) {
      expect(large[name] / small[name]).toBeCloseTo(10, 6);
    }
    // Each insert has a price of its own, and there are hardly more of them.
    expect(large.engineCores / small.engineCores).toBeGreaterThan(2);
    expect(large.engineCores / small.engineCores).toBeLessThan(10);
    expect(large.diskBytesRollups / small.diskBytesRollups).toBeLessThan(5);
    expect(rollupBytes({ ...DEFAULT_EXPECTATION, requestsPerDay: 1e9, keys: 1e9 })).toBeGreaterThan(
      large.diskBytesRollups,
    );
  });

  test('cells used, against cells that were filled by chance', () => {
    const random = new Random(5);
    for (const [cells, requests] of [
      [1_000, 500],
      [1_000, 3_000],
      [1_000, 20],
    ] as const) {
      const used = new Set(Array.from({ length: requests }, () => random.integer(0, cells - 1))).size;
      expect(Math.abs(cellsUsed(cells, requests) / used - 1)).toBeLessThan(0.08);
    }
  });

  test.each(TABLE)(
    'a simulated day of %d requests: the machines of the table keep up, half of them do not',
    (requestsPerDay, keys) => {
      const needs = capacityFor({ ...DEFAULT_EXPECTATION, requestsPerDay, keys });
      const longest = (share: number) => simulateDay(requestsPerDay, needs, share);
      expect(longest(1)).toBeLessThan(1);
      expect(longest(0.5)).toBeGreaterThan(60);
    },
  );
});

function tableRow(requestsPerDay: number, keys: number): number[] {
  const needs = capacityFor({ ...DEFAULT_EXPECTATION, requestsPerDay, keys });
  const two = (value: number) => Number(value.toPrecision(2));
  const disk = (needs.diskBytesRequests + needs.diskBytesRollups) / 1e9;
  return [
    requestsPerDay,
    keys,
    two(needs.peakPerSecond),
    two(needs.collectorCores),
    two(needs.workerCores),
    two(needs.engineCores),
    two(needs.redisBytes / 1e9),
    two((needs.networkBytesPerSecond * 8) / 1e6),
    two(needs.diskBytesRequests / 1e9),
    two(disk),
    needs.collectors,
    needs.workers,
    needs.redisShards,
    needs.clickHouseShards,
  ];
}

/**
 * Second by second: a day whose busiest hour has three times the mean, through stages that each take their measured CPU time
 * per request from the cores they were given, the engine that of its inserts as well. @returns the longest wait in seconds
 */
function simulateDay(requestsPerDay: number, needs: ReturnType<typeof capacityFor>, share: number): number {
  const mean = requestsPerDay / 86_400;
  const forRequests = Math.max(0.001, needs.engineCores * share - insertCores(needs.insertsPerSecond));
  const stages = [
    { perSecond: (needs.collectorCores * share * 1e6) / MEASURED.collectorMicros, waiting: 0 },
    { perSecond: (needs.workerCores * share * 1e6) / MEASURED.workerMicros, waiting: 0 },
    { perSecond: (forRequests * 1e6) / (MEASURED.engineMicros * (1 + MEASURED.mergeShare)), waiting: 0 },
  ];
  let longest = 0;
  for (let second = 0; second < 86_400; second++) {
    const phase = Math.cos(((second - 43_200) / 86_400) * 2 * Math.PI);
    // Peak 3 at noon; the mean of e^(a·cos) over the day is I₀(a), with a = 1.617 the peak is three times it.
    let arriving = (mean * Math.exp(1.617 * phase)) / 1.687;
    for (const stage of stages) {
      stage.waiting += arriving;
      arriving = Math.min(stage.waiting, stage.perSecond);
      stage.waiting -= arriving;
      longest = Math.max(longest, stage.waiting / stage.perSecond);
    }
  }
  return longest;
}

describe('against a running system', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
    await stack.send(Array.from({ length: 50 }, (_, n) => ({ key_id: `k${n % 5}`, status: 200, path: '/a' })));
    await stack.untilCounted(50);
  });
  afterAll(() => stack.stop());

  test('the snapshot has the figures of the system', async () => {
    await expect.poll(async () => (await stack.call('/v1/doctor')).json.requests_per_day).toBe(50);
    const { json } = await stack.call('/v1/doctor');
    expect(json).toMatchObject({ keys: 5, embedded: true, dead_letters: 0, queue: { failed: 0 } });
    expect(json.redis.nodes[0]).toMatchObject({ policy: 'noeviction', used_bytes: expect.any(Number) });
    expect(json.disk.free_bytes).toBeGreaterThan(0);
    expect(json.disk.tables.find(({ table }: { table: string }) => table === 'requests').rows).toBe(50);
  });

  test('on a cluster the disks of all shards stand beside the tables of all shards', async () => {
    const redis = await connectRedis(stack.redisUrl, 'worker', () => {});
    // Two shards that are the one node there is.
    const query = stack.store.query.bind(stack.store);
    const store: Pick<Store, 'query' | 'embedded'> = {
      embedded: false,
      query: (sql, ...rest) =>
        query(sql.replace(/cluster\('two', (system\.\w+)\)/, "remote('127.0.0.1,localhost', $1)"), ...rest),
    };
    const snapshotOf = (config: Config) => takeSnapshot(config, store as Store, redis);
    const [one, two] = [
      await snapshotOf(stack.config),
      await snapshotOf({ ...stack.config, CLICKHOUSE_CLUSTER: 'two' }),
    ];
    expect(two.disk.total_bytes).toBe(2 * one.disk.total_bytes);
    const rows = ({ disk }: DoctorSnapshot) => disk.tables.find(({ table }) => table === 'requests')!.rows;
    expect(rows(two)).toBe(2 * rows(one));
    const health = (config: Config) => readStoreHealth(store as Store, config);
    const [ofOne, ofTwo] = [await health(stack.config), await health({ ...stack.config, CLICKHOUSE_CLUSTER: 'two' })];
    const counted = ({ tables }: StoreHealth) => tables.find(({ table }) => table === 'requests')!.rows;
    expect([counted(ofOne), counted(ofTwo)]).toEqual([50, 100]);
    redis.disconnect();
  });

  test.each([
    [
      'a local disk beside an object store',
      [
        [10, 100, 0, 0, 0],
        [2 ** 60, 2 ** 60, 1, 0, 0],
      ],
      [10, 100],
    ],
    [
      'two local disks',
      [
        [10, 100, 0, 0, 0],
        [5, 50, 0, 0, 0],
      ],
      [15, 150],
    ],
    ['an object store only', [[2 ** 60, 2 ** 60, 1, 0, 0]], [2 ** 60, 2 ** 60]],
    [
      'disks that take no rows do not count',
      [
        [10, 100, 0, 0, 0],
        [7, 70, 0, 1, 0],
        [8, 80, 0, 0, 1],
      ],
      [10, 100],
    ],
  ])('space for new rows: %s', async (_, disks, [free, total]) => {
    const columns = 'free_space UInt64, total_space UInt64, is_remote UInt8, is_read_only UInt8, is_broken UInt8';
    const rows = disks.map((disk) => `(${disk.join()})`);
    const [space] = await stack.store.query(diskSpaceOf(`values('${columns}', ${rows.join()})`));
    expect(space).toEqual({ free_bytes: free, total_bytes: total });
  });

  test('keytally doctor: a table for people, one JSON object for programs; a reader is refused', async () => {
    const text = await run(['doctor', '--seconds', '1']);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/^50 requests in the last 24 hours, 5 keys;/);
    expect(text.out).toMatch(/redis_memory|Redis /);
    const json = JSON.parse((await run(['doctor', '--seconds', '1', '--json'])).out);
    expect(json.findings.map(({ part }: { part: string }) => part).sort()).toEqual([
      'disk',
      'failures',
      'queue',
      'redis_memory',
      'workers',
    ]);
    const reader = await stack.token({ name: 'reader', scopes: ['read'] });
    expect((await run(['doctor', '--token', reader])).code).toBe(1);
    expect((await run(['doctor', '--seconds', '0'])).err).toMatch(/^--seconds: must be from 1/);
  });

  test('keytally storage: tables and keys with what they take', async () => {
    const text = await run(['storage', '--limit', '2']);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/^TABLE .*\n(.*\n)*requests +50 /);
    expect(text.out.trimEnd().split('\n').slice(-3)).toEqual([
      expect.stringMatching(/^KEY +REQUESTS +ROWS OF COUNTS +ON DISK, ABOUT/),
      expect.stringMatching(/^k\d +10 /),
      expect.stringMatching(/^k\d +10 /),
    ]);
    const json = JSON.parse((await run(['storage', '--key', 'k3', '--json'])).out);
    expect(json.keys).toMatchObject([{ key_id: 'k3', requests: 10 }]);
    expect((await run(['storage', '--limit', '0'])).err).toMatch(/limit/);
  });

  async function run(args: string[]) {
    const child = spawn(process.execPath, ['dist/main.js', ...args, '--url', stack.url], {
      cwd: packageRoot(),
      env: { PATH: process.env.PATH, HOME: process.env.HOME, KEYTALLY_TOKEN: ADMIN_TOKEN },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, out, err };
  }
});
