import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_TOKEN, type Answer, type Stack, startStack } from '../support/stack.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
const sha = (text: string) => createHash('sha256').update(text).digest('hex');

let stack: Stack;
const tokens = new Map<string, string>();

beforeAll(async () => {
  stack = await startStack();
  for (const organization of ['acme', 'rival']) {
    const scopes = ['ingest', 'manage'];
    tokens.set(organization, await stack.token({ name: organization, scopes, organization_id: organization }));
  }
});
afterAll(() => stack.stop());

const put = (keyId: string, body: object, token = tokens.get('acme')!) =>
  stack.call(`/v1/keys/${keyId}`, { method: 'PUT', token, body });
const post = (keyId: string, verb: string, body: object, token = tokens.get('acme')!) =>
  stack.call(`/v1/keys/${keyId}/${verb}`, { method: 'POST', token, body });
const remove = (keyId: string, token = tokens.get('acme')!) =>
  stack.call(`/v1/keys/${keyId}?reason=offboarded`, { method: 'DELETE', token });

async function audit(keyId: string): Promise<string[]> {
  const rows = await stack.store.query<{ action: string }>(
    'SELECT action FROM audit WHERE subject = {key_id:String} ORDER BY version',
    { key_id: keyId },
  );
  return rows.map((row) => row.action);
}

async function events(keyId: string): Promise<string[]> {
  const rows = await stack.store.query<{ type: string }>(
    'SELECT type FROM key_events WHERE key_id = {key_id:String} ORDER BY at',
    { key_id: keyId },
  );
  return rows.map((row) => row.type);
}

const errorField = (answer: Answer) => [answer.status, answer.json.errors?.[0]?.field];

describe('deactivate and reactivate', () => {
  test('each leaves one audit row and one event, a repeat leaves none', async () => {
    await put('walk', { name: 'Walk' });
    for (let n = 0; n < 2; n++) {
      const { json } = await post('walk', 'deactivate', { reason: 'left the company' });
      expect(json).toMatchObject({ status: 'inactive', status_reason: 'left the company', version: 2 });
    }
    for (let n = 0; n < 2; n++) {
      expect((await post('walk', 'reactivate', {})).json).toMatchObject({ status: 'active', status_reason: '' });
    }
    expect(await audit('walk')).toEqual(['key.registered', 'key.deactivated', 'key.reactivated']);
    expect(await events('walk')).toEqual(['key.deactivated', 'key.reactivated']);
  });

  test('many at once: one changes the key, all are told how it stands', async () => {
    await put('crowd', { name: 'Crowd' });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => post('crowd', 'deactivate', { reason: `${n}` })),
    );
    for (const answer of answers) expect([200, 409]).toContain(answer.status);
    expect((await stack.call('/v1/keys/crowd')).json).toMatchObject({ status: 'inactive', version: 2 });
    expect(await audit('crowd')).toEqual(['key.registered', 'key.deactivated']);
  });

  test('a key that nobody registered can be deactivated by whom it belongs to', async () => {
    await stack.send([{ key_id: 'found', status: 200, path: '/a' }], { token: tokens.get('acme')! });
    await stack.untilTotal('found', 1);
    expect((await post('found', 'deactivate', { reason: 'unknown' }, tokens.get('rival')!)).status).toBe(404);
    expect((await post('found', 'deactivate', { reason: 'unknown' })).json).toMatchObject({
      status: 'inactive',
      organization_id: 'acme',
      total_requests: 1,
    });
  });

  test('an expiry that has passed needs a new one', async () => {
    await put('short', { expires_at: new Date(Date.now() + 400).toISOString() });
    await expect.poll(async () => (await stack.call('/v1/keys/short')).json.status).toBe('expired');
    expect(errorField(await post('short', 'reactivate', {}))).toEqual([400, 'expires_at']);
    expect(errorField(await post('short', 'reactivate', { expires_at: inDays(-1) }))).toEqual([400, 'expires_at']);
    expect((await post('short', 'deactivate', { reason: 'x' })).status).toBe(409);
    const { json } = await post('short', 'reactivate', { expires_at: inDays(1), reason: 'paid' });
    expect(json.status).toBe('active');
    expect(await events('short')).toEqual(['key.expired', 'key.reactivated']);
  });
});

