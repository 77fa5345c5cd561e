import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Format, FormatOptions } from '../formats/format.ts';
import type { RecordInput } from '../record.ts';
import { postRecords } from './import-post.ts';
import type { ImportState } from './import-state.ts';
import { type LineChunk, lineChunks } from './line-chunks.ts';
import { openLog } from './log-file.ts';
import { LogProgress } from './log-progress.ts';

/** What an import needs to know. */
export interface ImportOptions {
  format: Format;
  /** Address of Keytally and a token with the ingest scope. */
  url: string;
  token: string;
  formatOptions: FormatOptions;
  /** The key of every record, where the log itself says nothing: a fixed id, or the client's address. */
  key: { kind: 'log' } | { kind: 'id'; id: string } | { kind: 'ip' };
  /** Older records are left out; epoch milliseconds, 0 = all. */
  sinceMs: number;
  state: ImportState;
}

export interface ImportSummary {
  lines: number;
  accepted: number;
  /** Lines imported by an earlier run of the same file. */
  alreadyImported: number;
  olderThanSince: number;
  skipped: number;
  /** Reason → how often, and the first line with it. */
  rejects: Map<string, { count: number; firstLine: number }>;
}

export interface ImportProgress {
  /** Bytes of the unpacked log read so far. */
  offset: number;
  lines: number;
}

/** Chunks under way: hides the time a batch waits for company. */
const CHUNKS_AT_ONCE = 6;

/**
 * Imports one log. A second run counts nothing twice: the position in each log is kept, and every chunk is sent under
 * a key made of its content, which the server remembers for 400 days.
 *
 * @throws {ImportError} when the server refuses the whole import, or a line has no end
 */
export async function importLog(
  file: string,
  options: ImportOptions,
  onProgress: (progress: ImportProgress) => void,
): Promise<ImportSummary> {
  const destination = `${options.url} ${options.format.name} ${JSON.stringify(options.key)}`;
  const log = await openLog(file);
  try {
    const progress = file === '-' ? LogProgress.ofStream() : await LogProgress.of(log, destination, options.state);
    const start = progress.position;
    const summary: ImportSummary = {
      lines: 0,
      accepted: 0,
      alreadyImported: start.line - 1,
      olderThanSince: 0,
      skipped: 0,
      rejects: new Map(),
    };
    const settled = () => onProgress({ offset: progress.position.offset, lines: summary.lines });
    const chunks = lineChunks(log.read(), start, start.unfinished !== undefined);
    await importChunks(chunks, progress, options, summary, settled);
    return summary;
  } finally {
    await log.close();
  }
}

async function importChunks(
  chunks: AsyncIterable<LineChunk>,
  progress: LogProgress,
  options: ImportOptions,
  summary: ImportSummary,
  onSettled: () => void,
): Promise<void> {
  let underWay: Promise<void>[] = [];
  const settle = async () => {
    await Promise.all(underWay);
    underWay = [];
    progress.save();
    onSettled();
  };
  for await (const chunk of chunks) {
    const { unfinished } = progress.position;
    if (progress.isTaken(chunk)) {
      summary.alreadyImported++;
      if (!chunk.isUnfinished) progress.pass(chunk);
    } else if (chunk.isUnfinished) {
      await settle();
      const line = progress.beginUnfinished(chunk);
      await importChunk(chunk, `unfinished ${line.id}`, options, summary);
      progress.endUnfinished(line);
    } else {
      const imported = importChunk(chunk, unfinished ? `unfinished ${unfinished.id}` : chunk.text, options, summary);
      // Awaited together above; until then a refusal must not count as unhandled.
      imported.catch(() => {});
      underWay.push(imported);
      progress.pass(chunk);
    }
    if (underWay.length >= CHUNKS_AT_ONCE) await settle();
  }
  await settle();
}

/** @param identity what tells a repeat of the chunk */
async function importChunk(
  chunk: LineChunk,
  identity: string | Buffer,
  options: ImportOptions,
  summary: ImportSummary,
): Promise<void> {
  const payload = { body: chunk.text, contentType: 'text/plain', headers: {}, nowMs: Date.now() };
  const { records, indexes, rejects, skipped } = options.format.parse(payload, options.formatOptions);
  const lineOf = (index: number) => chunk.firstLine + index;
  for (const { index, field, message } of rejects) note(summary, `${field} ${message}`.trim(), lineOf(index));
  const wanted: RecordInput[] = [];
  const lines: number[] = [];
  for (const [at, record] of records.entries()) {
    const timeMs = timeOf(record);
    // The server would take it for one of now.
    if (Number.isNaN(timeMs)) note(summary, 'has no time', lineOf(indexes[at]!));
    else if (timeMs < options.sinceMs) summary.olderThanSince++;
    else {
      wanted.push(withKey(record, options.key));
      lines.push(lineOf(indexes[at]!));
    }
  }
  summary.skipped += skipped;
  if (wanted.length > 0) await send(wanted, lines, idempotencyKey(identity, options), options, summary);
  summary.lines += chunk.lines;
}

function timeOf({ timestamp }: RecordInput): number {
  return typeof timestamp === 'number' ? timestamp : Date.parse(timestamp ?? '');
}

function withKey(record: RecordInput, key: ImportOptions['key']): RecordInput {
  if (key.kind === 'log') return record;
  return { ...record, key_id: key.kind === 'id' ? key.id : (record.ip ?? 'unknown') };
}

/** The same content to the same key always has the same name, on whichever day it is sent. */
function idempotencyKey(identity: string | Buffer, { format, key, sinceMs }: ImportOptions): string {
  const hash = createHash('sha256')
    .update(`${format.name} ${JSON.stringify(key)} ${sinceMs}\n`)
    .update(identity);
  return `import-${hash.digest('hex')}`;
}

/** @param lines number of the line of each record */
async function send(
  records: readonly RecordInput[],
  lines: readonly number[],
  key: string,
  options: ImportOptions,
  summary: ImportSummary,
): Promise<void> {
  const { accepted, rejected, errors } = await postRecords(options, key, records);
  summary.accepted += accepted;
  const reasonOf = ({ field, message }: { field: string; message: string }) => `${field} ${message}`.trim();
  for (const error of errors) note(summary, reasonOf(error), lines[error.index] ?? lines[0]!);
  for (let n = errors.length; n < rejected; n++) note(summary, errors[0] ? reasonOf(errors[0]) : 'rejected', lines[0]!);
}

function note(summary: ImportSummary, reason: string, line: number): void {
  const seen = summary.rejects.get(reason);
  if (!seen) summary.rejects.set(reason, { count: 1, firstLine: line });
  else {
    seen.count++;
    seen.firstLine = Math.min(seen.firstLine, line);
  }
}

/** Size of a file for the progress bar, bytes; undefined when it cannot be known (standard input, gzip). */
export function sizeOf(file: string): number | undefined {
  return file === '-' || file.endsWith('.gz') ? undefined : statSync(file).size;
}
