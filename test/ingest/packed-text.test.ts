import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packText, unpackText } from '../../ingest/packed-text.ts';

test('any bytes come back, with zeros up to the end of the group', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const back = unpackText(packText(bytes));
      expect(back.subarray(0, bytes.length)).toEqual(Buffer.from(bytes));
      expect(back.length - bytes.length).toBeLessThan(13);
      expect(back.subarray(bytes.length).every((byte) => byte === 0)).toBe(true);
    }),
  );
});

test('JSON carries the text without escaping a character of it', () => {
  const bytes = Uint8Array.from({ length: 65_536 * 2 }, (_, n) => (n & 1 ? n >> 9 : n >> 1));
  const text = packText(bytes);
  expect(JSON.stringify(text).length).toBe(text.length + 2);
  expect(text.length / bytes.length).toBeCloseTo(16 / 13, 3);
});

test.each([
  ['a length of no group', 'abc'],
  ['a quote', '"'.repeat(16)],
  ['a character beyond ASCII', 'ü'.repeat(16)],
  ['a character beyond one byte', '日'.repeat(16)],
])('%s is refused', (_name, text) => {
  expect(() => unpackText(text)).toThrow(RangeError);
});
