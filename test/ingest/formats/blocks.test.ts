import { describe, expect, it } from 'vitest';
import { firehoseReply } from '../../../ingest/formats/firehose.ts';
import { numberOf, textOf, valueAt } from '../../../ingest/formats/json-value.ts';
import { jwtClaim, withoutScheme } from '../../../ingest/formats/key-source.ts';
import { anyTimeMs, clfMs, rfc3339Ms, secondsToMs, startBefore } from '../../../ingest/formats/log-time.ts';
import { otlpReply, rejectSummary } from '../../../ingest/formats/otlp-reply.ts';
import { entriesOf } from '../../../ingest/formats/payload-entries.ts';
import { ProtobufReader } from '../../../ingest/formats/protobuf-reader.ts';
import { Refusal } from '../../../ingest/formats/refusal.ts';
import { jwtWith } from './samples/sample.ts';

const NOON = Date.UTC(2026, 0, 15, 12);

describe('times', () => {
  it.each([
    [NOON, NOON],
    [NOON / 1000, NOON],
    [NOON * 1000, NOON],
    [NOON * 1e6, NOON],
    [String(NOON / 1000) + '.250', NOON + 250],
    ['2026-01-15T12:00:00Z', NOON],
    ['2026-01-15T13:00:00.123456789+01:00', NOON + 123],
    ['15/Jan/2026:12:00:00 +0000', NOON],
    ['15/Jan/2026:06:30:00 -0530', NOON],
    ['-', undefined],
    ['', undefined],
    [null, undefined],
    ['2026-01-15T12:00:00', Number.NaN],
    ['2026-02-30T12:00:00Z', Number.NaN],
    ['2026-13-01T12:00:00Z', Number.NaN],
    ['15/Foo/2026:12:00:00 +0000', Number.NaN],
    ['yesterday', Number.NaN],
    ['0x7f', Number.NaN],
    [true, Number.NaN],
    [{}, Number.NaN],
  ])('%s', (value, expected) => expect(anyTimeMs(value)).toEqual(expected));

  it('are strict', () => {
    expect(rfc3339Ms('2026-01-15')).toBeNaN();
    expect(rfc3339Ms('2024-02-29T00:00:00Z')).toBe(Date.UTC(2024, 1, 29));
    expect(clfMs('5/Jan/2026:12:00:00 +0000')).toBeNaN();
    expect(clfMs('15/Jan/2026:25:00:00 +0000')).toBeNaN();
    expect(clfMs('15/anF/2026:12:00:00 +0000')).toBeNaN();
  });

  it('of the end become times of the start', () => {
    expect(startBefore(NOON, 250)).toBe(NOON - 250);
    expect(startBefore(NOON, undefined)).toBe(NOON);
    expect(startBefore(NOON, Number.NaN)).toBe(NOON);
    expect(secondsToMs(0.1 + 0.2)).toBe(300);
  });
});

describe('values', () => {
  it.each([
    ['12', 12],
    [' 1.5e3 ', 1500],
    [7, 7],
    ['-', undefined],
    ['', undefined],
    [null, undefined],
    ['0x10', Number.NaN],
    ['1,2', Number.NaN],
    ['Infinity', Number.NaN],
    [[], Number.NaN],
  ])('numberOf %j', (value, number) => expect(numberOf(value)).toEqual(number));

  it('reads own properties by path, dotted names first', () => {
    const object = { a: { b: 'x', 'c.d': 'y' }, 'a.b': 'z' };
    expect(valueAt(object, 'a.b')).toBe('z');
    expect(valueAt(object, 'a.c.d')).toBe('y');
    expect(valueAt(object, 'constructor.name')).toBeUndefined();
    expect(valueAt(object, '__proto__')).toBeUndefined();
    expect(textOf(['first', 'second'])).toBe('first');
  });
});

describe('keys', () => {
  it('takes the credential out of its scheme', () => {
    expect(withoutScheme('Bearer abc')).toBe('abc');
    expect(withoutScheme('ApiKey abc')).toBe('abc');
    expect(withoutScheme(`Basic ${Buffer.from('key_1:').toString('base64')}`)).toBe('key_1');
    expect(withoutScheme('abc')).toBe('abc');
  });

  it('reads claims and never throws', () => {
    expect(jwtClaim(`Bearer ${jwtWith({ sub: 'a', client: { id: 7 } })}`, 'client.id')).toBe('7');
    for (const token of ['', 'a.b.c', 'Bearer a.b', `x.${'e'.repeat(20_000)}.y`, 'a.bnVsbA.c', '..'])
      expect(jwtClaim(token, 'sub')).toBe('');
  });
});

