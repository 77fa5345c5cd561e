import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Redis } from '../../ingest/redis.ts';
import { connectRedis } from '../../ingest/redis.ts';
import type { EvaluationLane } from '../../workers/alerts/evaluation/evaluation-queue.ts';
import { runSlot, UNSCHEDULED } from '../support/evaluated-stack.ts';
import { type Stack, startStack } from '../support/stack.ts';

const BUCKET_MS = 300_000;
let stack: Stack;
let redis: Redis;
let acme: string;
let rival: string;
let end: number;
let sent: { timestamp: number }[];

const run = (lane: EvaluationLane, nowMs: number) => runSlot(redis, lane, nowMs);

beforeAll(async () => {
  stack = await startStack(UNSCHEDULED);
  redis = await connectRedis(stack.redisUrl, 'worker', () => {});
  acme = await stack.token({ name: 'acme', scopes: ['manage'], organization_id: 'acme' });
  rival = await stack.token({ name: 'rival', scopes: ['manage'], organization_id: 'rival' });
  await stack.call('/v1/keys/orders', {
    method: 'PUT',
    token: acme,
    body: { name: 'Orders', environment: 'production' },
  });
  await stack.call('/v1/keys/leaky', { method: 'PUT', token: rival, body: {} });
  end = Math.floor(Date.now() / BUCKET_MS) * BUCKET_MS - 4 * BUCKET_MS;
  sent = [-2, -1, 0, 1].flatMap((bucket) =>
    Array.from({ length: 100 }, (_, n) => ({
      key_id: 'orders',
      path: '/v1/orders/7',
      status: bucket >= 0 && n % 3 === 0 ? 500 : 200,
      timestamp: end + (bucket - 1) * BUCKET_MS + n * 1_000,
    })),
  );
  await stack.send(sent);
  await stack.untilCounted(sent.length);
  for (const bucket of [0, 1]) await run('buckets', end + bucket * BUCKET_MS + 61_000);
  await stack.call('/v1/keys/leaky/report-leak', { method: 'POST', token: rival, body: { reason: 'seen in public' } });
  await run('limits', Date.now());
});
afterAll(async () => {
  redis.disconnect();
  await stack.stop();
});

const list = async (query = '', token?: string) =>
  (await stack.call(`/v1/alerts${query}`, token ? { token } : {})).json;
const kinds = async (query = '', token?: string) =>
  (await list(query, token)).data.map((alert: { kind: string }) => alert.kind).sort();

describe('GET /v1/alerts', () => {
  test.each([
    ['', ['error_rate', 'key_leaked']],
    ['?key_id=orders', ['error_rate']],
    ['?kind=key_leaked', ['key_leaked']],
    ['?phase=open', ['error_rate', 'key_leaked']],
    ['?phase=resolved', []],
    ['?severity=critical', ['key_leaked']],
    ['?organization_id=acme', ['error_rate']],
    ['?since=2099-01-01', []],
  ])('%s', async (query, expected) => expect(await kinds(query)).toEqual(expected));

  test('says what happened, what was expected and from which history', async () => {
    const { data } = await list('?key_id=orders');
    expect(data[0]).toMatchObject({
      kind: 'error_rate',
      scope: 'server_errors',
      key_id: 'orders',
      organization_id: 'acme',
      environment: 'production',
      phase: 'firing',
      told: true,
      acknowledged: null,
      resolved_at: null,
    });
    expect(data[0].summary).toMatch(/of requests failed with a server error/);
    expect(data[0].evidence).toMatchObject({
      unit: 'ratio',
      baseline: 'the last 28 days',
      contributions: expect.arrayContaining([expect.objectContaining({ dimension: 'status', value: '500' })]),
    });
  });

  test('goes on where a page ended', async () => {
    const first = await list('?limit=1');
    const second = await list(`?limit=1&cursor=${first.next_cursor}`);
    expect(second.data[0].alert_id).not.toBe(first.data[0].alert_id);
    expect(second.next_cursor).toBeNull();
  });

  test('an organization sees its own, a token of one key that key', async () => {
    expect(await kinds('', acme)).toEqual(['error_rate']);
    expect(await kinds('', rival)).toEqual(['key_leaked']);
    const { alert_id: foreign } = (await list('', rival)).data[0];
    expect((await stack.call(`/v1/alerts/${foreign}`, { token: acme })).status).toBe(404);
    expect(
      (await stack.call(`/v1/alerts/${foreign}/acknowledge`, { method: 'POST', token: acme, body: {} })).status,
    ).toBe(404);
    const one = await stack.token({ name: 'one', scopes: ['read'], key_id: 'orders', organization_id: 'acme' });
    expect(await kinds('', one)).toEqual(['error_rate']);
    expect(await kinds('?key_id=leaky', one)).toEqual([]);
  });
});

