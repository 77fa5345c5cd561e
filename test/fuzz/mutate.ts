import type { Random } from '../support/random.ts';

/** Pieces that parsers trip over. */
const WORDS = [
  ...['{', '}', '[', ']', '"', '\\', '\\u0000', '\\ud800', ',', ':', '\n', '\r\n', '\t', '\0', ' ', '%', '%00', '%2f'],
  ...['null', 'true', '-1', '1e999', '-0', '0.1e-7', '9007199254740993', '18446744073709551616', '2147483648', 'NaN'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'length'],
  ...[
    '/',
    '//',
    '/../',
    '?',
    '&',
    '=',
    ';',
    '#',
    '{id}',
    '*',
    '(',
    ')',
    '|',
    '$',
    '^',
    '.*',
    "'",
    '--',
    '\u2028',
    '\ufeff',
  ],
  ...['1970-01-01T00:00:00Z', '9999-12-31T23:59:60Z', '-271821-04-20', '0', '99999999999999999999'],
].map((word) => Buffer.from(word));
const BYTES = [Buffer.from([0xff]), Buffer.from([0x80]), Buffer.from([0xc0, 0xaf]), Buffer.from([0xed, 0xa0, 0x80])];
const VARINT_END = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
const PIECES = [...WORDS, ...BYTES, VARINT_END];
const MAX_BYTES = 16_384;
const MAX_CHANGES = 6;

/** A changed copy of an input; `others` lend pieces. The same random numbers give the same copy. */
export function mutated(random: Random, input: Buffer, others: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(input);
  for (let change = random.integer(1, MAX_CHANGES); change > 0; change--) bytes = changed(random, bytes, others);
  return bytes.subarray(0, MAX_BYTES);
}

function changed(random: Random, bytes: Buffer, others: readonly Buffer[]): Buffer {
  const at = random.integer(0, bytes.length);
  const end = Math.min(bytes.length, at + random.integer(1, 24));
  switch (random.integer(0, 7)) {
    case 0:
      if (at < bytes.length) bytes[at]! ^= 1 << random.integer(0, 7);
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = random.integer(0, 255);
      return bytes;
    case 2:
      return spliced(bytes, at, at, random.pick(PIECES));
    case 3:
      return spliced(bytes, at, end, random.pick(PIECES));
    case 4:
      return spliced(bytes, at, end, Buffer.alloc(0));
    case 5:
      return spliced(bytes, at, at, repeated(bytes.subarray(at, end), random.integer(1, 40)));
    case 6:
      return bytes.subarray(0, at);
    default: {
      const other = random.pick(others);
      const from = random.integer(0, other.length);
      return spliced(bytes, at, end, other.subarray(from, from + random.integer(1, 200)));
    }
  }
}

function spliced(bytes: Buffer, from: number, to: number, middle: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)]);
}

function repeated(piece: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => piece));
}
