import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Whole lines of a log, as many as one POST carries. */
export interface LineChunk {
  text: Buffer;
  /** Number of the first line, from 1. */
  firstLine: number;
  lines: number;
  /** Position behind the chunk in the unpacked log, bytes. */
  endOffset: number;
}

export interface ChunkStart {
  offset: number;
  line: number;
}

/** A line longer than this is no access log; it is cut off here, so that memory stays bounded. */
const MAX_LINE_BYTES = 1_048_576;
const NEWLINE = 10;

/** Opens a log, plain or gzip (told by its first bytes), or standard input for `-`. */
export async function openLog(file: string): Promise<Readable> {
  if (file === '-') return process.stdin;
  const handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  await handle.close();
  const stream = createReadStream(file, { highWaterMark: 1 << 18 });
  const isGzip = bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  return isGzip ? stream.pipe(createGunzip()) : stream;
}

/**
 * Cuts a log into chunks of `linesPerChunk` lines in constant memory. The same bytes from the same start always give
 * the same chunks: their hashes tell what was imported before.
 *
 * @param start where an earlier run stopped; bytes before it are read over
 */
export async function* lineChunks(log: Readable, linesPerChunk: number, start: ChunkStart): AsyncGenerator<LineChunk> {
  let skip = start.offset;
  let offset = start.offset;
  let firstLine = start.line;
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of log) {
    const piece = part as Buffer;
    const wanted = skip > 0 ? piece.subarray(Math.min(skip, piece.length)) : piece;
    skip -= piece.length - wanted.length;
    rest = rest.length === 0 ? wanted : Buffer.concat([rest, wanted]);
    for (let end = endOfLines(rest, linesPerChunk); end > 0; end = endOfLines(rest, linesPerChunk)) {
      offset += end;
      yield { text: rest.subarray(0, end), firstLine, lines: linesPerChunk, endOffset: offset };
      firstLine += linesPerChunk;
      rest = rest.subarray(end);
    }
    if (rest.length > MAX_LINE_BYTES * 16) throw new Error(`line ${firstLine} and following: no line ends in 16 MB`);
  }
  const lines = countLines(rest);
  if (lines > 0) yield { text: rest, firstLine, lines, endOffset: offset + rest.length };
}

/** Position behind the n-th line feed; -1 when there are fewer. */
function endOfLines(text: Buffer, lines: number): number {
  let at = -1;
  for (let seen = 0; seen < lines; seen++) {
    at = text.indexOf(NEWLINE, at + 1);
    if (at === -1) return -1;
  }
  return at + 1;
}

function countLines(text: Buffer): number {
  let lines = 0;
  for (let at = text.indexOf(NEWLINE); at !== -1; at = text.indexOf(NEWLINE, at + 1)) lines++;
  return text.length > 0 && text[text.length - 1] !== NEWLINE ? lines + 1 : lines;
}
