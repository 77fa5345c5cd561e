import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arePlain } from '../../ingest/line-bytes.ts';
import { LineReader } from '../../ingest/line-reader.ts';
import { FNV_OFFSET, mixed } from '../../ingest/line-texts.ts';
import { ParsedRecords } from '../../ingest/parsed-records.ts';
import { isRecordError, parseRecord, type RecordError } from '../../ingest/record.ts';
import { parseRecordsBody } from '../../ingest/records-body.ts';
import { RECORD_NUMBERS, RECORD_TEXTS } from '../../ingest/request-columns.ts';
import { LineWriter } from '../../ingest/sender-line.ts';
import { bodiesOf } from '../bench/bench-traffic.ts';
import { Random } from '../support/random.ts';
import { brokenLine, LINE_DIGEST, LINE_NOW, recordLine } from '../support/record-lines.ts';

const WINDOW = { pastMs: 400 * 86_400_000, futureMs: 600_000 };

/** Every record as values, in order. */
function rowsOf(records: ParsedRecords) {
  return Array.from({ length: records.rows }, (_, row) => ({
    ...Object.fromEntries(RECORD_TEXTS.map((name) => [name, records[name].at(row)])),
    ...Object.fromEntries(RECORD_NUMBERS.map((name) => [name, records[name].at(row)])),
    requestId: records.requestId[row],
    keySha256: records.keySha256.at(row),
    index: records.index.at(row),
    rateLimit: records.rateLimitOf.get(row),
  }));
}

/** What JSON.parse and parseRecord make of lines: the definition. */
function definition(lines: readonly string[], nowMs: number) {
  const records = new ParsedRecords();
  const errors: RecordError[] = [];
  for (const [index, line] of lines.entries()) {
    let value: unknown;
    try {
      value = JSON.parse(line.trim());
    } catch {
      errors.push({ index, field: '', message: 'the line is not valid JSON' });
      continue;
    }
    const parsed = parseRecord(value, index, nowMs, WINDOW);
    if (isRecordError(parsed)) errors.push(parsed);
    else records.add(parsed);
  }
  return { rows: rowsOf(records), errors };
}

/** A last line that is always good, so that no body is refused as a whole, tells the time of receipt. */
const LAST = '{"key_id":"last","status":200}';

async function expectAsDefined(lines: readonly string[]): Promise<void> {
  const all = [...lines, LAST];
  const body = Buffer.from(all.join('\n'));
  const filled = body
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const parsed = await parseRecordsBody(body, 'application/x-ndjson', { window: WINDOW, maxRecords: 50_000 });
  const rows = rowsOf(parsed.records);
  const { timestampMs } = rows.at(-1) as unknown as { timestampMs: number };
  expect({ rows, errors: parsed.errors }).toEqual(definition(filled, timestampMs));
}

/** Whether the reader itself reads a line, and its record. */
function readOf(line: string) {
  const records = new ParsedRecords(1);
  const reader = new LineReader();
  reader.begin(Buffer.from(line), records, Date.now(), WINDOW);
  const end = reader.read(0, 0);
  reader.done();
  return { isRead: end !== -1, rows: rowsOf(records) };
}

const iso = LINE_NOW.toISOString();

test.each([
  '{"key_id":"k","status":200}',
  `{"key_id":"k","timestamp":"${iso}","method":"get","path":"/a/1","status":429,"latency_ms":1.25,"request_bytes":0}`,
  `{"status":200,"key_sha256":"${LINE_DIGEST}","timestamp":${LINE_NOW.getTime()},"ip":"2001:db8::1","country":"se"}`,
  '{"key":"sk_live_abc","status":404,"rate_limited":true,"request_id":"r-1","error":"timeout"}',
  '{ "key_id": "k", "status": 200, "latency_ms": null, "route": "/a/{id}" }',
  '{"key_id":"k","status":200,"pod":"a-1","attempt":2,"cached":false,"parent":null,"rate_limit":null}',
  '{"key":"raw","key_id":"k","key_sha256":null,"status":200}\r',
  '{"key_id":"k","status":200,"ip":"fe80::1%br-1a2b"}',
])('the reader itself reads %s', (line) => {
  const { isRead, rows } = readOf(line);
  expect(isRead).toBe(true);
  expect(rows).toEqual([expect.objectContaining({ index: 0, status: JSON.parse(line).status })]);
});

test('every line of a gateway and of our own SDK is read without JSON.parse', () => {
  const sdk = new LineWriter({ keyHash: true, service: 'orders', environment: 'production' });
  const request = { timestamp: LINE_NOW.getTime(), method: 'GET', path: '/users/17?page', route: '/users/{id}' };
  const answer = { status: 200, latency_ms: 3.25, response_bytes: 53, ip: '127.0.0.1', user_agent: 'curl/8' };
  const ofSdk = [{ key: 'raw' }, { key_id: '(no key)', request_id: 'r-1' }, { key: 'raw', request_bytes: 9 }];
  const lines = bodiesOf(new Random(3), 2_000, 1_000, true).join('\n').split('\n');
  for (const line of [...lines, ...ofSdk.map((own) => sdk.lineOf({ ...request, ...answer, ...own }))]) {
    expect(readOf(line).isRead, line).toBe(true);
  }
});

