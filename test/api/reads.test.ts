import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiPath } from '../../api/openapi.ts';
import { ROUTES } from '../../api/routes/routes.ts';
import { Random } from '../support/random.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { generateTraffic, type Sample } from '../support/traffic.ts';

const DAY_MS = 86_400_000;
let stack: Stack;
let traffic: Sample[];
/** Request id of a sample. */
const idOf = (n: number) => `request-${n}`;

beforeAll(async () => {
  stack = await startStack();
  traffic = generateTraffic(new Random(7), 6_000, 30, Date.now() - 3 * DAY_MS, Date.now() - 60_000);
  await stack.send(traffic.map((sample, n) => ({ ...sample, request_id: idOf(n) })));
  for (const [n, plan] of [
    ['0', 'pro'],
    ['1', 'pro'],
    ['2', 'free'],
  ]) {
    const body = { name: `Key ${n}`, plan, organization_id: 'acme', customer_id: `c${n}`, limits: { per_minute: 60 } };
    expect((await stack.call(`/v1/keys/key_${n}`, { method: 'PUT', body })).status).toBe(200);
  }
  expect((await stack.call('/v1/keys/never_used', { method: 'PUT', body: { name: 'Never used' } })).status).toBe(200);
  await stack.untilCounted(traffic.length);
});
afterAll(() => stack.stop());

describe('keys', () => {
  test('the four figures, for registered and discovered keys', async () => {
    for (const keyId of ['key_0', 'key_20']) {
      const own = traffic.filter((sample) => sample.key_id === keyId);
      const { json } = await stack.call(`/v1/keys/${keyId}`);
      expect(json).toMatchObject({
        key_id: keyId,
        status: keyId === 'key_0' ? 'active' : 'discovered',
        total_requests: own.length,
        requests_30d: own.length,
        last_used: { at: new Date(Math.max(...own.map((sample) => sample.timestamp))).toISOString() },
      });
      expect(json.error_rate_30d).toBeCloseTo(own.filter((sample) => sample.status >= 400).length / own.length, 12);
    }
  });

  test('a key that was never used says so and since when that is known', async () => {
    const { json } = await stack.call('/v1/keys/never_used');
    expect(json).toMatchObject({ status: 'active', last_used: null, total_requests: 0, error_rate_30d: 0 });
    expect(json.tracking_since).toBe(json.created_at);
  });

  test.each([
    'key_id',
    '-key_id',
    'total_requests',
    '-total_requests',
    '-last_used',
    'error_rate_30d',
    '-requests_30d',
  ])('pages by %s hold every key once, in order', async (sort) => {
    const seen: Record<string, unknown>[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { json }: { json: { data: Record<string, unknown>[]; next_cursor: string | null } } = await stack.call(
        `/v1/keys?sort=${sort}&limit=7${cursor ? `&cursor=${cursor}` : ''}`,
      );
      seen.push(...json.data);
      cursor = json.next_cursor;
    }
    const expected = new Set([...traffic.map((sample) => sample.key_id), 'never_used']);
    expect(new Set(seen.map((key) => key.key_id))).toEqual(expected);
    expect(seen.length).toBe(expected.size);
    const field = sort.replace('-', '');
    const value = (key: Record<string, unknown>) =>
      field === 'last_used' ? Date.parse((key.last_used as { at: string } | null)?.at ?? '1970-01-01') : key[field];
    for (const [at, key] of seen.slice(1).entries()) {
      const [a, b] = sort.startsWith('-') ? [seen[at]!, key] : [key, seen[at]!];
      expect(value(a)! >= value(b)!).toBe(true);
    }
  });

  test('a cursor is one of the order it was made with only', async () => {
    for (const [made, used] of [
      ['key_id', '-requests_30d'],
      ['-requests_30d', 'key_id'],
      ['-requests_30d', 'requests_30d'],
      ['total_requests', 'last_used'],
    ]) {
      const { json } = await stack.call(`/v1/keys?sort=${made}&limit=1`);
      const { status, json: problem } = await stack.call(`/v1/keys?sort=${used}&limit=1&cursor=${json.next_cursor}`);
      expect([status, problem.errors?.[0]]).toEqual([
        400,
        { field: 'cursor', message: 'is not a cursor of this list' },
      ]);
    }
  });

  test('search, filters, unused', async () => {
    const ids = async (query: string) =>
      (await stack.call(`/v1/keys?sort=key_id&${query}`)).json.data.map((key: { key_id: string }) => key.key_id);
    expect(await ids('search=KEY%202')).toEqual(['key_2']);
    expect(await ids('organization_id=acme')).toEqual(['key_0', 'key_1', 'key_2']);
    // Nobody watched it for a day yet.
    expect(await ids('unused_days=1&status=active')).toEqual([]);
    await stack.store.command(
      `INSERT INTO keys SELECT * REPLACE(registered_at - 172800 AS registered_at, version + 1 AS version)
       FROM keys FINAL WHERE key_id = 'never_used'`,
    );
    expect(await ids('unused_days=1&status=active')).toEqual(['never_used']);
    expect((await ids('status=discovered&limit=500')).length).toBe(27);
    expect(await ids('search=%27%20OR%201%3D1%20--')).toEqual([]);
  });

  test('a change based on an old version is refused', async () => {
    const { json: before } = await stack.call('/v1/keys/key_1');
    const put = (version: number | string) =>
      stack.call('/v1/keys/key_1', {
        method: 'PUT',
        body: { description: `v${version}` },
        headers: { 'If-Match': String(version) },
      });
    expect((await put(before.version)).json).toMatchObject({ version: before.version + 1, plan: 'pro' });
    expect((await put(before.version)).status).toBe(409);
    expect(await put('newest')).toMatchObject({ status: 400, json: { errors: [{ field: 'If-Match' }] } });
  });

  test('two writers at once: one is refused or both are kept, none is lost', async () => {
    const bodies = [{ description: 'mine' }, { limits: { burst: 100 } }];
    const answers = await Promise.all(bodies.map((body) => stack.call('/v1/keys/key_2', { method: 'PUT', body })));
    const { json } = await stack.call('/v1/keys/key_2');
    expect(answers.some((answer) => answer.status === 200)).toBe(true);
    if (answers[0]!.status === 200) expect(json.description).toBe('mine');
    if (answers[1]!.status === 200) expect(json.limits.burst).toBe(100);
    for (const { status } of answers) expect([200, 409]).toContain(status);
  });

  test.each([
    ['a limit of 0', { limits: { per_minute: 0 } }, 'limits.per_minute'],
    ['a limit of -1', { limits: { per_day: -1 } }, 'limits.per_day'],
    ['a long name', { name: 'x'.repeat(10_000) }, 'name'],
    ['an unknown field', { nmae: 'x' }, 'body'],
    ['a bad hash', { sha256: 'xyz' }, 'sha256'],
    ['a bad kind', { kind: 'robot' }, 'kind'],
  ])('%s is refused and named', async (_name, body, field) => {
    const { status, json } = await stack.call('/v1/keys/key_0', { method: 'PUT', body });
    expect(status).toBe(400);
    expect(json.errors[0].field).toBe(field);
  });
});

