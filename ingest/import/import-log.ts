import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Format, FormatOptions } from '../formats/format.ts';
import type { RecordInput } from '../record.ts';
import { fingerprintOf, type ImportState } from './import-state.ts';
import { type LineChunk, lineChunks, openLog } from './line-chunks.ts';

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

/** A POST of this many lines makes one block of a good size together with its neighbours. */
const LINES_PER_CHUNK = 5_000;
/** Chunks under way: hides the time a batch waits for company. */
const CHUNKS_AT_ONCE = 6;
const TRIES = 8;
const FIRST_RETRY_MS = 500;

/**
 * Imports one log. A second run counts nothing twice: the position of each file is kept, and every chunk is sent under
 * a key made of its content, which the server remembers for 400 days.
 *
 * @throws Error of one line when the server refuses the whole import
 */
export async function importLog(
  file: string,
  options: ImportOptions,
  onProgress: (progress: ImportProgress) => void,
): Promise<ImportSummary> {
  const summary: ImportSummary = {
    lines: 0,
    accepted: 0,
    alreadyImported: 0,
    olderThanSince: 0,
    skipped: 0,
    rejects: new Map(),
  };
  const fingerprint =
    file === '-' ? '' : fingerprintOf(file, `${options.url} ${options.format.name} ${JSON.stringify(options.key)}`);
  const start = fingerprint === '' ? { offset: 0, line: 1 } : options.state.get(fingerprint);
  summary.alreadyImported = start.line - 1;
  let position = start;
  let underWay: Promise<void>[] = [];
  const settle = async () => {
    await Promise.all(underWay);
    underWay = [];
    if (fingerprint !== '') options.state.set(fingerprint, position);
    onProgress({ offset: position.offset, lines: summary.lines });
  };
  for await (const chunk of lineChunks(await openLog(file), LINES_PER_CHUNK, start)) {
    const imported = importChunk(chunk, options, summary);
    // Awaited together below; until then a refusal must not count as unhandled.
    imported.catch(() => {});
    underWay.push(imported);
    position = { offset: chunk.endOffset, line: chunk.firstLine + chunk.lines };
    if (underWay.length >= CHUNKS_AT_ONCE) await settle();
  }
  await settle();
  return summary;
}

async function importChunk(chunk: LineChunk, options: ImportOptions, summary: ImportSummary): Promise<void> {
  const payload = { body: chunk.text, contentType: 'text/plain', headers: {}, nowMs: Date.now() };
  const { records, rejects, skipped } = options.format.parse(payload, options.formatOptions);
  for (const { index, field, message } of rejects) note(summary, `${field} ${message}`.trim(), chunk.firstLine + index);
  const wanted = records
    .filter((record) => timeOf(record) >= options.sinceMs)
    .map((record) => withKey(record, options.key));
  summary.olderThanSince += records.length - wanted.length;
  summary.skipped += skipped;
  if (wanted.length > 0) await send(wanted, chunk, options, summary);
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
function idempotencyKey(chunk: LineChunk, { format, key, sinceMs }: ImportOptions): string {
  const hash = createHash('sha256')
    .update(`${format.name} ${JSON.stringify(key)} ${sinceMs}\n`)
    .update(chunk.text);
  return `import-${hash.digest('hex')}`;
}

interface ServerAnswer {
  accepted?: number;
  rejected?: number;
  detail?: string;
  errors?: { index: number; field: string; message: string }[];
}

async function send(
  records: readonly RecordInput[],
  chunk: LineChunk,
  options: ImportOptions,
  summary: ImportSummary,
): Promise<void> {
  const body = gzipSync(records.map((record) => JSON.stringify(record)).join('\n'), { level: 1 });
  const headers = {
    Authorization: `Bearer ${options.token}`,
    'Content-Type': 'application/x-ndjson',
    'Content-Encoding': 'gzip',
    'Idempotency-Key': idempotencyKey(chunk, options),
  };
  const { status, answer } = await postRepeatedly(`${options.url}/v1/requests`, headers, body);
  const allRejected = status === 400 && answer.rejected !== undefined;
  if (status !== 202 && !allRejected)
    throw new Error(`${options.url} answered ${status}: ${answer.detail ?? 'no reason given'}`);
  summary.accepted += answer.accepted ?? 0;
  const shown = answer.errors ?? [];
  for (const { field, message } of shown) note(summary, `${field} ${message}`.trim(), chunk.firstLine);
  for (let n = shown.length; n < (answer.rejected ?? 0); n++)
    note(summary, shown[0] ? `${shown[0].field} ${shown[0].message}` : 'rejected', chunk.firstLine);
}

/** A server that is away or full is waited for; the same key makes the repeat harmless. */
async function postRepeatedly(
  url: string,
  headers: Record<string, string>,
  body: Buffer,
): Promise<{ status: number; answer: ServerAnswer }> {
  for (let attempt = 1; ; attempt++) {
    let reason: string;
    try {
      const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
      if (response.status !== 429 && response.status < 500) {
        return { status: response.status, answer: (await response.json()) as ServerAnswer };
      }
      reason = `answered ${response.status}`;
      await response.arrayBuffer();
    } catch (error) {
      reason = (error as Error & { cause?: Error }).cause?.message ?? (error as Error).message;
    }
    if (attempt === TRIES) throw new Error(`${url}: ${reason}, ${TRIES} times; run the same command again to go on`);
    await sleep(FIRST_RETRY_MS * 2 ** (attempt - 1));
  }
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
