import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { effectiveLimits, isKnownPlan, type Plan, planOf } from '../../workers/keys/plans.ts';
import { type Stack, startStack } from '../support/stack.ts';

const NONE = { limit_per_minute: null, limit_per_day: null, limit_per_month: null, limit_burst: null };
const plan = (organization_id: string, name: string, over: Partial<Plan> = {}): Plan => ({
  organization_id,
  plan: name,
  description: '',
  updated_at: '',
  ...NONE,
  ...over,
});

describe('which limits hold', () => {
  const common = plan('', 'pro', { limit_per_minute: 60, limit_burst: 100 });
  const own = plan('acme', 'pro', { limit_per_minute: 300 });

  test("an organization's own plan comes before the common one", () => {
    expect(planOf([common, own], 'acme', 'pro')).toBe(own);
    expect(planOf([common, own], 'rival', 'pro')).toBe(common);
    expect(planOf([common, own], 'acme', 'free')).toBeUndefined();
  });

  test("a key's own limit comes before the plan's, limit by limit", () => {
    expect(effectiveLimits({ ...NONE, limit_per_minute: 5 }, common)).toEqual({
      ...NONE,
      limit_per_minute: 5,
      limit_burst: 100,
    });
    expect(effectiveLimits(NONE, undefined)).toEqual(NONE);
  });

  test.each([
    ['no plans at all', [], 'acme', 'any', true],
    ['known', [common], 'acme', 'pro', true],
    ['unknown', [common], 'acme', 'free', false],
    ['no plan', [common], 'acme', '', true],
    ['only another organization has plans', [plan('rival', 'gold')], 'acme', 'any', true],
    ["another organization's plan", [common, plan('rival', 'gold')], 'acme', 'gold', false],
  ] as const)('known plan: %s', (_name, plans, organization, name, known) => {
    expect(isKnownPlan(plans, organization, name)).toBe(known);
  });
});

describe('plans over HTTP', () => {
  let stack: Stack;
  const tokens = new Map<string, string>();
  beforeAll(async () => {
    stack = await startStack();
    for (const organization of ['acme', 'rival']) {
      tokens.set(
        organization,
        await stack.token({ name: organization, scopes: ['manage'], organization_id: organization }),
      );
    }
  });
  afterAll(() => stack.stop());
  const put = (path: string, body: object, token?: string) =>
    stack.call(path, { method: 'PUT', body, ...(token ? { token } : {}) });

  test('limits of the plan hold for its keys, in the figures too', async () => {
    await put('/v1/plans/basic', { limits: { per_minute: 60, burst: 100 }, description: 'Basic' });
    await put('/v1/keys/on_plan', { plan: 'basic' });
    await put('/v1/keys/with_own', { plan: 'basic', limits: { per_minute: 10, per_day: 50 } });
    await stack.send(Array.from({ length: 30 }, () => ({ key_id: 'on_plan', status: 200, path: '/' })));
    await stack.untilTotal('on_plan', 30);
    expect((await stack.call('/v1/keys/on_plan')).json).toMatchObject({
      limits: { per_minute: 60, per_day: null, per_month: null, burst: 100 },
      utilization: { per_minute: 0.5, per_day: null, per_month: null },
    });
    expect((await stack.call('/v1/keys/with_own')).json.limits).toEqual({
      per_minute: 10,
      per_day: 50,
      per_month: null,
      burst: 100,
    });
  });

  test('an unknown plan is refused and named, also in an import', async () => {
    const refused = await put('/v1/keys/odd', { plan: 'platinum' });
    expect([refused.status, refused.json.errors[0].field]).toEqual([400, 'plan']);
    const body = ['{"key_id":"odd_1","plan":"platinum"}', '{"key_id":"odd_2","plan":"basic"}'].join('\n');
    const headers = { 'Content-Type': 'application/x-ndjson' };
    const { json } = await stack.call('/v1/keys/import', { method: 'POST', body, headers });
    expect(json).toMatchObject({ created: 1, errors: [{ row: 1, field: 'plan' }] });
    expect((await put('/v1/plans/zero', { limits: { per_day: 0 } })).json.errors[0].field).toBe('limits.per_day');
  });

  test('an organization changes its own plans only', async () => {
    const token = tokens.get('acme')!;
    expect((await put('/v1/plans/basic', { limits: { per_minute: 1 } }, token)).json.organization_id).toBe('acme');
    expect((await put('/v1/plans/basic?organization_id=rival', {}, token)).status).toBe(403);
    expect((await stack.call('/v1/keys/on_plan')).json.limits.per_minute).toBe(60);
    const seen = (await stack.call('/v1/plans', { token: tokens.get('rival')! })).json.data;
    expect(seen.map((entry: { organization_id: string }) => entry.organization_id)).toEqual(['']);
    expect((await stack.call('/v1/plans/basic', { method: 'DELETE', token: tokens.get('rival')! })).status).toBe(404);
    expect((await stack.call('/v1/plans/basic', { method: 'DELETE' })).status).toBe(204);
    expect((await stack.call('/v1/keys/on_plan')).json.limits.per_minute).toBeNull();
  });
});