test.each([
  ['fe80::1%eth0', 'fe80::1'],
  ['fe80::1%br-1a2b', 'fe80::1'],
  ['fe80::1%eth0.100', 'fe80::1'],
  ['2001:db8::1', '2001:db8::1'],
])('the zone of an address is cut off by both parsers: %s', async (ip, kept) => {
  const line = JSON.stringify({ key_id: 'k', status: 200, ip });
  expect(readOf(line).rows).toEqual([expect.objectContaining({ ip: kept })]);
  expect(parseRecord(JSON.parse(line), 0, Date.now(), WINDOW)).toMatchObject({ record: { ip: kept } });
  await expectAsDefined([line]);
});

test.each(['203.0.113.9%eth0', '203.0.113.9:80', 'fe80::1%', '%eth0'])('refused by both parsers: %s', (ip) => {
  const line = JSON.stringify({ key_id: 'k', status: 200, ip });
  expect(readOf(line).isRead).toBe(false);
  expect(parseRecord(JSON.parse(line), 0, Date.now(), WINDOW)).toMatchObject({ field: 'ip' });
});

test.each([
  ['nested', '{"key_id":"k","status":200,"tags":{"a":1}}'],
  ['a limit', '{"key_id":"k","status":200,"rate_limit":{"limit":5,"remaining":1}}'],
  ['escapes', '{"key_id":"k\\u0041","status":200}'],
  ['an escaped name', '{"key_id":"k","st\\u0061tus":200}'],
  ['other letters', '{"key_id":"k","status":200,"user_agent":"Größe"}'],
  ['a time of another zone', '{"key_id":"k","status":200,"timestamp":"2026-11-29T10:00:00+05:30"}'],
  ['a field twice', '{"key_id":"a","key_id":"b","status":200}'],
  ['an exponent', '{"key_id":"k","status":2e2}'],
  ['a refused field', '{"key_id":"k","status":99}'],
  ['no key', '{"status":200}'],
  ['more behind it', '{"key_id":"k","status":200} x'],
  ['no end', '{"key_id":"k","status":200'],
  ['a comma too many', '{"key_id":"k","status":200,}'],
  ['more digits than are exact', '{"key_id":"k","status":200,"latency_ms":9.007199254740993}'],
  ['a control character', '{"key_id":"k","status":200,"path":"/a\u001fb"}'],
  ['a leading zero', '{"key_id":"k","status":0200}'],
  ['nothing', ''],
])('left to JSON.parse, with nothing added: %s', async (_, line) => {
  expect(readOf(line)).toEqual({ isRead: false, rows: [] });
  await expectAsDefined([LAST, line, LAST]);
});

test('times, of days and clocks that are and of others', async () => {
  const year = LINE_NOW.getUTCFullYear();
  const lines: string[] = [];
  for (const day of ['01-31', '02-29', '02-30', '04-31', '11-00', '13-01', '1O-10', '10-1O'])
    for (const clock of ['00:00:00', '23:59:59', '23:59:60', '23:60:00', '24:00:00', '2x:00:00', '10:0:00'])
      for (const end of ['Z', '.5Z', '.123Z', '.123456789Z', '.1234567890Z', '.Z', 'z', '+00:00', '-0930', ''])
        for (const at of [`${year}-${day}T${clock}${end}`, `${year - 1}-${day}t${clock}${end}`])
          lines.push(`{"key_id":"k","status":200,"timestamp":"${at}"}`);
  await expectAsDefined(lines);
});

const SEED = 20_261_129;

describe('what is read is what JSON.parse and parseRecord make of it', () => {
  test('records of any fields in any order, many of them read by the reader itself', async () => {
    let all = 0;
    let read = 0;
    const check = async (lines: string[]) => {
      all += lines.length;
      read += lines.filter((line) => readOf(line).isRead).length;
      await expectAsDefined(lines);
    };
    await fc.assert(fc.asyncProperty(fc.array(recordLine, { maxLength: 8 }), check), { numRuns: 1_500, seed: SEED });
    expect(read / all).toBeGreaterThan(0.15);
  });

  test('lines that are broken anywhere', async () => {
    const some = fc.array(fc.oneof(recordLine, brokenLine, brokenLine), { maxLength: 8 });
    await fc.assert(fc.asyncProperty(some, expectAsDefined), { numRuns: 1_500, seed: SEED });
  });

  test('more texts of a field than are told apart by their bytes', async () => {
    const lines = Array.from(
      { length: 12_000 },
      (_, n) => `{"key_id":"key_${(n * 7919) % 5_000}","path":"/p/${n}","ip":"10.0.${n % 200}.${n % 7}","status":200}`,
    );
    await expectAsDefined(lines);
  });

  test('texts made to have one hash', async () => {
    const same = textsOfOneHash(40);
    expect(new Set(same).size).toBe(40);
    await expectAsDefined([...same, ...same].map((keyId) => `{"key_id":"${keyId}","status":200}`));
  });
});

/** Different texts of eight bytes: where the first four leave the hash different, the second four make it the same. */
function textsOfOneHash(count: number): string[] {
  const random = new Random(5);
  const letters = () => Buffer.from(Array.from({ length: 4 }, () => random.integer(97, 122)));
  const stepOf = (four: Buffer) => mixed(FNV_OFFSET, four.readInt32LE());
  const [first, second] = [letters(), letters()];
  const texts = [first.toString() + second.toString()];
  while (texts.length < count) {
    const other = letters();
    const end = Buffer.alloc(4);
    end.writeInt32LE(second.readInt32LE() ^ stepOf(first) ^ stepOf(other));
    if (arePlain(end.readInt32LE())) texts.push(other.toString() + end.toString('latin1'));
  }
  return texts;
}
