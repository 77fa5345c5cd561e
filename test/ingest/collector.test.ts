import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, startStack, tokenIn } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

let stack: Stack;
beforeAll(async () => {
  const rules = join(tempFolder(), 'alerts.yaml');
  writeFileSync(rules, 'rules:\n  - { name: of the file, kind: latency }\n');
  stack = await startStack({
    ...{ INGEST_MAX_BODY_BYTES: '200000', INGEST_MAX_RECORDS: '1000', ROUTES_PER_KEY: '5' },
    ...{ IP_STORAGE: 'full', COUNTRY_HEADERS: 'X-Edge-Country', ACCEPT_FUTURE_MINUTES: '120', ALERTS_FILE: rules },
  });
});
afterAll(() => stack.stop());

const good = (keyId: string, extra: object = {}) => ({
  key_id: keyId,
  status: 200,
  method: 'GET',
  path: '/v1/a',
  ...extra,
});
const post = (body: string | Buffer | object, headers: Record<string, string> = {}, token?: string) =>
  stack.call('/v1/requests', { method: 'POST', body, headers, ...(token === undefined ? {} : { token }) });

async function countOf(keyId: string): Promise<number> {
  const [row] = await stack.store.query<{ counted: number }>(
    'SELECT count() AS counted FROM requests WHERE key_id = {key_id:String}',
    { key_id: keyId },
  );
  return row!.counted;
}

/** A marker sent after the records of interest: when it is counted, they are, too. */
async function settled(): Promise<void> {
  const marker = `marker_${Math.random()}`;
  await stack.send([good(marker)]);
  await expect.poll(() => countOf(marker)).toBe(1);
}

describe('bodies', () => {
  test.each([
    ['one object', 'body_object', (key: string) => JSON.stringify(good(key)), {}, 1],
    ['an array', 'body_array', (key: string) => JSON.stringify([good(key), good(key)]), {}, 2],
    ['lines', 'body_lines', (key: string) => `${JSON.stringify(good(key))}\n${JSON.stringify(good(key))}\n`, {}, 2],
    [
      'lines by content type',
      'body_nd',
      (key: string) => JSON.stringify(good(key)),
      { 'Content-Type': 'application/x-ndjson' },
      1,
    ],
    ['gzip', 'body_gzip', (key: string) => gzipSync(JSON.stringify([good(key)])), { 'Content-Encoding': 'gzip' }, 1],
  ])('%s', async (_name, key, body, headers, count) => {
    const answer = await post(body(key), headers as Record<string, string>);
    expect(answer.status).toBe(202);
    expect(answer.json).toMatchObject({ accepted: count, rejected: 0, errors: [] });
    expect(answer.json.batch_id).toMatch(/^[0-9a-f-]{36}$/);
    await expect.poll(() => countOf(key)).toBe(count);
  });
});

