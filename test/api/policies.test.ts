import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BatchJob, openBatchQueue } from '../../ingest/queue.ts';
import type { Redis } from '../../ingest/redis.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { sweepExpiries } from '../../workers/keys/expiry.ts';
import { Policies } from '../../workers/keys/policies.ts';
import { runPolicy } from '../../workers/keys/policy-run.ts';
import { Registry } from '../../workers/keys/registry.ts';
import { sized } from '../support/full-size.ts';
import { type Stack, startStack } from '../support/stack.ts';

const DAY_MS = 86_400_000;
const QUIET = '0 0 1 1 *';
let stack: Stack;
let redis: Redis;
let registry: Registry;
const tokens = new Map<string, string>();
const byTest = { actor: 'test', reportingGap: async () => '' };

beforeAll(async () => {
  stack = await startStack({ KEY_SWEEP_CRON: QUIET, KEY_POLICY_CRON: QUIET });
  // While nobody reports anything, silence proves nothing.
  await stack.send([{ key_id: 'heard', status: 200 }]);
  redis = await connectRedis(stack.redisUrl, 'worker', () => {});
  registry = new Registry(stack.store, redis);
  for (const organization of ['acme', 'rival']) {
    tokens.set(
      organization,
      await stack.token({ name: organization, scopes: ['manage'], organization_id: organization }),
    );
  }
});
afterAll(async () => {
  redis.disconnect();
  await stack.stop();
});

interface Seed {
  organization: string;
  count: number;
  prefix: string;
  /** How long Keytally has known the keys. */
  registeredDaysAgo: number;
  usedDaysAgo?: number;
}

async function seed({ organization, count, prefix, registeredDaysAgo, usedDaysAgo }: Seed): Promise<void> {
  await stack.store.command(
    `INSERT INTO keys (key_id, name, organization_id, status, created_at, version, updated_at, registered_at)
     SELECT concat({prefix:String}, toString(number)), 'Seeded', {organization:String}, 'active',
            now64(3) - toIntervalDay(900), 1, now64(3), now64(3) - toIntervalDay({registered:UInt32})
     FROM numbers({count:UInt32})`,
    { prefix, organization, registered: registeredDaysAgo, count },
  );
  if (usedDaysAgo === undefined) return;
  await stack.store.command(
    `INSERT INTO key_totals (key_id, requests, first_seen, tracking_since, last_used)
     SELECT concat({prefix:String}, toString(number)), 5, now64(3) - toIntervalDay({registered:UInt32}),
            now64(3) - toIntervalDay({registered:UInt32}),
            tuple(now64(3) - toIntervalDay({used:UInt32}), 'SE', 'GET', '/', 200)
     FROM numbers({count:UInt32})`,
    { prefix, registered: registeredDaysAgo, used: usedDaysAgo, count },
  );
}

const create = async (body: object, token?: string) =>
  (await stack.call('/v1/policies', { method: 'POST', body, ...(token ? { token } : {}) })).json;
const act = (policyId: string, verb: string, token?: string) =>
  stack.call(`/v1/policies/${policyId}/${verb}`, { method: 'POST', ...(token ? { token } : {}) });
const undo = (runId: string, token?: string) =>
  stack.call(`/v1/policy-runs/${runId}/undo`, { method: 'POST', ...(token ? { token } : {}) });

async function states(prefix: string): Promise<Record<string, number>> {
  const rows = await stack.store.query<{ status: string; n: number }>(
    'SELECT status, count() AS n FROM keys FINAL WHERE startsWith(key_id, {prefix:String}) GROUP BY status',
    { prefix },
  );
  return Object.fromEntries(rows.map((row) => [row.status, row.n]));
}
async function audited(prefix: string): Promise<{ n: number; unique: number }> {
  const [row] = await stack.store.query<{ n: number; unique: number }>(
    'SELECT count() AS n, uniqExact(id) AS unique FROM audit WHERE startsWith(subject, {prefix:String})',
    { prefix },
  );
  return row!;
}

