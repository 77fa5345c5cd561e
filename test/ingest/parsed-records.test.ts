import { expect, test } from 'vitest';
import { Batch } from '../../ingest/batch.ts';
import { ParsedRecords } from '../../ingest/parsed-records.ts';
import { parseRecord } from '../../ingest/record.ts';

const NOW_MS = Date.parse('2026-11-29T12:00:00Z');

/** Records of keys; those with a limit say so. */
function recordsOf(...requests: { key: string; atMs?: number; remaining?: number }[]): ParsedRecords {
  const records = new ParsedRecords(1);
  for (const [index, { key, atMs = 0, remaining }] of requests.entries()) {
    const rate_limit = remaining === undefined ? null : { limit: 10, remaining };
    const input = { key_id: key, status: 200, timestamp: NOW_MS + atMs, request_id: `r-${index}`, rate_limit };
    const parsed = parseRecord(input, index, NOW_MS, { pastMs: 1e6, futureMs: 1e6 });
    if ('message' in parsed) throw new Error(parsed.message);
    records.add(parsed);
  }
  return records;
}

const keysOf = ({ rows, keyId }: { rows: number; keyId: ParsedRecords['keyId'] }) =>
  Array.from({ length: rows }, (_, row) => keyId.at(row));

test('rows that do not stay are told by their positions, and the others keep all that is theirs', () => {
  const records = recordsOf({ key: 'a' }, { key: 'b', remaining: 1 }, { key: 'c' }, { key: 'd', remaining: 4 });
  expect(records.keep((row) => row % 2 === 1)).toEqual([0, 2]);
  expect(keysOf(records)).toEqual(['b', 'd']);
  expect(records.requestId).toEqual(['r-1', 'r-3']);
  expect([records.index.at(0), records.index.at(1)]).toEqual([1, 3]);
  expect([...records.rateLimitOf].map(([row, { remaining }]) => [row, remaining])).toEqual([
    [1, 4],
    [0, 1],
  ]);
});

test('a batch takes the values that rows use, each once, and of a key the newest limit', () => {
  const first = recordsOf({ key: 'a', atMs: 5, remaining: 5 }, { key: 'x' }, { key: 'b', remaining: 2 });
  first.keep((row) => row !== 1);
  const second = recordsOf({ key: 'b', atMs: 1, remaining: 1 }, { key: 'a', atMs: 4, remaining: 9 });
  const batch = new Batch();
  batch.append(first, 'acme');
  batch.append(second, '');
  expect(keysOf(batch)).toEqual(['a', 'b', 'b', 'a']);
  expect(batch.keyId.values).toEqual(['a', 'b']);
  expect([0, 1, 2, 3].map((row) => batch.organizationId.at(row))).toEqual(['acme', 'acme', '', '']);
  expect([...batch.rateLimits].map(([key, { remaining }]) => [key, remaining])).toEqual([
    ['a', 5],
    ['b', 1],
  ]);
});