describe('expiry in PUT', () => {
  test.each([
    ['in the past', { expires_at: inDays(-1) }, 'expires_at'],
    ['not a time', { expires_at: 'tomorrow' }, 'expires_at'],
    ['not a real day', { expires_at: '2027-02-30T00:00:00Z' }, 'expires_at'],
    ['succeeding itself', { successor_key_id: 'dates' }, 'successor_key_id'],
  ])('%s is refused and named', async (_name, body, field) => {
    expect(errorField(await put('dates', body))).toEqual([400, field]);
  });

  test('an id that is the name of a route is refused', async () => {
    expect(errorField(await put('denied', {}))).toEqual([400, 'key_id']);
  });

  test('successor and rotation are kept', async () => {
    const body = { successor_key_id: 'walk', rotated_at: '2026-01-01T02:00:00+02:00', expires_at: inDays(3) };
    const expected = { ...body, rotated_at: '2026-01-01T00:00:00.000Z' };
    expect((await put('rotating', body)).json).toMatchObject(expected);
    expect((await stack.call('/v1/keys/rotating')).json).toMatchObject(expected);
  });
});

describe('regenerate', () => {
  const record = (key: string) => ({ key, status: 200, path: '/r' });

  test('the same key id, the new secret counts, the old one no longer resolves', async () => {
    const [before] = await stack.store.query<{ counted: number }>('SELECT count() AS counted FROM requests');
    await put('turning', { sha256: sha('old secret'), name: 'Turning' });
    await stack.send([record('old secret')], { token: tokens.get('acme')! });
    const { json } = await post('turning', 'regenerate', { sha256: sha('new secret'), prefix: 'new_' });
    expect(json).toMatchObject({ key_id: 'turning', name: 'Turning', prefix: 'new_', rotated_at: expect.any(String) });
    await new Promise((resolve) => setTimeout(resolve, 5_100));
    await stack.send([record('new secret'), record('old secret')], { token: tokens.get('acme')! });
    await stack.untilCounted(before!.counted + 3);
    const rows = await stack.store.query<{ key_id: string; n: number }>(
      "SELECT key_id, count() AS n FROM requests WHERE path = '/r' GROUP BY key_id ORDER BY n DESC",
    );
    expect(rows).toEqual([
      { key_id: 'turning', n: 2 },
      { key_id: `sha256_${sha('old secret').slice(0, 24)}`, n: 1 },
    ]);
    expect((await post('turning', 'regenerate', { sha256: sha('new secret') })).json.version).toBe(json.version);
    expect(await audit('turning')).toEqual(['key.registered', 'key.regenerated']);
  });

  test('the hash of another key is refused, also for its platform, until that key is deleted', async () => {
    await put('first', { sha256: sha('shared') });
    expect((await put('second', { sha256: sha('shared') }, tokens.get('rival')!)).status).toBe(409);
    expect((await stack.call('/v1/keys/second')).status).toBe(404);
    await remove('first');
    expect((await put('second', { sha256: sha('shared') }, tokens.get('rival')!)).status).toBe(200);
  });
});

describe('delete', () => {
  test('not listed, counts and history kept, can be registered again', async () => {
    await put('leaving', { name: 'Leaving' });
    await stack.send([{ key_id: 'leaving', status: 200, path: '/d' }], { token: tokens.get('acme')! });
    await stack.untilTotal('leaving', 1);
    expect([(await remove('leaving')).status, (await remove('leaving')).status]).toEqual([204, 204]);
    const listed = async (query: string) =>
      (await stack.call(`/v1/keys?search=leaving${query}`)).json.data.map((key: { key_id: string }) => key.key_id);
    expect(await listed('')).toEqual([]);
    expect(await listed('&status=deleted')).toEqual(['leaving']);
    expect((await stack.call('/v1/keys/leaving')).json).toMatchObject({ status: 'deleted', total_requests: 1 });
    expect((await post('leaving', 'reactivate', {})).status).toBe(409);
    expect((await put('leaving', { name: 'Back' })).json).toMatchObject({ status: 'active', total_requests: 1 });
    expect(await audit('leaving')).toEqual(['key.registered', 'key.deleted', 'key.registered']);
  });
});