test('a policy stays with its organization unless a token of the platform says otherwise', async () => {
  const policy = { name: 'kept', kind: 'unused', settings: { unused_days: 90 } };
  const { policy_id } = await create(policy, tokens.get('acme'));
  const put = async (fields: object, token?: string) =>
    (
      await stack.call(`/v1/policies/${policy_id}`, {
        method: 'PUT',
        body: { ...policy, ...fields },
        ...(token ? { token } : {}),
      })
    ).json;
  expect(await put({})).toMatchObject({ organization_id: 'acme' });
  expect(await put({}, tokens.get('acme'))).toMatchObject({ organization_id: 'acme' });
  expect((await put({ settings: {} })).detail).toMatch(/^settings: needs /);
  expect(await put({ organization_id: '' })).toMatchObject({ organization_id: '' });
  expect(await put({ organization_id: 'rival' })).toMatchObject({ organization_id: 'rival' });
  await stack.call(`/v1/policies/${policy_id}`, { method: 'DELETE' });
});

const MANY = sized(2_500, 10_000);

describe('unused', () => {
  test(`preview, run and undo over ${MANY} keys`, async () => {
    await seed({ organization: 'big', count: MANY, prefix: 'big_', registeredDaysAgo: 200, usedDaysAgo: 120 });
    const fields = { name: 'unused', kind: 'unused', organization_id: 'big', settings: { unused_days: 90 } };
    const policy = await create({ ...fields, max_per_run: MANY, exempt_key_ids: ['big_7'] });
    const preview = await act(policy.policy_id, 'preview');
    expect(preview.json).toMatchObject({ matched: MANY - 1, would_stop: false });
    expect(preview.json.keys.length).toBe(100);
    expect(preview.json.keys[0].because).toMatch(/^not used since \d{4}-\d\d-\d\d \(120 days\)$/);
    expect(await states('big_')).toEqual({ active: MANY });
    const startedAt = performance.now();
    const { json: run } = await act(policy.policy_id, 'run');
    console.log(`run over ${MANY - 1} keys: ${(performance.now() - startedAt).toFixed(0)} ms`);
    expect(run).toMatchObject({ outcome: 'done', matched: MANY - 1, changed: MANY - 1 });
    expect(await states('big_')).toEqual({ active: 1, inactive: MANY - 1 });
    await stack.call('/v1/keys/big_1', { method: 'PUT', body: { description: 'somebody was here' } });
    await stack.call('/v1/keys/big_2/reactivate', { method: 'POST', body: {} });
    expect((await undo(run.run_id)).json).toEqual({ reactivated: MANY - 3, left: 0 });
    expect((await undo(run.run_id)).json).toEqual({ reactivated: 0, left: 0 });
    expect(await states('big_')).toEqual({ active: MANY - 1, inactive: 1 });
    expect((await stack.call('/v1/keys/big_1')).json.status_reason).toMatch(/^policy "unused": not used since/);
    expect(await audited('big_')).toEqual({ n: 2 * MANY - 2, unique: 2 * MANY - 2 });
    const { json: again } = await act(policy.policy_id, 'preview');
    expect(again.matched).toBe(0);
    const { json: runs } = await stack.call(`/v1/policies/${policy.policy_id}/runs`);
    expect(runs.data).toMatchObject([{ run_id: run.run_id, outcome: 'undone', changed: MANY - 1 }]);
  });

  test('silence counts only while Keytally listened', async () => {
    await seed({ organization: 'quiet', count: 3, prefix: 'quiet_never_', registeredDaysAgo: 40 });
    await seed({ organization: 'quiet', count: 2, prefix: 'quiet_new_', registeredDaysAgo: 5 });
    await seed({ organization: 'quiet', count: 4, prefix: 'quiet_imported_', registeredDaysAgo: 5, usedDaysAgo: 400 });
    const settings = { unused_days: 30, never_used_days: 30 };
    const policy = await create({ name: 'q', kind: 'unused', organization_id: 'quiet', settings });
    const { json } = await act(policy.policy_id, 'preview');
    expect(json.keys.map((key: { key_id: string }) => key.key_id)).toEqual([0, 1, 2].map((n) => `quiet_never_${n}`));
    expect(json.keys[0].because).toMatch(/^never used since .* when tracking began \(40 days\)$/);
  });

  test('warns first, acts only when the longest warning has passed', async () => {
    await seed({ organization: 'warned', count: 3, prefix: 'warned_', registeredDaysAgo: 200, usedDaysAgo: 100 });
    const fields = { name: 'w', kind: 'unused', organization_id: 'warned', settings: { unused_days: 90 } };
    const policy = await create({ ...fields, warn_days: [7, 1] });
    expect((await act(policy.policy_id, 'run')).json).toMatchObject({ matched: 3, warned: 3, changed: 0 });
    expect((await act(policy.policy_id, 'run')).json).toMatchObject({ matched: 3, warned: 0, changed: 0 });
    const backdate = (days: number) =>
      stack.store.command(
        `INSERT INTO key_events SELECT id, now64(3) - toIntervalDay({days:UInt32}), key_id, organization_id, type, data
         FROM key_events FINAL WHERE startsWith(key_id, 'warned_') AND endsWith(id, '@7')`,
        { days },
      );
    await backdate(6);
    expect((await act(policy.policy_id, 'run')).json).toMatchObject({ warned: 3, changed: 0 });
    await backdate(7);
    await stack.call('/v1/keys/warned_0', { method: 'PUT', body: { description: 'needed' } });
    expect((await act(policy.policy_id, 'run')).json).toMatchObject({ matched: 3, warned: 1, changed: 2 });
  });
});

