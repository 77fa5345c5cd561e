import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { untilRolledUp } from '../dashboards/rolled-up.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { untilPasses } from '../support/until-passes.ts';

const DAY_MS = 86_400_000;
const NOW = Date.now();
let stack: Stack;
let acme: string;

beforeAll(async () => {
  stack = await startStack({ ACCEPT_PAST_DAYS: '400', RETENTION_REQUESTS_DAYS: '200' });
  acme = await stack.token({ name: 'acme', scopes: ['ingest', 'manage'], organization_id: 'acme' });
  await stack.call('/v1/keys/key_soon', {
    method: 'PUT',
    token: acme,
    body: { name: 'Soon', expires_at: new Date(NOW + 5 * DAY_MS).toISOString() },
  });
  await stack.call('/v1/keys/key_later', {
    method: 'PUT',
    body: { organization_id: 'globex', expires_at: new Date(NOW + 50 * DAY_MS).toISOString() },
  });
  const today = Array.from({ length: 5 }, () => ({
    key_id: 'key_soon',
    timestamp: NOW - 1_000,
    status: 200,
    path: '/a',
  }));
  const before = [200, 500, 404].map((status) => ({
    key_id: 'key_soon',
    timestamp: NOW - 2 * DAY_MS,
    status,
    path: '/a',
  }));
  await stack.send([...today, ...before], { token: acme });
  await stack.send([{ key_id: 'key_old', timestamp: NOW - 100 * DAY_MS, status: 200, path: '/b' }]);
  await stack.untilCounted(9);
  // The old one is in no minute any more.
  await untilRolledUp(stack.store, 8);
});
afterAll(() => stack.stop());

describe('GET /v1/audit', () => {
  test('pages through everything once, newest first, and filters', async () => {
    const all = (await stack.call('/v1/audit?limit=500')).json.data;
    expect(all.length).toBeGreaterThanOrEqual(3);
    const paged: object[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { json } = await stack.call(`/v1/audit?limit=1&cursor=${cursor}`);
      paged.push(...json.data);
      cursor = json.next_cursor;
    }
    expect(paged).toEqual(all);
    const times = all.map((entry: { at: string }) => entry.at);
    expect(times).toEqual([...times].sort().reverse());
    const tokens = (await stack.call('/v1/audit?action=token.')).json.data;
    expect(tokens.map((entry: { action: string }) => entry.action)).toEqual(['token.created']);
    expect((await stack.call('/v1/audit?subject=key_soon')).json.data).toHaveLength(1);
    expect((await stack.call('/v1/audit?search=SOON')).json.data).toHaveLength(1);
    expect((await stack.call(`/v1/audit?from=${new Date(Date.now() + DAY_MS).toISOString()}`)).json.data).toEqual([]);
    expect((await stack.call('/v1/audit?cursor=nonsense')).status).toBe(400);
  });

  test('an organization reads its own entries only, a token of one key none', async () => {
    const { json } = await stack.call('/v1/audit', { token: acme });
    expect(json.data.map((entry: { subject: string }) => entry.subject)).toContain('key_soon');
    expect(JSON.stringify(json)).not.toMatch(/globex|key_later/);
    const one = await stack.token({ name: 'one', scopes: ['read'], key_id: 'key_soon' });
    expect((await stack.call('/v1/audit', { token: one })).status).toBe(403);
  });
});

describe('key list', () => {
  const ids = async (query: string) =>
    (await stack.call(`/v1/keys?sort=key_id&${query}`)).json.data.map((key: { key_id: string }) => key.key_id);

  test('expires_within_days names active keys that expire soon', async () => {
    expect(await ids('expires_within_days=7')).toEqual(['key_soon']);
    expect(await ids('expires_within_days=60')).toEqual(['key_later', 'key_soon']);
    const { json } = await stack.call('/v1/keys?sort=expires_at');
    expect(json.data.map((key: { key_id: string }) => key.key_id)).toEqual(['key_soon', 'key_later', 'key_old']);
  });

  test('unused_days leaves out keys that were not watched for so long', async () => {
    // Used 100 days ago by its log, but known since a second: nobody watched it for 7 days.
    expect(await ids('unused_days=7')).toEqual([]);
    const since = new Date(NOW - 10 * DAY_MS).toISOString().replace('T', ' ').replace('Z', '');
    await stack.store.command(
      `INSERT INTO key_totals (key_id, requests, first_seen, tracking_since) VALUES ('key_old', 0, '${since}', '${since}')`,
    );
    expect(await ids('unused_days=7')).toEqual(['key_old']);
    expect(await ids('unused_days=30')).toEqual([]);
  });

  test('include=series adds thirty days of every key of the page', async () => {
    const { json } = await stack.call('/v1/keys?sort=key_id&include=series');
    const soon = json.data.find((key: { key_id: string }) => key.key_id === 'key_soon');
    expect(soon.series.requests).toHaveLength(30);
    expect(soon.series.requests.at(-1)).toBe(5);
    expect(soon.series.requests.at(-3)).toBe(3);
    expect(soon.series.errors.at(-3)).toBe(2);
    const later = json.data.find((key: { key_id: string }) => key.key_id === 'key_later');
    expect(later.series.requests).toEqual(Array(30).fill(0));
    expect((await stack.call('/v1/keys')).json.data[0].series).toBeUndefined();
  });
});