describe('usage of many keys', () => {
  test.each(['key_id', 'service', 'environment', 'country', 'status', 'route'] as const)('by %s', async (group) => {
    const { json } = await stack.call(`/v1/usage?group_by=${group}&limit=1000`);
    const expected = new Map<string, number>();
    for (const sample of traffic) expected.set(String(sample[group]), (expected.get(String(sample[group])) ?? 0) + 1);
    expect(
      Object.fromEntries(json.data.map((row: { group: string; requests: number }) => [row.group, row.requests])),
    ).toEqual(Object.fromEntries(expected));
  });

  test.each([
    ['plan', { pro: ['key_0', 'key_1'], free: ['key_2'] }],
    ['organization_id', { acme: ['key_0', 'key_1', 'key_2'] }],
    ['customer_id', { c0: ['key_0'], c1: ['key_1'], c2: ['key_2'] }],
  ])('by %s of the registry', async (group, keys: Record<string, string[]>) => {
    const { json } = await stack.call(`/v1/usage?group_by=${group}`);
    const counted = Object.fromEntries(
      json.data.map((row: { group: string; requests: number }) => [row.group, row.requests]),
    );
    const all = Object.values(keys).flat();
    const count = (ids: string[]) => traffic.filter((sample) => ids.includes(sample.key_id)).length;
    expect(counted).toEqual({
      ...Object.fromEntries(Object.entries(keys).map(([name, ids]) => [name, count(ids)])),
      '': traffic.length - count(all),
    });
  });
});

describe('requests', () => {
  const from = () => new Date(Date.now() - 4 * DAY_MS).toISOString();

  test('pages hold every request once, newest first', async () => {
    let cursor: string | null = '';
    const times: number[] = [];
    while (cursor !== null) {
      const { json }: { json: { data: { timestamp: string }[]; next_cursor: string | null } } = await stack.call(
        `/v1/requests?from=${from()}&limit=1000${cursor ? `&cursor=${cursor}` : ''}`,
      );
      times.push(...json.data.map((row) => Date.parse(row.timestamp)));
      cursor = json.next_cursor;
    }
    expect(times).toEqual(traffic.map((sample) => sample.timestamp).sort((a, b) => b - a));
  });

  test.each([
    ['status=5xx', (s: Sample) => s.status >= 500],
    ['status=404', (s: Sample) => s.status === 404],
    ['method=POST&country=SE', (s: Sample) => s.method === 'POST' && s.country === 'SE'],
    ['key_id=key_3&route=/v1/things/{id}/part3', (s: Sample) => s.key_id === 'key_3' && s.route.endsWith('part3')],
  ])('filter %s, and its export as CSV and NDJSON is exactly the view', async (filter, matches) => {
    const expected = traffic.flatMap((sample, n) => (matches(sample) ? idOf(n) : [])).sort();
    const path = `/v1/requests?from=${from()}&limit=1000&${filter}`;
    const csv = await stack.call(path, { headers: { Accept: 'text/csv' } });
    expect(csv.headers.get('content-disposition')).toContain('requests.csv');
    expect(csv.headers.get('keytally-export-limit')).toBe('1000000');
    const [header, ...rows] = csv.text.trim().split('\n');
    const column = header!.split(',').indexOf('request_id');
    const inCsv = rows.map((row) => row.split(',')[column]);
    expect(inCsv.toSorted()).toEqual(expected);
    const lines = await stack.call(path, { headers: { Accept: 'application/x-ndjson' } });
    expect(lines.headers.get('keytally-export-limit')).toBe('1000000');
    const inLines = lines.text.split('\n').flatMap((line) => (line === '' ? [] : JSON.parse(line).request_id));
    expect(inLines).toEqual(inCsv);
    const inView = (await stack.call(path)).json.data.map((row: { request_id: string }) => row.request_id);
    expect(inView).toEqual(inCsv.slice(0, 1000));
  });
});

