import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { csvRows } from '../../api/import-rows.ts';
import { Batch, decodeBatch, encodeBatch } from '../../ingest/batch.ts';
import { parseRecordsBody } from '../../ingest/records-body.ts';
import { templateOf } from '../../ingest/route-template.ts';
import { Random } from '../support/random.ts';
import { Coverage } from './coverage.ts';
import { corpusOf, fuzzTarget, isOurs, orphanedCorpora } from './engine.ts';
import { fuzzHttp } from './http-edge.ts';
import { mutated } from './mutate.ts';
import { allTargets } from './targets.ts';
import { Watchdog } from './watchdog.ts';

const INPUTS_PER_TARGET = 300;
const HTTP_INPUTS = 400;
const SEED = 20_261_121;

const watchdog = new Watchdog();
const coverage = new Coverage(isOurs);
const targets = await allTargets();
beforeAll(() => coverage.start());
afterAll(async () => {
  await coverage.stop();
  await watchdog.stop();
});

describe('mutations', () => {
  test.each(targets.map((target) => [target.name, target] as const))(
    '%s: the corpus and its changed copies',
    async (_name, target) => {
      const inputs = INPUTS_PER_TARGET + corpusOf(target).length;
      const { result } = await fuzzTarget(target, { inputs, seed: SEED, watchdog, coverage });
      expect(result.failures).toEqual([]);
      expect(result.inputs).toBeGreaterThanOrEqual(INPUTS_PER_TARGET);
    },
  );

  test('the HTTP edge answers everything in an orderly way and still serves', async () => {
    const { failures, slowestMs } = await fuzzHttp(HTTP_INPUTS, SEED);
    console.info(`slowest answer ${Math.round(slowestMs)} ms`);
    expect(failures).toEqual([]);
  }, 120_000);

  test('the same seed makes the same inputs', () => {
    const inputs = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 50 }, () =>
        mutated(random, Buffer.from('{"a":1}'), [Buffer.from('x')]).toString('hex'),
      );
    };
    expect(inputs(1)).toEqual(inputs(1));
    expect(inputs(1)).not.toEqual(inputs(2));
  });

  test('every kept corpus belongs to a target', () => {
    expect(orphanedCorpora(targets)).toEqual([]);
  });

  test('a parser that throws is reported with its input', async () => {
    const broken = {
      name: 'broken',
      seeds: [Buffer.from('ab')],
      run: (input: Buffer) => {
        if (input.includes('a')) throw new Error('found an a');
      },
    };
    const { result } = await fuzzTarget(broken, { inputs: 20, seed: 1, watchdog, coverage });
    expect(result.failures[0]).toMatchObject({ input: 'YWI=', error: expect.stringContaining('found an a') });
  });
});

const WINDOW = { pastMs: 1e14, futureMs: 1e14 };
const anyText = fc.string({ unit: 'binary', maxLength: 20 });
const anyRecord = fc.record({
  keyId: anyText,
  timestampMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  method: anyText,
  path: anyText,
  route: anyText,
  status: fc.integer({ min: 100, max: 599 }),
  latencyMs: fc.oneof(
    fc.constant(Number.NaN),
    fc.integer({ min: 0, max: 1e9 }).map((micros) => micros / 1000),
  ),
  requestBytes: fc.nat(Number.MAX_SAFE_INTEGER),
  responseBytes: fc.nat(),
  ip: anyText,
  country: anyText,
  userAgent: anyText,
  requestId: fc.oneof(fc.uuid(), anyText),
  service: anyText,
  environment: anyText,
  rateLimited: fc.boolean(),
  error: anyText,
});

const wellFormed = (text: string) => Buffer.from(text).toString();

describe('properties', () => {
  test('a batch is read as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { minLength: 1, maxLength: 30 }), async (records) => {
        const batch = new Batch();
        for (const [n, record] of records.entries()) batch.add(record, `o${n % 3}`);
        const read = await decodeBatch(await encodeBatch(batch));
        expect(read.rows).toBe(records.length);
        for (const [row, record] of records.entries()) {
          for (const name of ['keyId', 'path', 'route', 'userAgent', 'error'] as const) {
            // Halves of characters cannot be written as UTF-8.
            expect(read[name].at(row)).toBe(wellFormed(record[name]));
          }
          for (const name of ['timestampMs', 'status', 'requestBytes', 'latencyMs'] as const) {
            expect(read[name].at(row)).toBe(record[name]);
          }
          expect(read.requestId[row]).toBe(wellFormed(record.requestId));
        }
      }),
      { numRuns: 150, seed: SEED },
    );
  });

  test('NDJSON: every line has one fate, whatever stands around it', async () => {
    const line = fc.oneof(fc.constant('{"key_id":"k","status":200}'), fc.json(), fc.string({ maxLength: 30 }));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 20 }), async (lines) => {
        const clean = lines.map((text) => text.replaceAll(/[\n\r]/g, ' ')).filter((text) => text.trim() !== '');
        const body = Buffer.from(`${clean.join('\n')}\n{"key_id":"last","status":201}`);
        const { records, errors } = await parseRecordsBody(body, 'application/x-ndjson', {
          window: WINDOW,
          maxRecords: 100,
        });
        expect(records.rows + errors.length).toBe(clean.length + 1);
        expect(records.keyId.at(records.rows - 1)).toBe('last');
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  test('CSV: a value written with quotes is read back', () => {
    const value = fc.string({ maxLength: 40 }).map((text) => `v${text.replaceAll(/[\r\0]/g, '').trim()}`);
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 10 }), (names) => {
        const text = `key_id,name\n${names.map((name, n) => `k${n},"${name.replaceAll('"', '""')}"\n`).join('')}`;
        const rows = [...csvRows(text)].map((row) => ('value' in row ? row.value.name : row.error));
        expect(rows).toEqual(names);
      }),
      { numRuns: 300, seed: SEED },
    );
  });
});

/** Paths that grow without end, each in a way that a careless pattern goes back over. */
const HOSTILE: [string, (size: number) => string][] = [
  ['many segments', (size) => '/a'.repeat(size / 2)],
  ['many numbers', (size) => '/1'.repeat(size / 2)],
  ['slashes only', (size) => '/'.repeat(size)],
  ['one long segment', (size) => `/${'a'.repeat(size)}`],
  ['letters and digits in turn', (size) => `/${'a1'.repeat(size / 2)}`],
  ['percent signs', (size) => `/${'%'.repeat(size)}`],
  ['encoded slashes', (size) => '/%2f'.repeat(size / 4)],
  ['dots and dashes', (size) => `/${'.-'.repeat(size / 2)}!`],
  ['hexadecimal with a bad end', (size) => `/${'f'.repeat(size)}g`],
  ['brackets', (size) => `/${'{'.repeat(size)}`],
];

test.each(HOSTILE)('a template of a path with %s: operations grow no faster than the path', async (_title, pathOf) => {
  const operations = async (size: number) => {
    const path = pathOf(size);
    await coverage.operations();
    templateOf(path);
    return coverage.operations();
  };
  await operations(1_000);
  const [short, long] = [await operations(8_000), await operations(32_000)];
  // Four times the length: linear is four times the blocks run, quadratic sixteen. Cut-offs make it fewer.
  expect([short, long, long <= short * 5 + 200]).toEqual([short, long, true]);
});
