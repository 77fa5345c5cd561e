import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INGEST_PATHS } from '../../api/ingest-docs.ts';
import type { Route } from '../../api/route.ts';
import { ROUTES } from '../../api/routes/routes.ts';
import type { Scope } from '../../ingest/token.ts';
import { type Stack, startStack, tokenIn } from '../support/stack.ts';

/**
 * Every route × every kind of token. The list of routes is the program's own, so a new route is tried from the day it
 * exists; the expectation is made from what the route declares (scope, reach), not from what it answers.
 */
const SCOPES_OF: Record<string, Scope[]> = {
  ingest: ['ingest'],
  read: ['read'],
  manage: ['read', 'manage'],
  admin: ['ingest', 'read', 'manage', 'admin'],
};
const FOREIGN_KEY = 'foreign key alone';
const BINDINGS = {
  // Those who must fail come first: what others may delete is still there.
  'foreign organization': { organization_id: 'rival' },
  // As an embedded usage tab gets it: readable in the page of whoever looks at it.
  [FOREIGN_KEY]: { key_id: 'rival-key' },
  'single key': { organization_id: 'acme', key_id: 'acme-discovered' },
  platform: {},
  'own organization': { organization_id: 'acme' },
};
type Binding = keyof typeof BINDINGS;
type State = 'valid' | 'expired' | 'revoked';

interface Role {
  scope: string;
  binding: Binding;
  state: State;
}

const ROLES: Role[] = Object.keys(SCOPES_OF).flatMap((scope) =>
  (Object.keys(BINDINGS) as Binding[]).flatMap((binding) =>
    // What has ended is refused before anybody looks what it is bound to: five bindings of those would show no more than four.
    (binding === FOREIGN_KEY ? (['valid'] as const) : (['valid', 'expired', 'revoked'] as const)).map((state) => ({
      scope,
      binding,
      state,
    })),
  ),
);
const nameOf = ({ scope, binding, state }: Role) => `${state} ${scope} of ${binding}`;

/** Objects that paths name; those of {@link OURS} belong to acme, and are made before the tests. */
const OUR_PARAMS: Record<string, string> = { ':key_id': 'acme-matrix', ':id': 'some-id', ':name': 'our-paths' };
const OURS = [':key_id', ':channel_id', ':silence_id', ':rule_id', ':policy_id'];

/** What a token of this kind must get, by the route's declaration. */
function expected(route: Route, { scope, binding, state }: Role): readonly number[] {
  if (state !== 'valid') return [401];
  if (!SCOPES_OF[scope]!.includes(route.scope as Scope)) return [403];
  if (route.reach === 'platform' && binding !== 'platform') return [403];
  const isOneKey = binding === 'single key' || binding === FOREIGN_KEY;
  if (route.reach === 'organization' && isOneKey) return [403];
  // A list whose every row names a key of somebody else is refused as a whole.
  if (route.path === '/v1/keys/import') return [200, 400];
  const namesOurs = OURS.some((name) => route.path.includes(name));
  // Our channel is one of e-mail, which signs nothing.
  if (route.path.endsWith('/rotate-secret') && binding !== 'foreign organization') return [409, 404];
  if (namesOurs && binding !== 'platform' && binding !== 'own organization') return [404];
  // What was found is shown or changed. Actions may find nothing to do, and of several deletions one finds the object.
  return namesOurs && ['get', 'put'].includes(route.method) ? [200] : [200, 201, 204, 404];
}

const CANARY = 'CANARY-of-acme';
let stack: Stack;
const tokens = new Map<string, string>();

