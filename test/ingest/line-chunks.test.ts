import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { firstChunk, type LineChunk, lineChunks } from '../../ingest/import/line-chunks.ts';

const BEGINNING = { offset: 0, line: 1 };

async function chunksOf(text: Buffer, pieceBytes: number, start = BEGINNING, isFirstAlone = false) {
  const pieces: Buffer[] = [];
  for (let at = 0; at < text.length; at += pieceBytes) pieces.push(text.subarray(at, at + pieceBytes));
  const chunks: LineChunk[] = [];
  for await (const chunk of lineChunks(Readable.from(pieces), start, isFirstAlone)) chunks.push(chunk);
  return chunks;
}

const shapeOf = ({ firstLine, lines, endOffset, isUnfinished }: LineChunk) => ({
  firstLine,
  lines,
  endOffset,
  isUnfinished,
});

describe('the first chunk of a text', () => {
  test.each([
    ['nothing', '', 3, 10, { bytes: 0, lines: 0, isWhole: false }],
    ['a line without an end', 'abc', 3, 10, { bytes: 0, lines: 0, isWhole: false }],
    ['fewer lines than may be', 'a\nb\n', 3, 10, { bytes: 4, lines: 2, isWhole: false }],
    ['as many lines as may be', 'a\nb\nc\nd\n', 3, 10, { bytes: 6, lines: 3, isWhole: true }],
    ['exactly as many bytes as may be', 'aaaa\nbbbb\n', 3, 10, { bytes: 10, lines: 2, isWhole: true }],
    ['one byte more', 'aaaa\nbbbbb\n', 3, 10, { bytes: 5, lines: 1, isWhole: true }],
    ['one byte more, before its end is there', 'aaaa\nbbbbb', 3, 10, { bytes: 5, lines: 1, isWhole: true }],
    ['a first line that is longer alone', 'aaaaaaaaaaaa\nb\n', 3, 10, { bytes: 13, lines: 1, isWhole: true }],
  ])('%s', (_, text, maxLines, maxBytes, chunk) => {
    expect(firstChunk(Buffer.from(text), maxLines, maxBytes)).toEqual(chunk);
  });
});

test('5,000 lines of 4 KB are two chunks, the same ones however the bytes come in', async () => {
  const log = Buffer.from(`${'x'.repeat(4_095)}\n`.repeat(5_000));
  const inLarge = await chunksOf(log, 1 << 18);
  expect(inLarge.map(shapeOf)).toEqual([
    { firstLine: 1, lines: 3_072, endOffset: 3_072 * 4_096, isUnfinished: false },
    { firstLine: 3_073, lines: 1_928, endOffset: log.length, isUnfinished: false },
  ]);
  expect((await chunksOf(log, 99_991)).map(shapeOf)).toEqual(inLarge.map(shapeOf));
});

test('a line without an end is a chunk of its own', async () => {
  expect((await chunksOf(Buffer.from('a\nb\nhalf'), 3)).map(shapeOf)).toEqual([
    { firstLine: 1, lines: 2, endOffset: 4, isUnfinished: false },
    { firstLine: 3, lines: 1, endOffset: 8, isUnfinished: true },
  ]);
});

test('so is the line at the start, where an earlier run sent it without its end', async () => {
  const start = { offset: 2, line: 2 };
  expect((await chunksOf(Buffer.from('a\nb\nc\nd\n'), 3, start, true)).map(shapeOf)).toEqual([
    { firstLine: 2, lines: 1, endOffset: 4, isUnfinished: false },
    { firstLine: 3, lines: 2, endOffset: 8, isUnfinished: false },
  ]);
});

test('a line that does not end is not kept in memory for ever', async () => {
  const log = Buffer.concat([Buffer.from('a\n'), Buffer.alloc(17 * 1_048_576, 'x')]);
  await expect(chunksOf(log, 1 << 18)).rejects.toThrow('line 2: it does not end in 16 MB');
});