describe('history', () => {
  test('who, what, why, before and after, page by page, without the hash', async () => {
    await put('storied', { name: 'One', sha256: sha('storied') });
    await put('storied', { name: 'Two' });
    await post('storied', 'deactivate', { reason: 'because' });
    const seen: { action: string; reason: string; before: unknown; after: unknown; actor: string }[] = [];
    let cursor = '';
    do {
      const { json } = await stack.call(`/v1/keys/storied/history?limit=1${cursor && `&cursor=${cursor}`}`);
      seen.push(...json.data);
      cursor = json.next_cursor ?? '';
    } while (cursor !== '');
    expect(seen).toMatchObject([
      {
        action: 'key.deactivated',
        reason: 'because',
        before: { status: 'active', status_reason: '' },
        after: { status: 'inactive', status_reason: 'because' },
      },
      { action: 'key.updated', before: { name: 'One' }, after: { name: 'Two' } },
      { action: 'key.registered', before: null, after: { name: 'One', organization_id: 'acme' } },
    ]);
    expect(new Set(seen.map((entry) => entry.actor)).size).toBe(1);
    expect(JSON.stringify(seen)).not.toContain(sha('storied'));
  });

  test('a key that moves to another organization shows each its own side of the move', async () => {
    await put('moving', { customer_id: 'customer-of-acme', owner: { name: 'Ann' } });
    await stack.call('/v1/keys/moving', {
      method: 'PUT',
      body: { organization_id: 'rival', customer_id: 'customer-of-rival', owner: { name: 'Rob' } },
    });
    const seenBy = async (path: string, token = ADMIN_TOKEN) =>
      (await stack.call(path, { token })).json.data.map(({ before, after }: Record<string, unknown>) => [
        before,
        after,
      ]);
    const acmes = { organization_id: 'acme', customer_id: 'customer-of-acme', owner_name: 'Ann' };
    const rivals = { organization_id: 'rival', customer_id: 'customer-of-rival', owner_name: 'Rob' };
    const [acme, rival] = [tokens.get('acme'), tokens.get('rival')];
    expect(await seenBy('/v1/audit?subject=moving', acme)).toEqual([
      [acmes, null],
      [null, expect.objectContaining(acmes)],
    ]);
    for (const path of ['/v1/audit?subject=moving', '/v1/keys/moving/history']) {
      expect(await seenBy(path, rival)).toEqual([[null, rivals]]);
      expect((await seenBy(path))[0]).toEqual([acmes, rivals]);
    }
    expect((await stack.call('/v1/audit?subject=moving', { token: acme })).text).not.toContain('rival');
  });
});

test('another organization finds no such key, whatever it tries', async () => {
  await put('ours', { sha256: sha('ours') });
  const token = tokens.get('rival')!;
  const tries = [
    post('ours', 'deactivate', { reason: 'x' }, token),
    post('ours', 'reactivate', {}, token),
    post('ours', 'regenerate', { sha256: sha('theirs') }, token),
    remove('ours', token),
    stack.call('/v1/keys/ours/history', { token }),
  ];
  expect((await Promise.all(tries)).map((answer) => answer.status)).toEqual([404, 404, 404, 404, 404]);
  expect((await stack.call('/v1/keys/ours')).json).toMatchObject({ status: 'active', version: 1 });
});

test('a token of one key changes nothing, not even that key', async () => {
  await put('single', {});
  const token = await stack.token({ name: 's', scopes: ['manage'], organization_id: 'acme', key_id: 'single' });
  expect((await post('single', 'deactivate', { reason: 'x' }, token)).status).toBe(403);
  expect((await remove('single', token)).status).toBe(403);
});