describe('bad input', () => {
  test('bad records beside good ones: the good are kept, each bad one is named', async () => {
    const answer = await post([
      good('beside'),
      { ...good('beside'), status: 700 },
      { status: 200 },
      { ...good('beside'), timestamp: '1970-01-01T00:00:00Z' },
      { ...good('beside'), latency_ms: -1 },
      { ...good('beside'), latency_ms: '12' },
      'text',
      { ...good('beside'), ip: '1.2.3' },
      good('beside', { __proto__: { polluted: true }, unknown_field: 1 }),
    ]);
    expect(answer.status).toBe(202);
    expect(answer.json).toMatchObject({ accepted: 2, rejected: 7 });
    expect(answer.json.errors.map((error: { index: number; field: string }) => [error.index, error.field])).toEqual([
      [1, 'status'],
      [2, 'key_id'],
      [3, 'timestamp'],
      [4, 'latency_ms'],
      [5, 'latency_ms'],
      [6, ''],
      [7, 'ip'],
    ]);
    await expect.poll(() => countOf('beside')).toBe(2);
  });

  test.each([
    ['nothing valid', 400, '[{"status":1}]', {}],
    ['an empty body', 400, '', {}],
    ['not JSON', 400, 'hello', {}],
    ['half an array', 400, '[{"key_id":"k","status":200}', {}],
    ['an empty array', 400, '[]', {}],
    ['too large', 413, `[${' '.repeat(250_000)}]`, {}],
    ['too many records', 413, JSON.stringify(Array.from({ length: 1001 }, () => good('many'))), {}],
    ['a bomb', 413, gzipSync(Buffer.alloc(5_000_000, 32)), { 'Content-Encoding': 'gzip' }],
    ['broken gzip', 400, Buffer.from('not gzip at all'), { 'Content-Encoding': 'gzip' }],
    ['an unknown encoding', 415, 'x', { 'Content-Encoding': 'snappy' }],
    ['a bad Idempotency-Key', 400, JSON.stringify(good('k')), { 'Idempotency-Key': 'with space' }],
  ])('%s → %i', async (_name, status, body, headers) => {
    const answer = await post(body, headers as unknown as Record<string, string>);
    expect([answer.status, answer.text]).toEqual([status, expect.any(String)]);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.json).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
  });

  test('one broken line of many', async () => {
    const answer = await post(`${JSON.stringify(good('line'))}\n{"key_id":\n${JSON.stringify(good('line'))}`);
    expect(answer.json).toMatchObject({
      accepted: 2,
      rejected: 1,
      errors: [{ index: 1, message: 'the line is not valid JSON' }],
    });
  });
});

describe('a repeated POST', () => {
  test('with the same Idempotency-Key counts once, with another or none again', async () => {
    const body = [good('repeat'), good('repeat')];
    for (let n = 0; n < 3; n++) expect((await post(body, { 'Idempotency-Key': 'a-1' })).status).toBe(202);
    await post(body, { 'Idempotency-Key': 'a-2' });
    await post(body);
    await settled();
    expect(await countOf('repeat')).toBe(6);
  });

  test('sent ten times at once counts once, gathered with others that count', async () => {
    const repeats = Array.from({ length: 10 }, () => post([good('burst')], { 'Idempotency-Key': 'b-1' }));
    const others = Array.from({ length: 10 }, (_, n) => post([good('burst')], { 'Idempotency-Key': `c-${n}` }));
    await Promise.all([...repeats, ...others]);
    await settled();
    expect(await countOf('burst')).toBe(11);
  });

  test('of another caller with the same key counts for that caller', async () => {
    const other = await stack.token({ name: 'other', scopes: ['ingest'] });
    await post([good('callers')], { 'Idempotency-Key': 'same' });
    await post([good('callers')], { 'Idempotency-Key': 'same' }, other);
    await settled();
    expect(await countOf('callers')).toBe(2);
  });
});

describe('who may report', () => {
  test('no token, a wrong one, a token without the scope, an expired one', async () => {
    expect((await post([good('x')], {}, '')).status).toBe(401);
    expect((await post([good('x')], {}, `kt_${'x'.repeat(40)}`)).status).toBe(401);
    expect((await post([good('x')], {}, await stack.token({ name: 'r', scopes: ['read'] }))).status).toBe(403);
    const made = await stack.call('/v1/tokens', { method: 'POST', body: { name: 'brief', scopes: ['ingest'] } });
    // Ends it now, whatever time that takes: a token cannot be made expired.
    const path = `/v1/tokens/${made.json.id}/rotate`;
    expect((await stack.call(path, { method: 'POST', body: { overlap_seconds: 0 } })).status).toBe(200);
    expect((await post([good('x')], {}, tokenIn(made))).status).toBe(401);
  });

  test('an organization cannot add to the keys of another', async () => {
    const acme = await stack.token({ name: 'acme', scopes: ['ingest'], organization_id: 'acme' });
    const rival = await stack.token({ name: 'rival', scopes: ['ingest'], organization_id: 'rival' });
    expect((await post([good('acme_key')], {}, acme)).status).toBe(202);
    const refused = await post([good('acme_key'), good('rival_key')], {}, rival);
    expect(refused.json).toMatchObject({ accepted: 1, rejected: 1, errors: [{ index: 0, field: 'key_id' }] });
    await settled();
    expect([await countOf('acme_key'), await countOf('rival_key')]).toEqual([1, 1]);
  });

  test('a token bound to one key reports on that key only', async () => {
    const bound = await stack.token({ name: 'one', scopes: ['ingest'], key_id: 'only' });
    const answer = await post([good('only'), good('another')], {}, bound);
    expect(answer.json).toMatchObject({ accepted: 1, rejected: 1 });
  });
});