test('acknowledging: once in the steps, in the audit, and a notice about a key ends with it', async () => {
  const { alert_id: errors } = (await list('?key_id=orders')).data[0];
  const { alert_id: leak } = (await list('?key_id=leaky')).data[0];
  for (let n = 0; n < 2; n++) {
    const { status, json } = await stack.call(`/v1/alerts/${errors}/acknowledge`, {
      method: 'POST',
      token: acme,
      body: { note: 'on it' },
    });
    expect([status, json.phase, json.acknowledged.by !== '']).toEqual([200, 'firing', true]);
  }
  const { json } = await stack.call(`/v1/alerts/${errors}`);
  expect(json.events.map((event: { transition: string }) => event.transition)).toEqual(['opened', 'acknowledged']);
  expect((await stack.call(`/v1/alerts/${leak}/acknowledge`, { method: 'POST', token: rival })).json.phase).toBe(
    'resolved',
  );
  expect((await stack.call(`/v1/alerts/${leak}/acknowledge`, { method: 'POST', token: rival })).status).toBe(200);
  const audit = await stack.store.query<{ subject: string }>(
    "SELECT subject FROM audit WHERE action = 'alert.acknowledged' ORDER BY at",
  );
  expect(audit.map((row) => row.subject)).toEqual([errors, leak]);
});

