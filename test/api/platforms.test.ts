import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';

/** One walk per platform's model of keys: each uses Keytally whole, with its own token, through HTTP only. */
const DAY_MS = 86_400_000;
const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ KEY_SWEEP_CRON: '*/2 * * * * *' });
});
afterAll(() => stack.stop());

async function tenant(organization: string) {
  const token = await stack.token({ name: organization, scopes: ['ingest', 'manage'], organization_id: organization });
  const call = (path: string, method = 'GET', body?: object) =>
    stack.call(path, { method, token, ...(body ? { body } : {}) });
  return {
    put: async (keyId: string, body: object) =>
      expect((await call(`/v1/keys/${keyId}`, 'PUT', body)).status, keyId).toBe(200),
    get: async (path: string) => (await call(path)).json,
    post: (path: string, body: object = {}) => call(path, 'POST', body),
    send: (records: object[]) => stack.send(records, { token }),
    counted: stack.untilTotal,
    events: async (keyId: string) => {
      const rows = await stack.store.query<{ type: string }>(
        'SELECT type FROM key_events FINAL WHERE key_id = {key_id:String} ORDER BY at',
        { key_id: keyId },
      );
      return rows.map((row) => row.type);
    },
  };
}

test('personal keys: description, optional expiry, last use, automatic deactivation', async () => {
  const user = await tenant('tenant-of-ada');
  await user.put('ada-1', {
    kind: 'personal',
    description: 'laptop',
    owner: { name: 'Ada' },
    sha256: sha('ada secret'),
  });
  await user.put('ada-2', { kind: 'personal', description: 'trial', expires_at: inMs(1_500) });
  await user.send([{ key: 'ada secret', status: 200, path: '/notes', method: 'GET', country: 'SE' }]);
  await user.counted('ada-1', 1);
  await expect.poll(async () => (await user.get('/v1/keys/ada-2')).status).toBe('expired');
  const { data } = await user.get('/v1/keys?sort=key_id');
  expect(data).toMatchObject([
    {
      key_id: 'ada-1',
      kind: 'personal',
      status: 'active',
      expires_at: null,
      last_used: { country: 'SE', route: '/notes' },
    },
    { key_id: 'ada-2', description: 'trial', status: 'expired', last_used: null },
  ]);
  // The status is what the clock says; its event comes with the next sweep.
  await expect.poll(() => user.events('ada-2')).toEqual(['key.expired']);
});

test('service and organization keys: plans, usage, approaching expiry, rotation by a successor', async () => {
  const org = await tenant('orbit');
  await stack.call('/v1/plans/team?organization_id=orbit', {
    method: 'PUT',
    body: { limits: { per_minute: 100, per_day: 1000 } },
  });
  const made = { plan: 'team', created_at: inMs(-60 * DAY_MS) };
  await org.put('svc', { ...made, kind: 'service', permissions: { jobs: 'write' }, expires_at: inMs(6 * DAY_MS) });
  await org.put('org', { ...made, kind: 'organization', scopes: ['jobs:read'], expires_at: inMs(6 * DAY_MS) });
  const statuses = [200, 200, 200, 429];
  await org.send(
    Array.from({ length: 40 }, (_, n) => ({
      key_id: 'svc',
      status: statuses[n % 4],
      path: `/jobs/${n}`,
      country: 'DE',
    })),
  );
  await org.counted('svc', 40);
  const usage = await org.get('/v1/keys/svc/usage');
  expect(usage).toMatchObject({ totals: { requests: 40, error_rate: 0.25 }, countries: [{ country: 'DE' }] });
  expect(usage.endpoints.length).toBeGreaterThan(0);
  expect(await org.get('/v1/keys/svc')).toMatchObject({
    permissions: { jobs: 'write' },
    utilization: { per_minute: 0.4, per_day: 0.04, per_month: null },
  });
  await expect.poll(() => org.events('svc')).toEqual(['key.expiring']);
  await org.put('svc-next', { kind: 'service', plan: 'team' });
  await org.put('svc', { successor_key_id: 'svc-next' });
  await org.send([{ key_id: 'svc-next', status: 200, path: '/jobs/1' }]);
  await org.post('/v1/keys/svc/deactivate', { reason: 'rotated' });
  expect(await org.get('/v1/keys/denied')).toMatchObject({ data: [{ key_id: 'svc', status: 'inactive' }] });
});

