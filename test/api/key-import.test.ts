import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BadHeader, csvRows, ndjsonRows } from '../../api/import-rows.ts';
import { sized } from '../support/full-size.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';

const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const lines = (rows: readonly unknown[]) =>
  rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n');
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

const post = (body: string | Buffer, type = 'application/x-ndjson', token?: string, headers = {}) =>
  stack.call('/v1/keys/import', {
    method: 'POST',
    body,
    headers: { 'Content-Type': type, ...headers },
    ...(token ? { token } : {}),
  });

describe('rows of a file', () => {
  test('NDJSON: line numbers count empty lines too', () => {
    expect([...ndjsonRows('{"a":1}\n\nx\r\n[1]\n{"b":2}')]).toEqual([
      { row: 1, value: { a: 1 } },
      { row: 3, error: 'is not valid JSON' },
      { row: 4, error: 'is not a JSON object' },
      { row: 5, value: { b: 2 } },
    ]);
  });

  test('CSV: quotes, line breaks in cells, empty cells, too many and too few cells', () => {
    const text = [
      'key_id,name,scopes,limit_per_minute,owner_email\r',
      'a,"Comma, ""quoted""",read;write,60,a@example.com',
      'b,"two',
      'lines",,,',
      'c,short',
      '',
      'd,x,,abc,',
      'e,"never closed,,,',
    ].join('\n');
    expect([...csvRows(text)]).toEqual([
      {
        row: 2,
        value: {
          key_id: 'a',
          name: 'Comma, "quoted"',
          scopes: ['read', 'write'],
          limits: { per_minute: 60 },
          owner: { email: 'a@example.com' },
        },
      },
      { row: 3, value: { key_id: 'b', name: 'two\nlines' } },
      { row: 5, error: 'has 2 cells, the header 5' },
      { row: 7, value: { key_id: 'd', name: 'x', limits: { per_minute: Number.NaN } } },
      { row: 8, error: 'has a quote that is not closed' },
    ]);
  });

  test.each([
    ['unknown column', 'key_id,nmae\n', 'nmae'],
    ['doubled column', 'key_id,name,name\n', 'name'],
    ['no key_id', 'name\nx', 'key_id'],
    ['empty', '', 'key_id'],
  ])('CSV with a wrong head: %s', (_name, text, column) => {
    expect(() => [...csvRows(text)]).toThrow(BadHeader);
    try {
      Array.from(csvRows(text));
    } catch (error) {
      expect((error as BadHeader).column).toBe(column);
    }
  });
});

test('good rows are kept, each bad one is named by its number', async () => {
  const { status, json } = await post(
    lines([
      { key_id: 'imp_1', name: 'One', plan: 'pro', sha256: sha('imp_1'), limits: { per_minute: 60 } },
      { key_id: 'imp_2', limits: { per_minute: 0 } },
      { key_id: 'imp_3', limits: { per_day: -1 } },
      'not json',
      { key_id: 'imp_1', name: 'Again' },
      { key_id: 'imp_6', expires_at: '2020-01-01T00:00:00Z' },
      { key_id: 'imp_7', name: 'x'.repeat(10_000_000) },
      { key_id: 'imp_8', kind: 'robot' },
      { key_id: 'imp_9', sha256: sha('imp_1') },
      { name: 'no id' },
      { key_id: 'imp_11', expires_at: '2099-01-01T00:00:00Z' },
    ]),
  );
  expect(status).toBe(200);
  expect(json).toMatchObject({ rows: 11, created: 2, updated: 0, unchanged: 0, rejected: 9 });
  expect(json.errors.map((error: { row: number; field: string }) => [error.row, error.field])).toEqual([
    [2, 'limits.per_minute'],
    [3, 'limits.per_day'],
    [4, 'row'],
    [5, 'key_id'],
    [6, 'expires_at'],
    [7, 'row'],
    [8, 'kind'],
    [9, 'sha256'],
    [10, 'key_id'],
  ]);
  expect(json.errors[7].message).toBe('another key has this hash');
  expect((await stack.call('/v1/keys/imp_1')).json).toMatchObject({ name: 'One', plan: 'pro', version: 1 });
  expect((await stack.call('/v1/keys/imp_2')).status).toBe(404);
});

test('an import that is repeated changes nothing; a changed row changes its key', async () => {
  const rows = (name: string) => lines([{ key_id: 'rep_1', name, scopes: ['a'] }, { key_id: 'rep_2' }]);
  expect((await post(rows('x'))).json).toMatchObject({ created: 2 });
  expect((await post(rows('x'))).json).toMatchObject({ created: 0, updated: 0, unchanged: 2 });
  expect((await post(rows('y'))).json).toMatchObject({ updated: 1, unchanged: 1 });
  const { json } = await stack.call('/v1/keys/rep_1/history');
  expect(json.data.map((entry: { action: string; before: unknown }) => [entry.action, entry.before])).toEqual([
    ['key.updated', { name: 'x' }],
    ['key.registered', null],
  ]);
});

