import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { STEP_ENTRIES } from '../../ingest/formats/entry-format.ts';
import type { Format } from '../../ingest/formats/format.ts';
import { FORMAT_NAMES, formatByName } from '../../ingest/formats/registry.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { KONG_ENTRY } from './formats/samples/kong.ts';
import { payloadOf } from './formats/samples/sample.ts';

const unpacked = vi.hoisted(() => ({ bytes: 0, calls: 0 }));
vi.mock('node:zlib', async (importOriginal) => {
  const zlib = await importOriginal<typeof import('node:zlib')>();
  const gunzipSync: typeof zlib.gunzipSync = (packed, options) => {
    unpacked.calls++;
    unpacked.bytes += options?.maxOutputLength ?? Number.POSITIVE_INFINITY;
    const plain = zlib.gunzipSync(packed, options);
    unpacked.bytes += plain.length - (options?.maxOutputLength ?? 0);
    return plain;
  };
  return { ...zlib, gunzipSync };
});

const LIMIT_BYTES = 64 * 1024 * 1024;

/** Results of a Firehose delivery of these records, and how much was unpacked for it at most. */
function deliver(records: readonly Buffer[]) {
  Object.assign(unpacked, { bytes: 0, calls: 0 });
  const body = JSON.stringify({
    requestId: 'r',
    records: records.map((bytes) => ({ data: bytes.toString('base64') })),
  });
  const result = formatByName('firehose')!.parse(payloadOf({ body }), { keySources: [] });
  return { rejects: result.rejects.length, records: result.records.length, ...unpacked };
}

describe('what the records of a Firehose delivery unpack to', () => {
  const entry = gzipSync(JSON.stringify(KONG_ENTRY));
  const bomb = gzipSync(Buffer.alloc(LIMIT_BYTES + 1));

  test('is limited once, not once for each bomb', () => {
    const { rejects, bytes, calls } = deliver(Array.from({ length: 20 }, () => bomb));
    expect([rejects, calls]).toEqual([20, 1]);
    expect(bytes).toBeLessThanOrEqual(LIMIT_BYTES);
  });

  test('also when they are broken at their end', () => {
    const broken = gzipSync(Buffer.alloc(LIMIT_BYTES / 2));
    broken.writeUInt32LE(0, broken.length - 8);
    const { rejects, calls } = deliver(Array.from({ length: 20 }, () => broken));
    expect(rejects).toBe(20);
    expect(calls).toBeLessThanOrEqual(3);
  });

  test('a small broken one does not cost its neighbours', () => {
    expect(deliver([entry, entry.subarray(0, 50), entry])).toMatchObject({ records: 2, rejects: 1 });
  });
});

/** A body of many entries that are none of the format's, as it reads them. */
function rubbish(format: Format, count: number): string {
  if (format.name.startsWith('otlp')) {
    const [all, scopes, items] =
      format.name === 'otlp-traces'
        ? ['resourceSpans', 'scopeSpans', 'spans']
        : ['resourceLogs', 'scopeLogs', 'logRecords'];
    return JSON.stringify({ [all]: [{ [scopes]: [{ [items]: new Array(count).fill(1) }] }] });
  }
  if (format.name === 'firehose') return JSON.stringify({ records: new Array(count).fill(1) });
  return '1\n'.repeat(count);
}

describe('entries that are none', () => {
  test.each(FORMAT_NAMES)('are counted while they are read: %s', (name) => {
    const format = formatByName(name)!;
    const body = rubbish(format, 5 * STEP_ENTRIES);
    const steps = format.steps(payloadOf({ body }), { keySources: [] });
    const counts: number[] = [];
    for (let step = steps.next(); !step.done; step = steps.next()) counts.push(step.value);
    expect(counts).toEqual([1, 2, 3, 4, 5].map((times) => times * STEP_ENTRIES));
  });

  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ INGEST_MAX_RECORDS: '1500' });
  });
  afterAll(() => stack.stop());

  test.each([
    ['far more than records may be', 3_000_000, 'more than 2000 records in one request; the limit is 1500'],
    ['one more', 1_501, '1501 records in one request; the limit is 1500'],
  ])('are 413: %s', async (_, count, detail) => {
    const headers = { 'Content-Encoding': 'gzip', 'Content-Type': 'text/plain' };
    const body = gzipSync('1\n'.repeat(count));
    const answer = await stack.call('/v1/ingest/vector', { method: 'POST', body, headers });
    expect([answer.status, answer.json.detail]).toEqual([413, detail]);
  });

  test('as many as records may be are an ordinary answer', async () => {
    const body = JSON.stringify([{ ...KONG_ENTRY, started_at: Date.now() }, ...new Array(1_499).fill(1)]);
    const answer = await stack.call('/v1/ingest/kong', { method: 'POST', body });
    expect([answer.status, answer.json.rejected]).toEqual([202, 1_499]);
  });
});