beforeAll(async () => {
  stack = await startStack({ TRUSTED_PROXIES: '127.0.0.1' });
  for (const role of ROLES) tokens.set(nameOf(role), await makeToken(role));
  for (const organization of ['acme', 'rival']) {
    const token = await stack.token({
      name: organization,
      scopes: ['ingest', 'manage'],
      organization_id: organization,
    });
    tokens.set(organization, token);
    for (const key of [`${organization}-key`, ...(organization === 'acme' ? ['acme-matrix', 'imported'] : [])]) {
      await stack.call(`/v1/keys/${key}`, {
        method: 'PUT',
        token,
        body: { name: organization === 'acme' ? CANARY : 'rival' },
      });
    }
    await stack.send(
      [
        {
          key_id: `${organization}-key`,
          status: 200,
          path: '/a',
          service: organization === 'acme' ? CANARY : 'r',
          user_agent: organization === 'acme' ? CANARY : 'r',
        },
        { key_id: `${organization}-discovered`, status: 200, path: `/${organization === 'acme' ? CANARY : 'r'}` },
      ],
      { token },
    );
  }
  tokens.set(
    'one key of acme',
    await stack.token({ name: 'one', scopes: ['read'], key_id: 'acme-discovered', organization_id: 'acme' }),
  );
  const email = { type: 'email', settings: { to: [`${CANARY}@example.com`] } };
  await make(':channel_id', '/v1/channels', { name: CANARY, ...email });
  const never = { ends_at: '2100-01-01T00:00:00Z', starts_at: '2099-12-31T00:00:00Z' };
  await make(':silence_id', '/v1/silences', { ...never, reason: CANARY });
  await make(':rule_id', '/v1/alert-rules', { name: CANARY, kind: 'error_rate' });
  await make(':policy_id', '/v1/policies', { name: CANARY, kind: 'leaked' });
  const plan = { description: CANARY, limits: { per_day: 7 } };
  await stack.call('/v1/plans/gold', { method: 'PUT', token: tokens.get('acme')!, body: plan });
  await stack.untilCounted(4);
  await new Promise((resolve) => setTimeout(resolve, 2_100));
});
afterAll(() => stack.stop());

async function make(param: string, path: string, body: object): Promise<void> {
  const { status, json } = await stack.call(path, { method: 'POST', token: tokens.get('acme')!, body });
  expect(status, path).toBeLessThan(300);
  OUR_PARAMS[param] = json[param.slice(1)];
  expect(OUR_PARAMS[param], path).toEqual(expect.any(String));
}

async function makeToken({ scope, binding, state }: Role): Promise<string> {
  const body = { name: 'matrix', scopes: [scope], ...BINDINGS[binding] };
  const made = await stack.call('/v1/tokens', { method: 'POST', body });
  const path = `/v1/tokens/${made.json.id}`;
  if (state === 'revoked') expect((await stack.call(path, { method: 'DELETE' })).status).toBe(204);
  if (state === 'expired') await endNow(path);
  return tokenIn(made);
}

/** Whatever time that takes: a token cannot be made expired. */
async function endNow(path: string): Promise<void> {
  const { status } = await stack.call(`${path}/rotate`, { method: 'POST', body: { overlap_seconds: 0 } });
  expect(status).toBe(200);
}

const BODIES: Record<string, object> = {
  'PUT /v1/keys/:key_id': { name: 'changed' },
  'POST /v1/keys/:key_id/deactivate': { reason: 'test' },
  'POST /v1/keys/:key_id/reactivate': {},
  'POST /v1/keys/:key_id/regenerate': { sha256: 'a'.repeat(64) },
  'PUT /v1/api-descriptions/:name': { openapi: '3.1.0', paths: { '/a': { get: {} } } },
  'POST /v1/keys/:key_id/report-leak': { reason: 'test' },
  'POST /v1/keys/import': { key_id: 'imported' },
  'PUT /v1/plans/:plan': {},
  'POST /v1/policies': { name: 'leaks', kind: 'leaked' },
  'POST /v1/policies/preview': { name: 'leaks', kind: 'leaked' },
  'PUT /v1/policies/:policy_id': { name: 'leaks', kind: 'leaked' },
  'POST /v1/channels': { name: 'team', type: 'email', settings: { to: ['team@example.com'] } },
  'PUT /v1/channels/:channel_id': { name: 'team', type: 'email' },
  'POST /v1/silences': { ends_at: '2100-01-01T00:00:00Z', starts_at: '2099-12-31T00:00:00Z', reason: 'test' },
  'POST /v1/deliveries/replay': { since: '2100-01-01T00:00:00Z' },
  'POST /v1/alert-rules': { name: 'errors', kind: 'error_rate' },
  'PUT /v1/alert-rules/:rule_id': { name: 'errors', kind: 'error_rate' },
  'POST /v1/alert-rules/preview': { rule: { name: 'errors', kind: 'error_rate' }, days: 1 },
  'POST /v1/alert-rules/test': { rule: { name: 'errors', kind: 'error_rate' }, key_id: 'some-key' },
  'POST /v1/alert-rules/apply': { rules: [] },
  'POST /v1/tokens/:id/rotate': {},
  'POST /v1/tokens': { name: 'made', scopes: ['read'] },
  'POST /v1/session': { token: 'kt_wrong' },
};