test('CSV with gzip; wrong columns, nothing valid and other types are refused', async () => {
  const csv = 'key_id,name,limit_per_day,expires_at\ncsv_1,One,1000,2099-05-01T00:00:00+02:00\ncsv_2,Two,abc,\n';
  const { json } = await post(gzipSync(csv), 'text/csv', undefined, { 'Content-Encoding': 'gzip' });
  expect(json).toMatchObject({
    created: 1,
    rejected: 1,
    errors: [{ row: 3, key_id: 'csv_2', field: 'limits.per_day' }],
  });
  expect((await stack.call('/v1/keys/csv_1')).json).toMatchObject({
    limits: { per_day: 1000 },
    expires_at: '2099-04-30T22:00:00.000Z',
  });
  expect((await post('key_id,color\na,red\n', 'text/csv')).json.errors[0].field).toBe('color');
  expect(await post('nonsense')).toMatchObject({ status: 400, json: { errors: [{ row: 1 }] } });
  expect((await post('x', 'application/xml')).status).toBe(415);
  expect((await post(Buffer.alloc(65 * 1024 * 1024, 32))).status).toBe(413);
});

test('an organization imports its own keys only, and claims none that others use', async () => {
  const token = tokens.get('rival')!;
  await post(lines([{ key_id: 'acmes' }]), undefined, tokens.get('acme'));
  await stack.send([{ key_id: 'acme_found', status: 200, path: '/' }], { token: tokens.get('acme')! });
  await expect.poll(async () => (await stack.call('/v1/keys/acme_found')).status).toBe(200);
  const { json } = await post(
    lines([
      { key_id: 'acmes', name: 'taken' },
      { key_id: 'acme_found' },
      { key_id: 'rivals', organization_id: 'acme' },
      { key_id: 'rivals_2' },
    ]),
    undefined,
    token,
  );
  expect(json).toMatchObject({ created: 1, rejected: 3 });
  expect((await stack.call('/v1/keys/acmes')).json).toMatchObject({ name: '', organization_id: 'acme', version: 1 });
  expect((await stack.call('/v1/keys/rivals_2')).json.organization_id).toBe('rival');
});

const MASS = sized(20_000, 100_000);

test(`${MASS} keys in one call: each once, with its audit row; their hashes resolve at once`, async () => {
  const rows = Array.from({ length: MASS }, (_, n) => ({
    key_id: `mass_${n}`,
    name: `Key ${n}`,
    organization_id: `org_${n % 500}`,
    environment: 'production',
    plan: 'pro',
    sha256: sha(`mass_${n}`),
    scopes: ['read', 'write'],
    limits: { per_minute: 600 },
    owner: { name: 'Owner', email: `owner${n}@example.com` },
  }));
  const body = lines(rows);
  const startedAt = performance.now();
  const { json } = await post(body);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`${MASS} keys imported in ${seconds.toFixed(1)} s (${(body.length / 1e6).toFixed(0)} MB)`);
  expect(json).toMatchObject({ rows: MASS, created: MASS, rejected: 0 });
  await stack.send([{ key: `mass_${MASS - 1}`, status: 200, path: '/m' }]);
  await expect.poll(async () => (await stack.call(`/v1/keys/mass_${MASS - 1}`)).json.total_requests).toBe(1);
  const [row] = await stack.store.query<object>(
    "SELECT count() AS n, uniqExact(id) AS unique FROM audit WHERE startsWith(subject, 'mass_')",
  );
  expect(row).toEqual({ n: MASS, unique: MASS });
}, 120_000);

test('an upload that is broken off does not keep its place', async () => {
  const half = gzipSync(lines(Array.from({ length: 500 }, (_, n) => ({ key_id: `half_${n}`, name: sha(`${n}`) }))));
  for (let n = 0; n < 3; n++) {
    const socket = connect(Number(new URL(stack.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `POST /v1/keys/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\nContent-Type: application/x-ndjson\r\n` +
        `Content-Encoding: gzip\r\nContent-Length: ${half.length}\r\n\r\n`,
    );
    socket.write(half.subarray(0, half.length / 2));
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
  }
  await expect.poll(async () => (await post('{"key_id":"whole"}')).status, { interval: 200 }).toBe(200);
  expect((await stack.call('/v1/keys/half_0')).status).toBe(404);
});
