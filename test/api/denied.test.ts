import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';

const sha = (text: string) => createHash('sha256').update(text).digest('hex');
let stack: Stack;
const tokens = new Map<string, string>();

beforeAll(async () => {
  stack = await startStack();
  for (const organization of ['acme', 'rival']) {
    const token = await stack.token({ name: organization, scopes: ['manage'], organization_id: organization });
    tokens.set(organization, token);
    for (const name of ['one', 'two', 'three']) {
      const keyId = `${organization}_${name}`;
      await stack.call(`/v1/keys/${keyId}`, { method: 'PUT', token, body: { sha256: sha(keyId) } });
    }
  }
});
afterAll(() => stack.stop());

const deactivate = (keyId: string) =>
  stack.call(`/v1/keys/${keyId}/deactivate`, { method: 'POST', body: { reason: 'test' } });
const reactivate = (keyId: string) => stack.call(`/v1/keys/${keyId}/reactivate`, { method: 'POST', body: {} });
const denied = (token?: string, etag?: string, wait = 0) =>
  stack.call(`/v1/keys/denied?wait=${wait}`, {
    ...(token ? { token } : {}),
    ...(etag ? { headers: { 'If-None-Match': etag } } : {}),
  });
const idsOf = (answer: { json: { data: { key_id: string }[] } }) => answer.json.data.map((key) => key.key_id);

test('inactive, expired and deleted keys with their hashes; each organization its own', async () => {
  expect((await denied()).json).toEqual({ data: [], next_cursor: null });
  await deactivate('acme_one');
  await stack.call('/v1/keys/acme_two', { method: 'DELETE' });
  await stack.call('/v1/keys/acme_three', {
    method: 'PUT',
    body: { expires_at: new Date(Date.now() + 300).toISOString() },
  });
  await expect.poll(async () => idsOf(await denied())).toEqual(['acme_one', 'acme_three', 'acme_two']);
  await deactivate('rival_one');
  expect((await denied(tokens.get('acme'))).json.data).toEqual([
    { key_id: 'acme_one', sha256: sha('acme_one'), status: 'inactive' },
    { key_id: 'acme_three', sha256: sha('acme_three'), status: 'expired' },
    { key_id: 'acme_two', sha256: sha('acme_two'), status: 'deleted' },
  ]);
  expect(idsOf(await denied(tokens.get('rival')))).toEqual(['rival_one']);
});

test('a hash that a deleted key gave up and a live key has is not denied', async () => {
  await stack.call('/v1/keys/acme_new', { method: 'PUT', body: { organization_id: 'acme', sha256: sha('acme_two') } });
  const { json } = await denied(tokens.get('acme'));
  expect(json.data.find((key: { key_id: string }) => key.key_id === 'acme_two').sha256).toBeNull();
});

test('the ETag answers 304 until the list changes, and comes back with the list', async () => {
  const token = tokens.get('rival');
  const first = await denied(token);
  const etag = first.headers.get('etag')!;
  expect(await denied(token, etag)).toMatchObject({ status: 304, text: '' });
  await deactivate('acme_new');
  expect((await denied(token, etag)).status).toBe(304);
  await deactivate('rival_two');
  expect((await denied(token, etag)).status).toBe(200);
  await reactivate('rival_two');
  expect((await denied(token, etag)).status).toBe(304);
});

test('long polling: woken, not timed out, by changes of the own organization only', async () => {
  const token = tokens.get('rival');
  const etag = (await denied(token)).headers.get('etag')!;
  const waiting = denied(token, etag, 20);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await reactivate('acme_new');
  await new Promise((resolve) => setTimeout(resolve, 300));
  const startedAt = Date.now();
  await deactivate('rival_three');
  const answer = await waiting;
  console.log(`a waiting gateway knows ${Date.now() - startedAt} ms after the request to deactivate`);
  // When the time is over before anything changed the answer is 304.
  expect(answer.status).toBe(200);
  expect(idsOf(answer)).toEqual(['rival_one', 'rival_three']);
});

test('two hundred gateways wait, all are told of the change', async () => {
  const etag = (await denied()).headers.get('etag')!;
  const waiting = Array.from({ length: 200 }, () => denied(undefined, etag, 20));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await reactivate('rival_three');
  const changedAt = Date.now();
  const told = await Promise.all(waiting);
  console.log(`200 waiting gateways: the last knows after ${Date.now() - changedAt} ms`);
  const whatTheyKnow = told.map((answer) => [answer.status, answer.status === 200 && idsOf(answer)]);
  const [list] = whatTheyKnow;
  expect(list).toEqual([200, expect.not.arrayContaining(['rival_three'])]);
  expect(whatTheyKnow).toEqual(told.map(() => list));
});

test('nothing changes: 304 when the time is over', async () => {
  const etag = (await denied()).headers.get('etag')!;
  const startedAt = Date.now();
  expect((await denied(undefined, etag, 1)).status).toBe(304);
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_000);
  expect((await denied(undefined, etag, 26)).status).toBe(400);
});
