import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
const tokens = new Map<string, string>();
beforeAll(async () => {
  stack = await startStack();
  for (const name of ['acme', 'rival']) {
    const token = await stack.token({ name, scopes: ['ingest', 'manage', 'read'], organization_id: name });
    tokens.set(name, token);
  }
});
afterAll(() => stack.stop());

/** As an organization, or as the platform. */
const as = (name: string) => (name === 'platform' ? {} : { token: tokens.get(name)! });
let sent = 0;
async function report(by: string, key_id: string): Promise<void> {
  await stack.send([{ key_id, status: 200, path: '/secret' }], as(by));
  await stack.untilCounted(++sent);
}
const ownerSeenBy = async (by: string, key: string) => {
  const { status, json } = await stack.call(`/v1/keys/${key}`, as(by));
  return status === 200 ? (json.organization_id ?? '') : status;
};
async function readsNothingOf(by: string, key: string): Promise<void> {
  const one = await stack.call(`/v1/keys/${key}`, as(by));
  const usage = await stack.call(`/v1/keys/${key}/usage`, as(by));
  expect([one.status, usage.status]).toEqual([404, 404]);
  expect((await stack.call(`/v1/requests?key_id=${key}`, as(by))).json.data).toEqual([]);
  const lists = ['/v1/keys', '/v1/usage?group_by=key_id', '/v1/requests'];
  for (const path of lists) expect((await stack.call(path, as(by))).text, path).not.toContain(key);
  expect((await stack.call(`/v1/keys/${key}`, { method: 'PUT', body: {}, ...as(by) })).status).toBe(404);
}
const put = (key: string, body: object) => stack.call(`/v1/keys/${key}`, { method: 'PUT', body });

test('a record of its own does not give an organization a key that the platform’s gateway reports', async () => {
  await report('platform', 'theirs');
  await report('rival', 'theirs');
  await readsNothingOf('rival', 'theirs');
  expect(await ownerSeenBy('platform', 'theirs')).toBe('');
});

test('nor does naming it before the gateway does', async () => {
  await report('rival', 'foretold');
  expect(await ownerSeenBy('rival', 'foretold')).toBe('rival');
  await report('platform', 'foretold');
  await readsNothingOf('rival', 'foretold');
});

test('nor when both report it in one batch', async () => {
  const at = new Date().toISOString();
  const row = {
    timestamp: at,
    received_at: at,
    key_id: 'together',
    status: 200,
    path: '/secret',
    batch_id: 'together',
  };
  await stack.store.insertRows('requests', [row, { ...row, organization_id: 'rival' }]);
  sent += 2;
  await readsNothingOf('rival', 'together');
  expect((await stack.call('/v1/keys/together')).json).toMatchObject({ organization_id: '', total_requests: 2 });
});

test('nor in an import, a leak report or a policy’s scope', async () => {
  const { json } = await stack.call('/v1/keys/import', {
    method: 'POST',
    body: '{"key_id":"theirs","name":"mine"}\n',
    headers: { 'Content-Type': 'application/x-ndjson' },
    ...as('rival'),
  });
  expect(json).toMatchObject({ created: 0, updated: 0 });
  expect(
    (await stack.call('/v1/keys/theirs/deactivate', { method: 'POST', body: { reason: 'x' }, ...as('rival') })).status,
  ).toBe(404);
});

test('a registered key of no organization takes no records of an organization', async () => {
  await put('platform-own', { name: 'own' });
  const { status, text } = await stack.call('/v1/requests', {
    method: 'POST',
    body: [{ key_id: 'platform-own', status: 401 }],
    ...as('rival'),
  });
  expect([status, text]).toEqual([400, expect.stringContaining('key_id')]);
});

test('a key that an organization uses stays its own when the platform registers it without a word about whose it is', async () => {
  await report('acme', 'used');
  await report('acme', 'imported');
  const body = { description: 'of acme', limits: { per_day: 7 } };
  await stack.call('/v1/plans/inhouse', { method: 'PUT', body, ...as('acme') });
  // Its plans are those of that organization.
  expect((await put('used', { name: 'used', plan: 'inhouse' })).json).toMatchObject({
    organization_id: 'acme',
    plan: 'inhouse',
  });
  await stack.call('/v1/keys/import', {
    method: 'POST',
    body: '{"key_id":"imported","name":"imported"}\n',
    headers: { 'Content-Type': 'application/x-ndjson' },
  });
  for (const key of ['used', 'imported']) expect(await ownerSeenBy('acme', key), key).toBe('acme');
  await report('acme', 'used');
});

test('and passes to the platform when it is said to be nobody’s', async () => {
  expect((await put('used', { organization_id: '' })).json.organization_id).toBe('');
  expect(await ownerSeenBy('acme', 'used')).toBe(404);
});