describe('rules', () => {
  const rule = { name: 'strict', kind: 'error_rate', settings: { min_ratio: 0.01 } };

  test('made, changed and deleted; another organization sees none of it', async () => {
    const made = (await stack.call('/v1/alert-rules', { method: 'POST', token: acme, body: rule })).json;
    expect(made).toMatchObject({ name: 'strict', organization_id: 'acme', source: 'api', enabled: true });
    const path = `/v1/alert-rules/${made.rule_id}`;
    expect((await stack.call(path, { token: rival })).status).toBe(404);
    expect(
      (await stack.call(path, { method: 'PUT', token: acme, body: { ...rule, enabled: false } })).json.enabled,
    ).toBe(false);
    expect((await stack.call('/v1/alert-rules', { token: rival })).json.data).toEqual([]);
    expect((await stack.call(path, { method: 'DELETE', token: acme })).status).toBe(204);
    expect((await stack.call(path, { token: acme })).status).toBe(404);
  });

  test('it stays with its organization unless a token of the platform says otherwise', async () => {
    const made = (await stack.call('/v1/alert-rules', { method: 'POST', token: acme, body: rule })).json;
    const put = async (fields: object) =>
      (await stack.call(`/v1/alert-rules/${made.rule_id}`, { method: 'PUT', body: { ...rule, ...fields } })).json;
    expect(await put({})).toMatchObject({ organization_id: 'acme' });
    expect((await put({ kind: 'platform', settings: {} })).errors[0].field).toBe('organization_id');
    expect((await put({ settings: { min_ratio: 2 } })).detail).toMatch(/^settings\.min_ratio: /);
    expect(await put({ organization_id: '' })).toMatchObject({ organization_id: '' });
    expect(await put({ organization_id: 'rival' })).toMatchObject({ organization_id: 'rival' });
    await stack.call(`/v1/alert-rules/${made.rule_id}`, { method: 'DELETE' });
  });

  test.each([
    [{ ...rule, settings: { min_ratio: 2 } }, /^settings\.min_ratio: /],
    [{ ...rule, settings: { nonsense: 1 } }, /^settings: .*nonsense/],
    [{ ...rule, kind: 'none' }, /^kind: /],
    [{ ...rule, kind: 'platform', organization_id: 'acme', settings: {} }, /^kind: /],
  ])('a bad rule is refused by field: %j', async (body, detail) => {
    const { status, json } = await stack.call('/v1/alert-rules', { method: 'POST', body });
    expect([status, json.detail]).toEqual([400, expect.stringMatching(detail)]);
  });

  test('a file of rules: created, changed, deleted, unchanged; those of the API stay', async () => {
    const made = (await stack.call('/v1/alert-rules', { method: 'POST', body: rule })).json;
    const apply = async (rules: object[]) =>
      (await stack.call('/v1/alert-rules/apply', { method: 'POST', body: { rules } })).json;
    const [a, b] = [
      { name: 'a', kind: 'latency' },
      { name: 'b', kind: 'near_limit', settings: { steps_percent: [50] } },
    ];
    expect(await apply([a, b])).toEqual({ created: 2, updated: 0, deleted: 0, unchanged: 0 });
    expect(await apply([a, b])).toEqual({ created: 0, updated: 0, deleted: 0, unchanged: 2 });
    expect(await apply([{ ...a, enabled: false }])).toEqual({ created: 0, updated: 1, deleted: 1, unchanged: 0 });
    const { data } = (await stack.call('/v1/alert-rules')).json;
    expect(data.map((one: { name: string; source: string }) => `${one.name} ${one.source}`).sort()).toEqual([
      'a file',
      'strict api',
    ]);
    const file = data.find((one: { source: string }) => one.source === 'file');
    expect((await stack.call(`/v1/alert-rules/${file.rule_id}`, { method: 'DELETE' })).status).toBe(409);
    await apply([]);
    await stack.call(`/v1/alert-rules/${made.rule_id}`, { method: 'DELETE' });
  });

  test('preview: how often it would have fired, when and with what; a stricter rule fires less', async () => {
    const preview = async (settings: object, token?: string) =>
      (
        await stack.call('/v1/alert-rules/preview', {
          method: 'POST',
          ...(token && { token }),
          body: { rule: { ...rule, settings }, days: 1 },
        })
      ).json;
    // The same code over the same traffic: it says what was said when it happened.
    const { opened_at: at, severity } = (await list('?key_id=orders')).data[0];
    const alerts = [{ key_id: 'orders', scope: 'server_errors', at, severity }];
    expect(await preview({})).toMatchObject({ fired: 1, keys_looked_at: 1, cut: '', alerts });
    expect(await preview({ min_ratio: 0.9 })).toMatchObject({ fired: 0, alerts: [] });
    expect(await preview({}, rival)).toMatchObject({ fired: 0, keys_in_scope: 0 });
    const leaks = { rule: { name: 'leaks', kind: 'key_leaked' }, days: 1 };
    expect((await stack.call('/v1/alert-rules/preview', { method: 'POST', body: leaks })).json).toMatchObject({
      fired: 1,
      alerts: [{ key_id: 'leaky' }],
    });
    const limits = { rule: { name: 'limits', kind: 'near_limit' }, days: 1 };
    // Soon after midnight they are of two days: the fuller one has used 91 % of the limit.
    const today = sent.filter(({ timestamp }) => timestamp >= end - (end % 86_400_000)).length;
    const per_day = Math.max(today, sent.length - today) * 1.1;
    await stack.call('/v1/keys/orders', {
      method: 'PUT',
      token: acme,
      body: { limits: { per_day: Math.ceil(per_day), per_minute: 1_000 } },
    });
    const { json } = await stack.call('/v1/alert-rules/preview', { method: 'POST', body: limits });
    expect(json.alerts.map((one: { scope: string }) => one.scope)).toContain('day');
  });

  test('test: how a rule judges a key now', async () => {
    const body = { rule, key_id: 'orders' };
    const { json } = await stack.call('/v1/alert-rules/test', { method: 'POST', token: acme, body });
    expect(json.judged.map((one: { scope: string }) => one.scope)).toEqual([
      'server_errors',
      'client_errors',
      'refused',
      'rate_limited',
    ]);
    expect((await stack.call('/v1/alert-rules/test', { method: 'POST', token: rival, body })).status).toBe(404);
  });
});
