import type { Readable } from 'node:stream';
import { ImportError } from './import-error.ts';

/** Whole lines of a log, as many as one POST carries; or its last line, when that has no end. */
export interface LineChunk {
  text: Buffer;
  /** Number of the first line, from 1. */
  firstLine: number;
  lines: number;
  /** Position behind the chunk in the unpacked log, bytes. */
  endOffset: number;
  /** One line without an end: perhaps the last one of a finished log, perhaps one that is being written. */
  isUnfinished: boolean;
}

export interface ChunkStart {
  offset: number;
  line: number;
}

/** A POST of this many lines makes one block of a good size together with its neighbours. */
const CHUNK_LINES = 5_000;
/** A server takes bodies of 16 MiB, and a record may be a little longer than its line. */
const CHUNK_BYTES = 12 * 1_048_576;
/** A line longer than this is no access log. */
const MAX_LINE_BYTES = 16 * 1_048_576;
const NEWLINE = 10;

/**
 * Cuts a log into chunks in constant memory. The same bytes from the same start always give the same chunks: their hashes
 * tell what was imported before. For the same reason a line without an end is a chunk of its own.
 *
 * @param start where an earlier run stopped; bytes before it are read over
 * @param isFirstAlone whether the line at the start is a chunk of its own as well: the earlier run sent it without its end
 */
export async function* lineChunks(log: Readable, start: ChunkStart, isFirstAlone = false): AsyncGenerator<LineChunk> {
  let skip = start.offset;
  let at: ChunkStart = start;
  let rest: Buffer = Buffer.alloc(0);
  const next = (bytes: number, lines: number, isUnfinished = false): LineChunk => {
    const [text, firstLine] = [rest.subarray(0, bytes), at.line];
    rest = rest.subarray(bytes);
    at = { offset: at.offset + bytes, line: at.line + lines };
    return { text, firstLine, lines, endOffset: at.offset, isUnfinished };
  };
  const maxLines = () => (isFirstAlone && at.line === start.line ? 1 : CHUNK_LINES);
  for await (const part of log) {
    const piece = part as Buffer;
    const wanted = skip > 0 ? piece.subarray(Math.min(skip, piece.length)) : piece;
    skip -= piece.length - wanted.length;
    rest = rest.length === 0 ? wanted : Buffer.concat([rest, wanted]);
    for (let cut = firstChunk(rest, maxLines()); cut.isWhole; cut = firstChunk(rest, maxLines()))
      yield next(cut.bytes, cut.lines);
    if (rest.length > MAX_LINE_BYTES) throw new ImportError(`line ${at.line}: it does not end in 16 MB`);
  }
  const { bytes, lines } = firstChunk(rest, maxLines());
  if (lines > 0) yield next(bytes, lines);
  if (rest.length > 0) yield next(rest.length, 1, true);
}

/** The whole lines at the beginning of a text that are one chunk, and whether none can be added by what follows the text. */
export function firstChunk(
  text: Buffer,
  maxLines: number,
  maxBytes = CHUNK_BYTES,
): { bytes: number; lines: number; isWhole: boolean } {
  let [bytes, lines] = [0, 0];
  while (lines < maxLines) {
    const end = text.indexOf(NEWLINE, bytes) + 1;
    // The end of a line that is not there yet is behind the text.
    const isTooFar = (end === 0 ? text.length + 1 : end) > maxBytes;
    if (lines > 0 && isTooFar) return { bytes, lines, isWhole: true };
    if (end === 0) return { bytes, lines, isWhole: false };
    bytes = end;
    lines++;
  }
  return { bytes, lines, isWhole: true };
}