test('GET /v1/usage?include=series is the sum of all readable keys over time', async () => {
  const from = new Date(NOW - 3 * DAY_MS).toISOString();
  const { json } = await stack.call(`/v1/usage?include=series&bucket=day&from=${from}&group_by=status`);
  const sum = (field: string) =>
    json.series.reduce((total: number, point: Record<string, number>) => total + point[field]!, 0);
  expect([sum('requests'), sum('client_errors'), sum('server_errors')]).toEqual([8, 1, 1]);
  expect(json.series.length).toBeGreaterThanOrEqual(4);
  expect(json.bucket).toBe('day');
  const foreign = await stack.token({ name: 'rival', scopes: ['read'], organization_id: 'rival' });
  const other = await stack.call(`/v1/usage?include=series&bucket=day&from=${from}`, { token: foreign });
  expect(other.json.series.every((point: { requests: number }) => point.requests === 0)).toBe(true);
  expect((await stack.call('/v1/usage')).json.series).toBeUndefined();
});

test('GET /v1/sources says what arrived in which format, and why some was rejected', async () => {
  const body = [{ key_id: 'a', status: 200 }, { key_id: 'b' }];
  await stack.call('/v1/requests', { method: 'POST', body, token: acme });
  await stack.call('/v1/ingest/nginx', { method: 'POST', body: 'no log line' });
  const found = await untilPasses(async () => {
    const { json } = await stack.call('/v1/sources');
    expect(json.data).toHaveLength(3);
    return json.data;
  });
  const nginx = found.find((source: { format: string }) => source.format === 'nginx');
  expect(nginx).toMatchObject({ accepted: 0, rejected: 1 });
  expect(nginx.error).not.toContain('no log line');
  const own = await stack.call('/v1/sources', { token: acme });
  expect(own.json.data).toEqual([
    expect.objectContaining({
      format: 'keytally',
      organization_id: 'acme',
      rejected: 1,
      error: expect.stringContaining('status'),
    }),
  ]);
});

test('GET /v1/system and /v1/jobs describe this installation to its administrator only', async () => {
  const { json: system } = await stack.call('/v1/system');
  expect(system.version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(system.store.engine).toBe('embedded');
  expect(system.store.tables.map((table: { table: string }) => table.table)).toContain('requests');
  expect(system.redis.used_memory_bytes).toBeGreaterThan(100_000);
  expect(system.redis.appendonly).toBe(true);
  // Rows are counted a moment before their batch is acknowledged.
  await expect
    .poll(async () => (await stack.call('/v1/system')).json.pipeline)
    .toMatchObject({ waiting_batches: 0, failed_batches: 0, lag_ms: 0, waiting_dead_letters: 0 });
  expect(Date.parse(system.pipeline.last_received_at)).toBeGreaterThan(NOW - 60_000);
  expect(Date.parse(system.geo.built_at)).toBeGreaterThan(Date.parse('2024-01-01'));
  const { json: jobs } = await stack.call('/v1/jobs');
  expect(jobs.queues.map((queue: { name: string }) => queue.name)).toEqual(
    expect.arrayContaining(['batches', 'lifecycle']),
  );
  expect(jobs.schedules.map(({ name }: { name: string }) => name)).toEqual([
    'Key sweep',
    'Policies',
    'Alerts',
    'Limits',
  ]);
  for (const schedule of jobs.schedules) expect(Date.parse(schedule.next_run_at)).toBeGreaterThan(Date.now() - 1_000);
  const bound = await stack.token({ name: 'bound', scopes: ['admin'], organization_id: 'acme' });
  for (const path of ['/v1/system', '/v1/jobs']) {
    expect((await stack.call(path, { token: bound })).status).toBe(403);
    expect((await stack.call(path, { token: acme })).status).toBe(403);
  }
});