test('a warning of a match that ended long ago warns of nothing: the key is warned again', async () => {
  await seed({ organization: 'again', count: 1, prefix: 'again_', registeredDaysAgo: 200, usedDaysAgo: 100 });
  const fields = { name: 'a', kind: 'unused', organization_id: 'again', settings: { unused_days: 90 } };
  const { policy_id } = await create({ ...fields, warn_days: [7] });
  expect((await act(policy_id, 'run')).json).toMatchObject({ warned: 1, changed: 0 });
  for (const days of [90, 40]) {
    await stack.store.command(
      `INSERT INTO key_events SELECT id, at - toIntervalDay({days:UInt32}), key_id, organization_id, type, data
       FROM key_events FINAL WHERE startsWith(key_id, 'again_') ORDER BY at DESC LIMIT 1`,
      { days },
    );
    expect((await act(policy_id, 'run')).json, `${days} days`).toMatchObject({ warned: 1, changed: 0 });
    expect((await act(policy_id, 'run')).json, `${days} days`).toMatchObject({ warned: 0, changed: 0 });
  }
});

test('while records wait that are not counted yet nobody is taken for unused', async () => {
  await seed({ organization: 'behind', count: 2, prefix: 'behind_', registeredDaysAgo: 200, usedDaysAgo: 100 });
  const fields = { name: 'b', kind: 'unused', organization_id: 'behind', settings: { unused_days: 90 } };
  const { policy_id } = await create(fields);
  const batches = openBatchQueue(redis, 0);
  const waiting = await batches.add('batch', {} as BatchJob, {
    timestamp: Date.now() - 20 * 60_000,
    delay: DAY_MS,
    jobId: 'waiting',
  });
  const { json: stopped } = await act(policy_id, 'run');
  expect(stopped).toMatchObject({ outcome: 'stopped', matched: 2, changed: 0 });
  expect(stopped.detail).toMatch(/received 2\d minutes ago are not counted yet/);
  await waiting.remove();
  await batches.close();
  expect((await act(policy_id, 'run')).json).toMatchObject({ outcome: 'done', changed: 2 });
});

