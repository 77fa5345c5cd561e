import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Route } from '../../api/route.ts';
import { ROUTES } from '../../api/routes/routes.ts';
import type { Scope } from '../../ingest/token.ts';
import { type Stack, startStack } from '../support/stack.ts';

/**
 * Every route × every role. The list of routes is the program's own, so a new route is tried from the day it
 * exists; the expectation is made from the rule, not from what the route answers.
 */
const ROLES: { name: string; request: object | undefined; scopes: Scope[] }[] = [
  { name: 'nobody', request: undefined, scopes: [] },
  { name: 'ingest', request: { scopes: ['ingest'] }, scopes: ['ingest'] },
  { name: 'read', request: { scopes: ['read'] }, scopes: ['read'] },
  { name: 'manage', request: { scopes: ['manage'] }, scopes: ['read', 'manage'] },
  { name: 'admin', request: { scopes: ['admin'] }, scopes: ['ingest', 'read', 'manage', 'admin'] },
  { name: 'expired admin', request: { scopes: ['admin'], expires_at: 'soon' }, scopes: [] },
  { name: 'revoked admin', request: { scopes: ['admin'], revoke: true }, scopes: [] },
];

const CANARY = 'CANARY-of-acme';
let stack: Stack;
const tokens = new Map<string, string>();

beforeAll(async () => {
  stack = await startStack();
  for (const { name, request } of ROLES) if (request) tokens.set(name, await makeToken(name, request));
  for (const organization of ['acme', 'rival']) {
    const token = await stack.token({
      name: organization,
      scopes: ['ingest', 'manage'],
      organization_id: organization,
    });
    tokens.set(organization, token);
    await stack.call(`/v1/keys/${organization}-key`, {
      method: 'PUT',
      token,
      body: { name: organization === 'acme' ? CANARY : 'rival' },
    });
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
  const acme = { method: 'POST', token: tokens.get('acme')! };
  await stack.call('/v1/channels', {
    ...acme,
    body: { name: CANARY, type: 'email', settings: { to: [`${CANARY}@example.com`] } },
  });
  await stack.call('/v1/silences', {
    ...acme,
    body: { ends_at: '2100-01-01T00:00:00Z', starts_at: '2099-12-31T00:00:00Z', reason: CANARY },
  });
  await stack.untilCounted(4);
  await new Promise((resolve) => setTimeout(resolve, 2_100));
});
afterAll(() => stack.stop());

async function makeToken(name: string, request: object & { expires_at?: string; revoke?: boolean }): Promise<string> {
  const { revoke, expires_at, ...rest } = request;
  const body = { name, ...rest, ...(expires_at ? { expires_at: new Date(Date.now() + 1_000).toISOString() } : {}) };
  const { json } = await stack.call('/v1/tokens', { method: 'POST', body });
  if (revoke) await stack.call(`/v1/tokens/${json.id}`, { method: 'DELETE' });
  return json.token;
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
  'POST /v1/tokens': { name: 'made', scopes: ['read'] },
  'POST /v1/session': { token: 'kt_wrong' },
};

function call(route: Route, token: string) {
  const body = BODIES[`${route.method.toUpperCase()} ${route.path}`];
  const path = route.path.replace(':key_id', 'some-key').replace(':id', 'some-id').replace(':name', 'some-name');
  return stack.call(path, { method: route.method.toUpperCase(), token, ...(body ? { body } : {}) });
}

describe.each(ROLES)('$name', ({ name, scopes }) => {
  const guarded = ROUTES.filter((route) => route.scope !== 'none');
  test.each(guarded.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', async (_name, route) => {
    const { status, text } = await call(route, tokens.get(name) ?? '');
    if (scopes.includes(route.scope as Scope)) expect([200, 201, 204, 404]).toContain(status);
    else expect([name, status]).toEqual([name, scopes.length === 0 ? 401 : 403]);
    expect(text).not.toContain('at async');
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
      '/v1/channels',
      '/v1/silences?state=all',
      '/v1/deliveries',
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

test('a wrong token is refused more and more slowly, a right one from another address is not', async () => {
  const wrong = () => stack.call('/v1/keys', { token: `kt_${'z'.repeat(40)}` });
  const statuses = new Set<number>();
  for (let n = 0; n < 310; n++) statuses.add((await wrong()).status);
  expect([...statuses]).toEqual([401, 429]);
});