/** Each call from an address of its own: hundreds of refused tokens from one would be slowed down. */
let address = 0;

function call(route: Route, token: string) {
  const body = BODIES[`${route.method.toUpperCase()} ${route.path}`];
  const path = route.path.replaceAll(/:\w+/g, (name) => OUR_PARAMS[name] ?? 'some-id');
  const headers = { 'X-Forwarded-For': `10.${address >> 16}.${(address >> 8) & 255}.${address++ & 255}` };
  return stack.call(path, { method: route.method.toUpperCase(), token, headers, ...(body ? { body } : {}) });
}

describe('every route × every scope × every binding × every state', () => {
  // Deletions last: what they delete is what the others are tried with.
  const guarded = ROUTES.filter((route) => route.scope !== 'none').sort(
    (a, b) => Number(a.method === 'delete') - Number(b.method === 'delete'),
  );
  test.each(guarded.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', async (_name, route) => {
    expect((await call(route, '')).status).toBe(401);
    for (const role of ROLES) {
      const { status, text } = await call(route, tokens.get(nameOf(role))!);
      const wanted = expected(route, role);
      expect({ role: nameOf(role), status: wanted.includes(status) ? wanted : status }).toEqual({
        role: nameOf(role),
        status: wanted,
      });
      expect(text).not.toContain('at async');
      if (role.binding.startsWith('foreign')) expect(text, nameOf(role)).not.toMatch(/CANARY|acme/);
    }
  });

  test('how many that is', () => {
    console.info(
      `${guarded.length} routes × ${ROLES.length + 1} kinds of token = ${guarded.length * (ROLES.length + 1)} calls`,
    );
    expect(ROLES.length).toBe(4 * (4 * 3 + 1));
  });

  test('a route whose path names something of ours is tried with it', () => {
    const names = new Set(ROUTES.flatMap(({ path }) => path.match(/:\w+/g) ?? []));
    // Add what a new parameter names to OUR_PARAMS, or here when nothing of ours has such a name.
    const nothingOfOurs = [':run_id', ':plan', ':token', ':alert_id', ':delivery_id'];
    expect([...names].filter((name) => !(name in OUR_PARAMS) && !nothingOfOurs.includes(name))).toEqual([]);
  });
});

describe('the collector', () => {
  const paths = Object.keys(INGEST_PATHS).map((path) => path.replace('{format}', 'kong'));
  test.each(paths)('%s takes ingest and admin tokens, and no others', async (path) => {
    expect((await stack.call(path, { method: 'POST', token: '', body: [] })).status).toBe(401);
    for (const role of ROLES) {
      const token = tokens.get(nameOf(role))!;
      const headers = { 'X-Forwarded-For': `10.9.${(address >> 8) & 255}.${address++ & 255}` };
      const { status } = await stack.call(path, { method: 'POST', token, headers, body: [{ status: 'bad' }] });
      const mayReport = SCOPES_OF[role.scope]!.includes('ingest');
      const wanted = role.state !== 'valid' ? [401] : mayReport ? [200, 202, 400] : [403];
      expect({ role: nameOf(role), ok: wanted.includes(status), status }).toMatchObject({
        role: nameOf(role),
        ok: true,
      });
    }
  });
});