describe('abusive', () => {
  test('client errors and overrun limits of a stated size, nothing else', async () => {
    const now = Date.now();
    const flood = (key_id: string, count: number, status: number) =>
      Array.from({ length: count }, (_, n) => ({ key_id, status, path: '/', timestamp: now - 120_000 - (n % 60) }));
    const limits = { per_minute: 10 };
    for (const key of ['storm', 'outage', 'greedy', 'small', 'good']) {
      await stack.call(`/v1/keys/abuse_${key}`, {
        method: 'PUT',
        body: { organization_id: 'abuse', limits: key === 'greedy' ? limits : {} },
      });
    }
    const records = [
      ...flood('abuse_storm', 150, 401),
      ...flood('abuse_outage', 150, 500),
      ...flood('abuse_greedy', 300, 200),
      ...flood('abuse_small', 50, 401),
      ...flood('abuse_good', 300, 200),
    ];
    await stack.send(records);
    const counted = async () =>
      (
        await stack.store.query<{ n: number }>(
          "SELECT sum(requests) AS n FROM usage_minute WHERE startsWith(key_id, 'abuse_')",
        )
      )[0]!.n;
    await expect.poll(counted).toBe(950);
    await stack.call('/v1/plans/small', { method: 'PUT', body: { limits: { per_minute: 6 } } });
    await stack.call('/v1/keys/abuse_planned', { method: 'PUT', body: { organization_id: 'abuse', plan: 'small' } });
    await stack.send(flood('abuse_planned', 180, 200));
    await expect.poll(counted).toBe(1_130);
    const settings = { window_minutes: 10, client_error_rate: 0.9, limit_factor: 3 };
    const policy = await create({ name: 'abuse', kind: 'abusive', organization_id: 'abuse', settings });
    const { json } = await act(policy.policy_id, 'preview');
    expect(json.keys.map((key: { key_id: string; because: string }) => [key.key_id, key.because])).toEqual([
      ['abuse_greedy', '300 requests in 10 minutes at a limit of 10 per minute'],
      ['abuse_planned', '180 requests in 10 minutes at a limit of 6 per minute'],
      ['abuse_storm', '100.0 % of 150 requests in 10 minutes were answered 4xx'],
    ]);
  });
});

describe('a runaway policy', () => {
  test('does nothing at all', async () => {
    await seed({ organization: 'run', count: 50, prefix: 'run_', registeredDaysAgo: 50 });
    const policy = await create({
      name: 'r',
      kind: 'unused',
      organization_id: 'run',
      settings: { never_used_days: 1 },
      max_per_run: 49,
    });
    expect((await act(policy.policy_id, 'preview')).json).toMatchObject({ matched: 50, would_stop: true });
    expect((await act(policy.policy_id, 'run')).json).toMatchObject({ outcome: 'stopped', matched: 50, changed: 0 });
    expect(await states('run_')).toEqual({ active: 50 });
  });
});

test('three schedulers at once: every key changes state once, the audit is complete', async () => {
  await seed({ organization: 'race', count: 3_000, prefix: 'race_', registeredDaysAgo: 50 });
  const { policy_id } = await create({
    name: 'race',
    kind: 'unused',
    organization_id: 'race',
    settings: { never_used_days: 1 },
    max_per_run: 5_000,
  });
  const policy = (await new Policies(stack.store).find(policy_id))!;
  await Promise.all([1, 2, 3].map((n) => runPolicy(registry, policy, { runId: `race-${n}`, ...byTest })));
  await runPolicy(registry, policy, { runId: 'race-4', ...byTest });
  const [row] = await stack.store.query<object>(
    "SELECT count() AS n, min(version) AS least, max(version) AS most FROM keys FINAL WHERE startsWith(key_id, 'race_') AND status = 'inactive'",
  );
  expect(row).toEqual({ n: 3_000, least: 2, most: 2 });
  expect(await audited('race_')).toEqual({ n: 3_000, unique: 3_000 });
});

