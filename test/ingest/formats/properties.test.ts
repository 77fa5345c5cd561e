import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FormatPayload, FormatResult } from '../../../ingest/formats/format.ts';
import { FORMAT_NAMES, formatByName } from '../../../ingest/formats/registry.ts';
import { isRecordError, parseRecord } from '../../../ingest/record.ts';
import { redactPath } from '../../../ingest/redact-path.ts';
import { redactText } from '../../../ingest/redact-text.ts';
import { templateOf } from '../../../ingest/route-template.ts';
import { SAMPLES } from './samples/all.ts';
import { NOW_MS, optionsOf, payloadOf } from './samples/sample.ts';

const RUNS = { numRuns: 100 };
const WINDOW = { pastMs: 1e14, futureMs: 1e14 };
const CONTENT_TYPES = ['application/json', 'text/plain', '', 'application/x-protobuf', 'application/x-ndjson'];
const KEY_SOURCES = [{ field: '__proto__.constructor' }, { header: 'X-API-Key' }, { jwtClaim: 'constructor.name' }];

/** Each entry ends in exactly one of three places, with its own index, and what is accepted is valid. */
function check(result: FormatResult, entries?: number): void {
  const count = result.records.length + result.rejects.length + result.skipped;
  if (entries !== undefined) expect(count).toBe(entries);
  const indexes = result.rejects.map(({ index }) => index);
  expect(new Set(indexes).size).toBe(indexes.length);
  expect(indexes.every((index) => index >= 0 && index < count)).toBe(true);
  const refused = result.records
    .map((record, index) => parseRecord(record, index, NOW_MS, WINDOW))
    .filter(isRecordError)
    .filter(({ field }) => field !== 'timestamp');
  expect(refused).toEqual([]);
  for (const record of result.records) {
    redactPath(templateOf(record.path ?? ''));
    redactText(record.user_agent ?? '');
  }
}

function payload(body: Buffer | string, contentType: string, headers: Record<string, string> = {}): FormatPayload {
  return payloadOf({ body, contentType, headers });
}

describe.each(FORMAT_NAMES)('%s', (name) => {
  const format = formatByName(name)!;
  const samples = SAMPLES.filter((sample) => name === 'auto' || sample.format === name);
  const anySample = fc.constantFrom(...samples);
  const isOneDocument = name === 'firehose' || name.startsWith('otlp') || name === 'auto';

  it('survives any bytes', () => {
    const headers = fc.constantFrom(
      {},
      { 'ce-id': '1', 'ce-specversion': '1.0' },
      { 'x-amz-firehose-request-id': 'x' },
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom(...CONTENT_TYPES),
        headers,
        (bytes, type, head) => {
          const input = payload(Buffer.from(bytes), type, head as Record<string, string>);
          check(format.parse(input, { keySources: [] }));
          format.recognises(input);
        },
      ),
      RUNS,
    );
  });

  it('survives any JSON, one result per entry', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 6 }), (entries) => {
        const isPlain = !entries.some((entry) => Object.values(entry).some(Array.isArray));
        const result = format.parse(payload(JSON.stringify(entries), 'application/json'), { keySources: KEY_SOURCES });
        check(result, isOneDocument || !isPlain ? undefined : entries.length);
      }),
      RUNS,
    );
  });

  it('survives a sample with any field replaced', () => {
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.double(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(-1, 0, 1e308, '-', '', 'NaN', '1e999', '0x10', '9'.repeat(400), '\u0000', '__proto__', [[]], {
        a: {},
      }),
    );
    fc.assert(
      fc.property(anySample, odd, fc.nat(), (sample, value, place) => {
        const text = sample.body.toString('utf8');
        let document: unknown;
        try {
          document = JSON.parse(text);
        } catch {
          return;
        }
        const input = payload(JSON.stringify(replaceAt(document, place, value)), 'application/json', sample.headers);
        check(format.parse(input, optionsOf(sample)));
      }),
      RUNS,
    );
  });

  it('survives a sample cut, doubled and bit-flipped', () => {
    fc.assert(
      fc.property(anySample, fc.nat(), fc.nat(), fc.nat(255), (sample, cut, at, byte) => {
        const whole = Buffer.from(sample.body as string);
        const bytes = Buffer.concat([whole.subarray(0, cut % (whole.length + 1)), whole]);
        bytes[at % bytes.length] = byte;
        const type = sample.contentType ?? 'application/json';
        check(format.parse(payload(bytes, type, sample.headers), optionsOf(sample)));
      }),
      RUNS,
    );
  });

  it('takes the same in steps as in one go', () => {
    const sample = samples[0]!;
    const steps = format.steps(payloadOf(sample), optionsOf(sample));
    let step = steps.next();
    while (!step.done) step = steps.next();
    expect(step.value).toEqual(format.parse(payloadOf(sample), optionsOf(sample)));
  });

  it('bounds nesting and does not touch the prototype', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    for (const body of [deep, `{"request":${deep}}`, `{"log":${JSON.stringify(`{"log":"{\\"log\\":\\"x\\"}"}`)}}`]) {
      check(format.parse(payload(body, 'application/json'), { keySources: KEY_SOURCES }));
    }
    const polluted =
      '{"__proto__":{"status":200,"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},"status":200}';
    check(format.parse(payload(polluted, 'application/json'), { keySources: KEY_SOURCES }));
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
  });
});

/** A document in which the n-th value, counted depth first, is another. */
function replaceAt(document: unknown, place: number, value: unknown): unknown {
  const places: (() => void)[] = [];
  const copy = structuredClone(document);
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push(() =>
        Object.defineProperty(node, key, { value, enumerable: true, configurable: true, writable: true }),
      );
      walk((node as Record<string, unknown>)[key]);
    }
  };
  walk(copy);
  places[place % Math.max(1, places.length)]?.();
  return copy;
}

describe('time stays linear', () => {
  const name = (title: string): string => title;
  const size = 400_000;
  const hostile: Record<string, string> = {
    'open braces on lines of their own': '{\n'.repeat(size / 2),
    'open braces': '{'.repeat(size),
    'open braces closed at the far end': `${'{x\n'.repeat(size / 4)}${'}'.repeat(size / 4)}`,
    quotes: '{"'.repeat(size / 2),
    backslashes: `{"${'\\'.repeat(size)}`,
    brackets: '[\n'.repeat(size / 2),
    'log lines without end': `1.1.1.1 - - [15/Jan/2026:09:59:58 +0000] "${' "'.repeat(size / 2)}`,
    'brackets in a log line': ' ['.repeat(size / 2),
    'quotes in an Envoy line': `[2026-01-15T09:59:58.250Z] "${'" "'.repeat(size / 3)}`,
    'broken objects in one line': '{x}'.repeat(size / 3),
  };
  it.each(Object.keys(hostile))(
    '%s',
    (title) => {
      for (const format of ['kong', 'nginx', 'envoy', 'fluent-bit', 'auto']) {
        check(formatByName(format)!.parse(payload(hostile[name(title)]!, 'text/plain'), { keySources: [] }));
      }
      // Quadratic time would be minutes, which is beyond the limit of the test.
    },
    40_000,
  );
});