describe('what is configured', () => {
  const MINUTE_MS = 60_000;

  test('addresses are stored as IP_STORAGE says, countries taken from COUNTRY_HEADERS, times up to ACCEPT_FUTURE_MINUTES', async () => {
    const entry = (minutes: number) => ({
      request: { method: 'GET', uri: '/a', headers: { 'x-edge-country': 'SE' } },
      response: { status: 200 },
      latencies: { request: 1 },
      authenticated_entity: { id: 'configured' },
      client_ip: '203.0.113.77',
      started_at: Date.now() + minutes * MINUTE_MS,
    });
    const { json } = await stack.call('/v1/ingest/kong', { method: 'POST', body: [entry(110), entry(130)] });
    expect(json).toMatchObject({ accepted: 1, rejected: 1, errors: [{ index: 1, field: 'timestamp' }] });
    await settled();
    const rows = await stack.store.query(
      "SELECT toString(ip) AS ip, country FROM requests WHERE key_id = 'configured'",
    );
    expect(rows).toEqual([{ ip: '203.0.113.77', country: 'SE' }]);
  });

  test('the rules of ALERTS_FILE are there from the start', async () => {
    const { json } = await stack.call('/v1/alert-rules');
    expect(json.data).toMatchObject([{ name: 'of the file', kind: 'latency', source: 'file' }]);
  });
});

describe('what is stored', () => {
  test('a raw key counts under its registered id and is stored nowhere', async () => {
    const raw = 'raw-secret-CANARY-5f1e';
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256').update(raw).digest('hex');
    await stack.call('/v1/keys/registered', { method: 'PUT', body: { name: 'Registered', sha256 } });
    await post([
      { key: raw, status: 200, path: `/x?api_key=${raw}&page=2`, user_agent: `agent Bearer ${raw}` },
      { key_sha256: sha256.toUpperCase(), status: 200 },
      { key: `${raw}-unregistered`, status: 200 },
    ]);
    await settled();
    expect(await countOf('registered')).toBe(2);
    const all = await stack.store.query('SELECT * FROM requests');
    expect(JSON.stringify(all)).not.toContain('CANARY');
    expect(JSON.stringify(all)).toContain('/x?api_key&page');
  });

  test('routes beyond the bound of a key are counted as (other)', async () => {
    await post(
      Array.from({ length: 30 }, (_, n) => good('scanner', { path: `/p${String.fromCharCode(97 + (n % 26))}xyz/q` })),
    );
    await settled();
    const routes = await stack.store.query<{ route: string; counted: number }>(
      "SELECT route, count() AS counted FROM requests WHERE key_id = 'scanner' GROUP BY route ORDER BY counted DESC",
    );
    expect(routes.length).toBe(6);
    expect(routes[0]).toMatchObject({ route: '(other)' });
    expect(routes.reduce((sum, row) => sum + row.counted, 0)).toBe(30);
    const { json } = await stack.call('/v1/keys/scanner/usage');
    const other = json.endpoints.find((row: { route: string }) => row.route === '(other)');
    expect(other).toMatchObject({ requests: 21, folded_paths: 21 });
  });
});