test('expired: on by default, switched off for a scope, exempt keys stay', async () => {
  const past = new Date(Date.now() - DAY_MS).toISOString();
  const rows = (['off', 'on'] as const).flatMap((organization) =>
    [0, 1].map((n) => ({
      key_id: `exp_${organization}_${n}`,
      organization_id: organization,
      status: 'active',
      expires_at: past,
      created_at: past,
      version: 1,
      updated_at: past,
    })),
  );
  await stack.store.insertRows('keys', rows);
  await create({ name: 'never expire', kind: 'expired', organization_id: 'off', enabled: false });
  const exempting = await create({
    name: 'one stays',
    kind: 'expired',
    organization_id: 'on',
    enabled: true,
    exempt_key_ids: ['exp_on_0'],
  });
  await sweepExpiries(registry, Date.now());
  expect(await states('exp_off')).toEqual({ active: 2 });
  expect(await states('exp_on')).toEqual({ active: 1, expired: 1 });
  await stack.call(`/v1/policies/${exempting.policy_id}`, { method: 'DELETE' });
  await sweepExpiries(registry, Date.now());
  expect(await states('exp_on')).toEqual({ expired: 2 });
});

describe('policies over HTTP', () => {
  test.each([
    ['no kind', { name: 'x' }, 'kind'],
    ['unused without days', { name: 'x', kind: 'unused' }, 'settings'],
    ['days of 0', { name: 'x', kind: 'unused', settings: { unused_days: 0 } }, 'settings.unused_days'],
    ['a cap of 0', { name: 'x', kind: 'leaked', max_per_run: 0 }, 'max_per_run'],
    [
      'a share above 1',
      { name: 'x', kind: 'abusive', settings: { client_error_rate: 2 } },
      'settings.client_error_rate',
    ],
  ])('%s is refused and named', async (_name, body, field) => {
    const { status, json } = await stack.call('/v1/policies', { method: 'POST', body });
    expect([status, json.errors[0].field]).toEqual([400, field]);
  });

  test('made, read, replaced, deleted', async () => {
    const made = await create({ name: 'mine', kind: 'leaked' });
    expect(made).toMatchObject({ enabled: false, max_per_run: 100, warn_days: [] });
    const path = `/v1/policies/${made.policy_id}`;
    const changed = await stack.call(path, { method: 'PUT', body: { name: 'renamed', kind: 'leaked', enabled: true } });
    expect((await stack.call(path)).json).toEqual(changed.json);
    expect((await stack.call(path, { method: 'DELETE' })).status).toBe(204);
    expect((await stack.call(path)).status).toBe(404);
  });

  test('an organization has its own, and none of another', async () => {
    const body = { name: 'theirs', kind: 'unused', settings: { never_used_days: 1 } };
    const rivals = await create(body, tokens.get('rival')!);
    expect(rivals.organization_id).toBe('rival');
    const token = tokens.get('acme')!;
    const { json } = await stack.call('/v1/policies', { token });
    expect(json.data).toEqual([]);
    for (const verb of ['preview', 'run']) expect((await act(rivals.policy_id, verb, token)).status).toBe(404);
    expect((await stack.call(`/v1/policies/${rivals.policy_id}`, { token })).status).toBe(404);
    const foreign = await stack.call('/v1/policies', {
      method: 'POST',
      token,
      body: { ...body, organization_id: 'rival' },
    });
    expect(foreign.status).toBe(403);
    await stack.store.insertRows('keys', [
      {
        key_id: 'rivals_old',
        organization_id: 'rival',
        status: 'active',
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:00:00Z',
        registered_at: '2026-01-01T00:00:00Z',
        version: 1,
      },
    ]);
    const { json: run } = await act(rivals.policy_id, 'run', tokens.get('rival')!);
    expect(run).toMatchObject({ changed: 1, matched: 1 });
    expect((await undo(run.run_id, token)).status).toBe(404);
    expect((await undo(run.run_id, tokens.get('rival')!)).json.reactivated).toBe(1);
  });
});
