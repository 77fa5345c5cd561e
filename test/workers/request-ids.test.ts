import { expect, test } from 'vitest';
import { Batch } from '../../ingest/batch.ts';
import type { UniqueRange } from '../../ingest/queue.ts';
import type { RequestRecord } from '../../ingest/record.ts';
import { requestIdsOf } from '../../workers/request-ids.ts';
import { PLAIN_RECORD } from '../support/plain-record.ts';

const FIRST: RequestRecord = { ...PLAIN_RECORD, requestId: 'r-1' };

/** Rows that are taken for repeats of earlier ones: each record is sent by itself. */
async function repeatsIn(records: readonly RequestRecord[], sent: (row: number) => Partial<UniqueRange> = () => ({})) {
  const batch = new Batch();
  for (const record of records) batch.add(record, '');
  const unique = records.map((_, row) => ({ caller: 'token', firstRow: row, rows: 1, ...sent(row) }));
  return (await requestIdsOf(batch, unique)).repeated;
}

test('an entry that is sent again is a repeat, whatever else was reported of it', async () => {
  const again = { ...FIRST, latencyMs: 1, responseBytes: 7, userAgent: 'other', route: '/other' };
  expect(await repeatsIn([FIRST, FIRST, again])).toEqual([1, 2]);
});

test.each<[string, Partial<RequestRecord>]>([
  ['another key', { keyId: 'other' }],
  ['another request id', { requestId: 'r-2' }],
  ['another method, in the same millisecond', { method: 'POST' }],
  ['another path, as the calls that one request makes in a mesh', { path: '/v1/items/8' }],
  ['another status, as a try that failed', { status: 503 }],
  ['another time', { timestampMs: FIRST.timestampMs + 1 }],
  ['no request id', { requestId: '' }],
])('%s is another request', async (_, change) => {
  expect(await repeatsIn([FIRST, { ...FIRST, ...change }])).toEqual([]);
});

test('another sender has its own ids', async () => {
  expect(await repeatsIn([FIRST, FIRST], (row) => ({ caller: `token ${row}` }))).toEqual([]);
});

test('where ids are unique by themselves a repeat may have another time, and nothing else', async () => {
  const later = { ...FIRST, timestampMs: FIRST.timestampMs + 60_000 };
  expect(await repeatsIn([FIRST, later], () => ({ timeless: true }))).toEqual([1]);
  expect(await repeatsIn([FIRST, { ...later, status: 503 }], () => ({ timeless: true }))).toEqual([]);
});