describe('entries', () => {
  const kinds = (text: string): string[] =>
    [...entriesOf(text)].map((entry) =>
      entry instanceof Refusal ? '!' : typeof entry === 'string' ? `"${entry}"` : JSON.stringify(entry),
    );
  it.each([
    ['', []],
    [' \n\r\n', []],
    ['\ufeff{"a":1}', ['{"a":1}']],
    ['[]', []],
    ['[{"a":1},{"a":2}]', ['{"a":1}', '{"a":2}']],
    ['[{"a":1}]\n[{"a":2}]', ['{"a":1}', '{"a":2}']],
    ['{"a":1}{"a":2}{"a":3}', ['{"a":1}', '{"a":2}', '{"a":3}']],
    ['{"a":1}\r\n{"a":2}\r\n', ['{"a":1}', '{"a":2}']],
    ['{\n "a": "}\\"{"\n}\n{"b":1}', ['{"a":"}\\"{"}', '{"b":1}']],
    ['{"a":1},\n{"a":2}', ['{"a":1}', '{"a":2}']],
    ['{"a":1}\nline\n{"a":', ['{"a":1}', '"line"', '!']],
    ['{bad}\n{"a":1}', ['!', '{"a":1}']],
    ['[{"a":1},{"a":', ['{"a":1}', '!']],
    ['[{"a":1},{x},{"a":2}]', ['{"a":1}', '!', '{"a":2}']],
    ['["line", 1, null]', ['"line"', '!', '!']],
    ['[2026-01-15T09:59:58Z] "GET', ['"[2026-01-15T09:59:58Z] "GET"']],
    ['[error] x\ny', ['"[error] x"', '"y"']],
    // Apache and nginx write bytes as \xhh.
    ['{"a":"caf\\xc3\\xa9 \\x22\\x5C\\x00"}', ['{"a":"café \\"\\\\\\u0000"}']],
    ['{"a":"\\xff\\xc3\\xa9 \\xE9"}\n{"b":1}', ['{"a":"\u00ff\u00c3\u00a9 \u00e9"}', '{"b":1}']],
    ['[{"a":"\\\\x \\v\\\\\\x41"},{"a":"\\xg0"}]', ['{"a":"\\\\x \\u000b\\\\A"}', '!']],
    ['{"a":"\\\\xc3"}', ['{"a":"\\\\xc3"}']],
    ['{"a":"\\xc3}\n{"b":1}', ['!', '{"b":1}']],
  ])('%j', (text, expected) => expect(kinds(text)).toEqual(expected));
});

describe('replies', () => {
  it('Firehose gets its own id back', () => {
    expect(firehoseReply('id', 5)).toEqual({ requestId: 'id', timestamp: 5 });
    expect(firehoseReply('id', 5, 'x'.repeat(9000)).errorMessage).toHaveLength(8192);
  });

  it('OTLP gets an empty success or a partial one, in its own encoding', () => {
    expect(otlpReply('application/json', 'traces', 0, '').body.toString()).toBe('{}');
    expect(JSON.parse(otlpReply('application/json', 'logs', 3, 'why').body.toString())).toEqual({
      partialSuccess: { rejectedLogRecords: '3', errorMessage: 'why' },
    });
    expect(otlpReply('application/x-protobuf', 'traces', 0, '').body).toHaveLength(0);
    const reply = otlpReply('application/x-protobuf', 'traces', 300, 'why');
    const outer = new ProtobufReader(reply.body);
    outer.next();
    const partial = outer.message();
    partial.next();
    expect([outer.field, partial.field, partial.varint()]).toEqual([1, 1, 300]);
    partial.next();
    expect([partial.field, partial.text(), partial.next(), partial.isBroken]).toEqual([2, 'why', false, false]);
    expect(rejectSummary([1, 2, 3, 4].map((index) => ({ index, field: 'f', message: 'm' })))).toBe(
      '#1 f m; #2 f m; #3 f m; and 1 more',
    );
  });
});