test.each([
  ['/v1/keys/key_0/usage?', 'Asia/Kolkata', '2026-10-31T18:30:00.000Z', '2026-11-02T18:30:00.000Z'],
  ['/v1/usage?group_by=key_id&', 'UTC', '2026-11-01T00:00:00.000Z', '2026-11-03T00:00:00.000Z'],
])('%s: dates are days of %s', async (path, timezone, from, to) => {
  const { json } = await stack.call(`${path}from=2026-11-01&to=2026-11-03&timezone=${timezone}`);
  expect([json.from, json.to]).toEqual([from, to]);
});

test.each([
  ['/v1/keys/key_0/usage?timezone=Mars/Olympus', 'timezone'],
  ['/v1/keys/key_0/usage?from=2026-11-01&timezone=Mars/Olympus', 'timezone'],
  ['/v1/keys/key_0/usage?from=2026-02-30', 'from'],
  ['/v1/keys/key_0/usage?from=yesterday', 'from'],
  ['/v1/keys/key_0/usage?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z', 'to'],
  ['/v1/keys/key_0/usage?bucket=fortnight', 'bucket'],
  ['/v1/keys/key_0/usage?from=2020-01-01T00:00:00Z&bucket=hour', 'bucket'],
  ['/v1/keys/key_0/usage?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z&bucket=minute', 'bucket'],
  ['/v1/keys?limit=0', 'limit'],
  ['/v1/keys?cursor=xx', 'cursor'],
  ['/v1/requests?status=999', 'status'],
  ['/v1/requests?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z', 'to'],
])('%s is refused and names %s', async (path, field) => {
  const { status, json } = await stack.call(path);
  expect([status, json.errors?.[0]?.field]).toEqual([400, field]);
});

describe('documentation and health', () => {
  test('the OpenAPI document holds every route', async () => {
    const { json } = await stack.call('/openapi.json', { token: '' });
    expect(json.openapi).toBe('3.1.0');
    for (const route of ROUTES)
      expect(json.paths[openApiPath(route.path)]?.[route.method]?.summary).toBe(route.summary);
    expect(json.paths['/v1/requests'].post.requestBody).toBeDefined();
    const exported = json.paths['/v1/requests'].get.responses['200'];
    expect(exported.headers['Keytally-Export-Limit']).toMatchObject({ schema: { type: 'integer' } });
    expect((await stack.call('/docs', { token: '' })).text).toContain('/v1/keys/{key_id}/usage');
  });

  test('health, readiness, metrics, headers, unknown routes', async () => {
    expect((await stack.call('/healthz')).json).toEqual({ status: 'ok' });
    expect((await stack.call('/readyz')).json).toEqual({ status: 'ready', failing: {} });
    const metrics = await stack.call('/metrics');
    expect(metrics.text).toMatch(/keytally_worker_rows_inserted_total 6000/);
    expect(metrics.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await stack.call('/v1/nothing')).toMatchObject({ status: 404, json: { title: 'Not found' } });
  });
});

test('signing in, using the session, signing out', async () => {
  const signIn = await stack.call('/v1/session', {
    method: 'POST',
    token: '',
    body: { token: await stack.token({ name: 'page', scopes: ['read'] }) },
  });
  expect(signIn.status).toBe(204);
  const setCookie = signIn.headers.get('set-cookie')!;
  expect(setCookie).toMatch(/HttpOnly/);
  expect(setCookie).toMatch(/SameSite=Strict/);
  const cookie = { Cookie: setCookie.split(';')[0]! };
  expect((await stack.call('/v1/session', { token: '', headers: cookie })).json).toMatchObject({
    name: 'page',
    scopes: ['read'],
  });
  expect((await stack.call('/v1/keys', { token: '', headers: cookie })).status).toBe(200);
  const out = await stack.call('/v1/session', { method: 'DELETE', token: '', headers: cookie });
  expect(out.status).toBe(204);
  expect((await stack.call('/v1/keys', { token: '', headers: cookie })).status).toBe(401);
  const wrong = await stack.call('/v1/session', { method: 'POST', token: '', body: { token: 'kt_nonsense' } });
  expect(wrong.status).toBe(401);
});
