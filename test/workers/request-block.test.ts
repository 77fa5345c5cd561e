import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Batch } from '../../ingest/batch.ts';
import { parseConfig } from '../../ingest/config.ts';
import type { RequestRecord } from '../../ingest/record.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import { type Geo, openGeo } from '../../workers/geo.ts';
import { insertRequests } from '../../workers/insert.ts';
import type { RowRange } from '../../workers/native-block.ts';
import { requestBlock } from '../../workers/request-block.ts';
import { migratedStore } from '../support/migrated-store.ts';
import { PLAIN_RECORD as PLAIN } from '../support/plain-record.ts';

const NOW_MS = PLAIN.timestampMs;

let store: Store;
let geo: Geo;
beforeAll(async () => {
  const config = parseConfig({});
  store = await migratedStore(config);
  geo = await openGeo(config);
});
afterAll(() => store.close());

async function stored(records: readonly Partial<RequestRecord>[], ranges?: readonly RowRange[]) {
  await store.command('TRUNCATE TABLE requests');
  const batch = new Batch();
  for (const record of records) batch.add({ ...PLAIN, ...record }, 'org');
  const all = [{ first: 0, end: batch.rows }];
  const block = await requestBlock(batch, 'batch', NOW_MS + 1, ranges ?? all, { geo, ipStorage: 'truncated' });
  await insertRequests(store, `token-${Math.random()}`, block);
  return store.query<Record<string, unknown>>('SELECT * FROM requests ORDER BY response_bytes, request_id');
}

test('every field stands in its column', async () => {
  expect(await stored([{ requestId: 'r1', rateLimited: true, error: 'boom' }])).toEqual([
    {
      timestamp: '2026-11-21T10:00:00.123Z',
      key_id: 'key',
      organization_id: 'org',
      method: 'GET',
      route: '/v1/items/{id}',
      path: '/v1/items/7',
      status: 200,
      latency_ms: 12.345,
      request_bytes: 10,
      response_bytes: 20,
      ip: '8.8.8.0',
      country: 'US',
      user_agent: 'curl',
      request_id: 'r1',
      service: 'shop',
      environment: 'production',
      rate_limited: true,
      error: 'boom',
      batch_id: 'batch',
      received_at: '2026-11-21T10:00:00.124Z',
    },
  ]);
});

describe('values that text would have to escape, or that are at the edge of their type', () => {
  const cases: [string, Partial<RequestRecord>, Record<string, unknown>][] = [
    ['tab, newline, backslash, NUL', { path: '/a\tb\nc\\d\u0000e' }, { path: '/a\tb\nc\\d\u0000e' }],
    ['more than one byte a character', { userAgent: 'Käse 🧀' }, { user_agent: 'Käse 🧀' }],
    ['4 KB of text', { route: `/${'x'.repeat(4_095)}` }, { route: `/${'x'.repeat(4_095)}` }],
    ['no latency', { latencyMs: Number.NaN }, { latency_ms: null }],
    ['a latency of nothing', { latencyMs: 0 }, { latency_ms: 0 }],
    ['2^53 - 1 bytes', { requestBytes: Number.MAX_SAFE_INTEGER }, { request_bytes: Number.MAX_SAFE_INTEGER }],
    ['2^32 bytes', { requestBytes: 2 ** 32 }, { request_bytes: 2 ** 32 }],
    ['a country the gateway knows', { country: 'FR' }, { country: 'FR' }],
    ['an address of no country', { ip: '10.0.0.1' }, { country: 'ZZ', ip: '10.0.0.0' }],
    ['no address', { ip: '' }, { country: 'ZZ', ip: '' }],
    ['IPv6', { ip: '2001:4860:4860::8888' }, { ip: '2001:4860:4860::' }],
  ];
  test.each(cases)('%s', async (_, record, columns) => {
    expect(await stored([record])).toMatchObject([columns]);
  });
});

test.each([1, 256, 257, 65_536, 66_000])('%i distinct values: codes of one, two and four bytes', async (distinct) => {
  const batch = new Batch();
  for (let n = 0; n < distinct; n++) batch.add({ ...PLAIN, path: `/p/${n}`, requestBytes: n }, '');
  await store.command('TRUNCATE TABLE requests');
  const range = [{ first: 0, end: distinct }];
  await insertRequests(store, `${distinct}`, await requestBlock(batch, 'b', NOW_MS, range, { geo, ipStorage: 'none' }));
  const [row] = await store.query<object>(
    `SELECT count() AS rows, uniqExact(path) AS paths, countIf(path != concat('/p/', toString(request_bytes))) AS wrong FROM requests`,
  );
  expect(row).toEqual({ rows: distinct, paths: distinct, wrong: 0 });
});

test('only the rows of the ranges, each with its own values', async () => {
  const records = Array.from({ length: 10 }, (_, n) => ({
    responseBytes: n,
    keyId: `key_${n}`,
    requestId: `r${n}`,
    latencyMs: n % 2 === 0 ? n : Number.NaN,
    ip: n < 5 ? '8.8.8.8' : '10.0.0.1',
  }));
  const rows = await stored(records, [
    { first: 1, end: 3 },
    { first: 7, end: 8 },
  ]);
  expect(rows.map((row) => [row.key_id, row.request_id, row.latency_ms, row.country, row.response_bytes])).toEqual([
    ['key_1', 'r1', null, 'US', 1],
    ['key_2', 'r2', 2, 'US', 2],
    ['key_7', 'r7', null, 'ZZ', 7],
  ]);
});