test('the routes that are open to everyone are these and no others', () => {
  const open = ROUTES.filter((route) => route.scope === 'none').map((route) => `${route.method} ${route.path}`);
  expect(open).toEqual([
    'post /v1/leaks',
    'get /v1/actions/:token',
    'post /v1/actions/:token',
    'post /v1/session',
    'delete /v1/session',
  ]);
});

describe('a foreign organization', () => {
  test('reads everything it can reach and finds no byte of ours', async () => {
    const token = tokens.get('rival')!;
    const paths = [
      '/v1/keys',
      '/v1/keys?search=acme',
      '/v1/keys?sort=-total_requests&limit=500',
      '/v1/keys/acme-key',
      '/v1/keys/acme-discovered',
      '/v1/keys/acme-key/usage',
      '/v1/requests',
      '/v1/requests?key_id=acme-key',
      '/v1/requests?key_id=acme-discovered',
      '/v1/session',
      '/v1/audit',
      '/v1/audit?search=acme',
      '/v1/sources',
      '/v1/keys?include=series',
      '/v1/usage?include=series',
      '/v1/channels',
      '/v1/silences?state=all',
      '/v1/deliveries',
      '/v1/plans',
      ...[
        'organization_id',
        'customer_id',
        'key_id',
        'service',
        'environment',
        'country',
        'route',
        'status',
        'plan',
      ].map((group) => `/v1/usage?group_by=${group}`),
    ];
    for (const path of paths) {
      for (const Accept of ['application/json', 'text/csv', 'application/x-ndjson']) {
        const { text } = await stack.call(path, { token, headers: { Accept } });
        expect(text, path).not.toMatch(/CANARY|acme/);
      }
    }
    expect((await stack.call('/v1/usage?group_by=service&organization_id=acme', { token })).status).toBe(403);
    expect((await stack.call('/v1/keys?organization_id=acme', { token })).status).toBe(403);
  });

  test('sees its own keys, registered and discovered', async () => {
    const { json } = await stack.call('/v1/keys?sort=key_id', { token: tokens.get('rival')! });
    expect(json.data.map((key: { key_id: string; status: string }) => [key.key_id, key.status])).toEqual([
      ['rival-discovered', 'discovered'],
      ['rival-key', 'active'],
    ]);
  });

  test('cannot change or claim a key of ours', async () => {
    for (const key of ['acme-key', 'acme-discovered']) {
      const { status } = await stack.call(`/v1/keys/${key}`, {
        method: 'PUT',
        token: tokens.get('rival')!,
        body: { name: 'taken' },
      });
      expect(status).toBe(404);
    }
  });

  test('a token of one key sees that key only', async () => {
    const token = tokens.get('one key of acme')!;
    const { json } = await stack.call('/v1/keys', { token });
    expect(json.data.map((key: { key_id: string }) => key.key_id)).toEqual(['acme-discovered']);
    expect((await stack.call('/v1/keys/acme-key', { token })).status).toBe(404);
    expect((await stack.call('/v1/keys/acme-key/usage', { token })).status).toBe(404);
    expect((await stack.call('/v1/requests?key_id=acme-key', { token })).status).toBe(404);
    const usage = await stack.call('/v1/usage?group_by=key_id', { token });
    expect(usage.json.data.map((row: { group: string }) => row.group)).toEqual(['acme-discovered']);
  });
});

test('an address that presents a wrong token again and again is slowed down; neither a right one nor another address is', async () => {
  const statusWith = async (token: string, address: string) =>
    (await stack.call('/v1/keys', { token, headers: { 'X-Forwarded-For': address } })).status;
  const [wrong, right] = [`kt_${'z'.repeat(40)}`, tokens.get('acme')!];
  const statuses = new Set<number>();
  for (let n = 0; n < 310; n++) statuses.add(await statusWith(wrong, '192.0.2.1'));
  expect([...statuses]).toEqual([401, 429]);
  expect([await statusWith(right, '192.0.2.1'), await statusWith(right, '192.0.2.2')]).toEqual([200, 200]);
  expect(await statusWith(wrong, '192.0.2.2')).toBe(401);
});