test('keys per environment: orphans found, revoked with history, regenerated under the same name', async () => {
  const org = await tenant('harbor');
  for (const environment of ['production', 'staging', 'development']) {
    await org.put(`app-${environment}`, { name: 'app', environment, customer_id: 'c-1', sha256: sha(environment) });
  }
  await org.send([{ key: 'production', status: 200, path: '/' }]);
  await org.counted('app-production', 1);
  // As after two days: a key that was registered a moment ago is not yet unused for a day.
  await stack.store.command(
    `INSERT INTO keys SELECT * REPLACE(registered_at - 172800 AS registered_at)
     FROM keys FINAL WHERE startsWith(key_id, 'app-')`,
  );
  const orphans = (await org.get('/v1/keys?unused_days=1&sort=key_id')).data;
  expect(orphans.map((key: { key_id: string }) => key.key_id)).toEqual(['app-development', 'app-staging']);
  expect((await org.get('/v1/keys?environment=staging')).data).toMatchObject([{ key_id: 'app-staging' }]);
  await org.post('/v1/keys/app-staging/deactivate', { reason: 'orphaned' });
  const fresh = await org.post('/v1/keys/app-production/regenerate', { sha256: sha('production 2') });
  expect(fresh.json).toMatchObject({ key_id: 'app-production', name: 'app', total_requests: 1, status: 'active' });
  const history = async (keyId: string) =>
    (await org.get(`/v1/keys/${keyId}/history`)).data.map((entry: { action: string }) => entry.action);
  expect(await history('app-staging')).toEqual(['key.deactivated', 'key.registered']);
  expect(await history('app-production')).toEqual(['key.regenerated', 'key.registered']);
  expect((await org.get('/v1/requests?key_id=app-production')).data.length).toBe(1);
});

test('product scopes and tiers with burst: the four figures, rotation every 90 days, revoked on abuse', async () => {
  const org = await tenant('atlas');
  for (const [tier, per_minute, burst] of [
    ['free', 60, 100],
    ['pro', 300, 500],
    ['max', 1000, 2000],
  ] as const) {
    await stack.call(`/v1/plans/${tier}?organization_id=atlas`, {
      method: 'PUT',
      body: { limits: { per_minute, burst } },
    });
  }
  await org.put('product', { plan: 'pro', scopes: ['maps', 'routes'], created_at: inMs(-91 * DAY_MS) });
  const now = Date.now();
  const at = (n: number) => now - 120_000 - n * 100;
  await org.send(
    Array.from({ length: 200 }, (_, n) => ({
      key_id: 'product',
      status: n < 190 ? 403 : 200,
      path: '/m',
      timestamp: at(n),
    })),
  );
  await org.counted('product', 200);
  expect(await org.get('/v1/keys/product')).toMatchObject({
    limits: { per_minute: 300, burst: 500 },
    scopes: ['maps', 'routes'],
    total_requests: 200,
    requests_30d: 200,
    error_rate_30d: 0.95,
    last_used: { at: new Date(at(0)).toISOString() },
  });
  await expect.poll(() => org.events('product')).toEqual(['key.rotation_due']);
  const settings = { client_error_rate: 0.9, window_minutes: 30 };
  const { json: policy } = await org.post('/v1/policies', { name: 'abuse', kind: 'abusive', settings });
  expect((await org.post(`/v1/policies/${policy.policy_id}/run`)).json).toMatchObject({ changed: 1 });
  expect(await org.get('/v1/keys/product')).toMatchObject({
    status: 'inactive',
    status_reason: 'policy "abuse": 95.0 % of 200 requests in 30 minutes were answered 4xx',
  });
});
