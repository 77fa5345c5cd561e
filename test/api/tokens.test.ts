import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectRedis } from '../../ingest/redis.ts';
import { newToken, sha256, TOKENS_KEY } from '../../ingest/token.ts';
import { ApiDescriptions } from '../../workers/api-descriptions.ts';
import { Tokens } from '../../workers/tokens.ts';
import { heldInserts } from '../support/held-inserts.ts';
import { startPart } from '../support/process.ts';
import { ADMIN_TOKEN, httpCall, type Stack, startStack } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ KEY_SWEEP_CRON: '* * * * * *' });
});
afterAll(() => stack.stop());

/** A changed token is known everywhere after this. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 2_100));
const make = async (body: object) => (await stack.call('/v1/tokens', { method: 'POST', body })).json;
const entryOf = async (id: string) =>
  (await stack.call('/v1/tokens')).json.data.find((entry: { id: string }) => entry.id === id);
const statusWith = async (token: string) => (await stack.call('/v1/keys', { token })).status;

test('rotation: the new token has the same rights, the old one ends with the overlap', async () => {
  const old = await make({ name: 'gateway', scopes: ['read'], organization_id: 'acme' });
  const { json, status } = await stack.call(`/v1/tokens/${old.id}/rotate`, {
    method: 'POST',
    body: { overlap_seconds: 60 },
  });
  expect(status).toBe(200);
  expect(await entryOf(json.id)).toMatchObject({
    name: 'gateway',
    scopes: ['read'],
    organization_id: 'acme',
    expires_at: null,
  });
  expect((await entryOf(old.id)).expires_at).toBe(json.old_expires_at);
  expect(Date.parse(json.old_expires_at) - Date.now()).toBeLessThanOrEqual(60_000);
  expect([await statusWith(json.token), await statusWith(old.token)]).toEqual([200, 200]);
  const audit = await stack.store.query<{ action: string; after: string }>(
    "SELECT action, after FROM audit WHERE subject = {id:String} AND action = 'token.rotated'",
    { id: old.id },
  );
  expect(audit.length).toBe(1);
  expect(JSON.stringify(audit)).not.toContain(json.token);
});

test('rotation without overlap ends the old token at once, and never lengthens its life', async () => {
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const old = await make({ name: 'short', scopes: ['read'], expires_at: soon });
  const { json } = await stack.call(`/v1/tokens/${old.id}/rotate`, {
    method: 'POST',
    body: { overlap_seconds: 86_400 },
  });
  expect(json.old_expires_at).toBe(soon);
  const { json: next } = await stack.call(`/v1/tokens/${json.id}/rotate`, {
    method: 'POST',
    body: { overlap_seconds: 0 },
  });
  await settle();
  expect([await statusWith(next.token), await statusWith(json.token)]).toEqual([200, 401]);
  expect((await stack.call(`/v1/tokens/${json.id}/rotate`, { method: 'POST', body: {} })).status).toBe(404);
});

test('a token is rotated once: a second successor would end with it; the first one can be rotated', async () => {
  const old = await make({ name: 'gateway', scopes: ['read'] });
  const rotate = (id: string) => stack.call(`/v1/tokens/${id}/rotate`, { method: 'POST', body: {} });
  const { json: lost } = await rotate(old.id);
  expect(lost.expires_at).toBe(null);
  const again = await rotate(old.id);
  expect([again.status, again.json.detail]).toEqual([409, expect.stringContaining(lost.id)]);
  const { json: next } = await rotate(lost.id);
  expect(next.expires_at).toBe(null);
  expect((await entryOf(next.id)).expires_at).toBe(null);
  // Without its successor the old token can be rotated again.
  const other = await make({ name: 'gateway', scopes: ['read'] });
  await stack.call(`/v1/tokens/${(await rotate(other.id)).json.id}`, { method: 'DELETE' });
  expect((await rotate(other.id)).status).toBe(200);
});

test('a token that would have ended already is refused, and its field named', async () => {
  const body = { name: 'late', scopes: ['read'], expires_at: '2026-01-01T00:00:00Z' };
  const { status, json } = await stack.call('/v1/tokens', { method: 'POST', body });
  expect([status, json.errors?.[0]?.field]).toEqual([400, 'expires_at']);
});

test('Redis comes back empty: 503 for unknown tokens until a worker has filled it again, by itself', async () => {
  const { token } = await make({ name: 'gateway', scopes: ['read'] });
  const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
  const unknown = newToken();
  // As if a worker were at it all the time.
  await redis.multi().flushall().set('{keytally}:index:lock', 'test').exec();
  await settle();
  const answer = await stack.call('/v1/keys', { token: unknown });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  // The sweep may have brought it back already.
  expect(await statusWith(token)).not.toBe(401);
  await redis.del('{keytally}:index:lock');
  await expect.poll(() => statusWith(unknown)).toBe(401);
  expect(await statusWith(token)).toBe(200);
  redis.disconnect();
});

test('a failover loses the last second: the sweep takes a revoked token out again and puts a new one in', async () => {
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const [revoked, made] = [
    await make({ name: 'revoked', scopes: ['read'], expires_at: expires }),
    await make({ name: 'made', scopes: ['read'], expires_at: expires }),
  ];
  const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
  const lost = (await redis.hget(TOKENS_KEY, sha256(revoked.token)))!;
  await stack.call(`/v1/tokens/${revoked.id}`, { method: 'DELETE' });
  await redis.hset(TOKENS_KEY, sha256(revoked.token), lost);
  await redis.hdel(TOKENS_KEY, sha256(made.token));
  await expect
    .poll(() => redis.hmget(TOKENS_KEY, sha256(revoked.token), sha256(made.token)))
    .toEqual([null, expect.stringContaining(made.id)]);
  expect(await new Tokens(stack.store, redis).reconcile()).toBe(0);
  redis.disconnect();
});

test('a clock that stepped back: a revoked token stays revoked, a changed description changed', async () => {
  const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
  const [tokens, descriptions] = [new Tokens(stack.store, redis), new ApiDescriptions(stack.store, redis)];
  const { id } = await make({ name: 'revoked', scopes: ['read'] });
  const paths = (path: string) => ({ openapi: '3.1.0', paths: { [path]: { get: {} } } });
  await descriptions.put('stepped', 'api', paths('/before'));
  vi.setSystemTime(Date.now() - 3_600_000);
  try {
    await tokens.revoke(id);
    await descriptions.put('stepped', 'api', paths('/after'));
  } finally {
    vi.useRealTimers();
  }
  expect((await tokens.list()).map((entry) => entry.id)).not.toContain(id);
  expect((await descriptions.list('stepped'))[0]!.endpoints).toMatchObject([{ template: '/after' }]);
  redis.disconnect();
});

test('a token that is revoked while it is rotated is revoked; two rotations at once make one successor', async () => {
  const redis = await connectRedis(stack.redisUrl, 'producer', () => {});
  const { store: slow, arrived, letThrough } = heldInserts(stack.store, 'tokens');
  const { id, token } = await make({ name: 'busy', scopes: ['read'] });
  const rotation = new Tokens(slow, redis).rotate(id, 60_000);
  await arrived;
  const tokens = new Tokens(stack.store, redis);
  const revocation = tokens.revoke(id);
  letThrough();
  const successor = (await rotation)!.grant.id;
  expect(await revocation).toMatchObject({ id });
  expect((await tokens.list()).map((entry) => entry.id)).not.toContain(id);
  expect(await redis.hget(TOKENS_KEY, sha256(token))).toBeNull();
  const both = await Promise.allSettled([tokens.rotate(successor, 60_000), tokens.rotate(successor, 60_000)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  redis.disconnect();
});

test('an organization’s auditor sees that its token was made, rotated and revoked', async () => {
  const { id } = await make({ name: 'audited', scopes: ['read'], organization_id: 'acme' });
  await stack.call(`/v1/tokens/${id}/rotate`, { method: 'POST', body: {} });
  await stack.call(`/v1/tokens/${id}`, { method: 'DELETE' });
  const auditor = await make({ name: 'auditor', scopes: ['read', 'manage', 'admin'], organization_id: 'acme' });
  const { json } = await stack.call('/v1/audit', { token: auditor.token });
  const about = json.data.filter((entry: { subject: string }) => entry.subject === id);
  expect(about.map((entry: { action: string }) => entry.action).sort()).toEqual([
    'token.created',
    'token.revoked',
    'token.rotated',
  ]);
});

test('a token that people sign in with was used', async () => {
  const { id, token } = await make({ name: 'person', scopes: ['read'] });
  const login = await stack.call('/v1/session', { method: 'POST', token: '', body: { token } });
  expect(login.status).toBe(204);
  await expect.poll(async () => (await entryOf(id)).last_used_at).not.toBe(null);
});

test('the time of the last use is told, of reading and of reporting', async () => {
  const reader = await make({ name: 'reader', scopes: ['read'] });
  const reporter = await make({ name: 'reporter', scopes: ['ingest'] });
  expect(await entryOf(reader.id)).toMatchObject({ last_used_at: null });
  const before = Date.now();
  await statusWith(reader.token);
  await stack.send([{ key_id: 'k', status: 200 }], { token: reporter.token });
  for (const { id } of [reader, reporter]) {
    const used = Date.parse((await entryOf(id)).last_used_at);
    expect(used >= before && used <= Date.now()).toBe(true);
  }
  await statusWith(`kt_${'9'.repeat(40)}`);
  expect((await stack.call('/v1/tokens')).text).not.toContain(reader.token);
});

test('nothing secret is logged, at any level: tokens, cookies, passwords, raw keys', async () => {
  const planted = {
    KEYTALLY_ADMIN_TOKEN: ADMIN_TOKEN,
    SMTP_URL: 'smtp://mailer:CANARYpassword1@127.0.0.1:1',
  };
  const program = await startPart('start', { KEYTALLY_DATA_DIR: tempFolder(), LOG_LEVEL: 'trace', ...planted });
  const call = (path: string, options: Parameters<typeof httpCall>[1] = {}) =>
    httpCall(`${program.url}${path}`, options);
  const { json } = await call('/v1/tokens', { method: 'POST', body: { name: 'x', scopes: ['admin'] } });
  const login = await call('/v1/session', { method: 'POST', token: '', body: { token: json.token } });
  const cookie = /keytally_session=([^;]+)/.exec(login.headers.get('set-cookie')!)![1]!;
  const headers = { Cookie: `keytally_session=${cookie}` };
  await call('/v1/session', { token: '', headers });
  for (const token of [json.token, `${json.token}x`, 'CANARYwrongtoken']) await call('/v1/keys', { token });
  const raw = 'CANARYrawkey-0123456789abcdef';
  const record = { key: raw, status: 200, path: `/a?token=${raw}`, error: `Bearer ${json.token}` };
  await call('/v1/requests', { method: 'POST', body: [record, { key: raw, status: 'bad' }] });
  await call('/v1/requests', { method: 'POST', body: `{"key":"${raw}` });
  await call('/v1/session', { method: 'POST', token: '', body: { token: `${raw}` } });
  await call('/v1/nowhere', { headers: { 'X-Api-Key': raw } });
  program.child.kill('SIGTERM');
  await program.exited;
  const log = program.log();
  expect(log).toContain('"msg":"ready"');
  for (const secret of [ADMIN_TOKEN, json.token, cookie, raw, 'CANARY']) expect(log).not.toContain(secret);
});
