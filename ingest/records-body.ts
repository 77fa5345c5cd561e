import { nextTurn, OWN_TURN_BYTES, turnToBegin } from './event-loop.ts';
import { LineReader } from './line-reader.ts';
import { ParsedRecords } from './parsed-records.ts';
import { Problem } from './problem.ts';
import { isRecordError, type ParsedRecord, parseRecord, type RecordError, type TimeWindow } from './record.ts';

/** Records parsed before the event loop gets a turn: 1 to 2 ms of work, several times that where others want the processor too. */
const SLICE_RECORDS = 500;
/** Room is taken for as many records as a body has if each takes this; for more it grows. */
const USUAL_LINE_BYTES = 256;
const NEWLINE = 10;

export interface ParsedBody {
  records: ParsedRecords;
  errors: RecordError[];
}

export interface BodyLimits {
  window: TimeWindow;
  maxRecords: number;
}

/**
 * Parses the body of `POST /v1/requests`: one JSON object, an array, or one object per line (NDJSON).
 * A line that is not JSON is one rejected record; a body that is not JSON at all is a 400.
 *
 * @throws {Problem} 400 when nothing can be made of the body, 413 when it holds too many records
 */
export async function parseRecordsBody(body: Buffer, contentType: string, limits: BodyLimits): Promise<ParsedBody> {
  if (body.length > OWN_TURN_BYTES) await turnToBegin();
  if (contentType === 'application/x-ndjson' || contentType === 'application/ndjson') return parseLines(body, limits);
  const text = body.toString('utf8').trim();
  if (text === '') throw emptyBody();
  const whole = parseJson(text);
  if (whole !== undefined) return parseValues(Array.isArray(whole) ? whole : [whole], limits);
  if (text.startsWith('[')) throw new Problem(400, 'Bad JSON', 'the array is not valid JSON');
  return parseLines(body, limits);
}

/**
 * Validates values that were parsed already (an array body, or records of a gateway format).
 * @param indexes positions of the values in what was sent; default: their own
 */
export async function parseValues(
  values: readonly unknown[],
  limits: BodyLimits,
  indexes?: readonly number[],
): Promise<ParsedBody> {
  if (values.length > limits.maxRecords) throw tooMany(values.length, limits.maxRecords);
  const body: ParsedBody = { records: new ParsedRecords(values.length), errors: [] };
  const nowMs = Date.now();
  for (const [index, value] of values.entries()) {
    keep(body, parseRecord(value, indexes?.[index] ?? index, nowMs, limits.window));
    if (index % SLICE_RECORDS === SLICE_RECORDS - 1) await nextTurn();
  }
  return body;
}

/** Readers that no body has at the moment: as many as there were bodies under way at once, up to this. */
const idleReaders: LineReader[] = [];
const MAX_IDLE_READERS = 4;

async function parseLines(bytes: Buffer, limits: BodyLimits): Promise<ParsedBody> {
  const rows = Math.min(limits.maxRecords, Math.ceil(bytes.length / USUAL_LINE_BYTES));
  const body: ParsedBody = { records: new ParsedRecords(rows), errors: [] };
  const reader = idleReaders.pop() ?? new LineReader();
  try {
    await readLines(reader, bytes, limits, body);
  } finally {
    reader.done();
    if (idleReaders.length < MAX_IDLE_READERS) idleReaders.push(reader);
  }
  return body;
}

/** Lines that the reader does not read are parsed one by one. */
async function readLines(reader: LineReader, bytes: Buffer, limits: BodyLimits, body: ParsedBody): Promise<void> {
  const nowMs = Date.now();
  reader.begin(bytes, body.records, nowMs, limits.window);
  let index = 0;
  let broken = 0;
  for (let at = 0, next: number; at < bytes.length; at = next) {
    // One more than there may be is not read, but counted with all that follow.
    next = index < limits.maxRecords ? reader.read(at, index) : -1;
    if (next === -1) {
      next = endOfLine(bytes, at);
      const line = bytes.toString('utf8', at, next).trim();
      if (line === '') continue;
      if (index === limits.maxRecords) throw tooMany(index + filledLines(bytes, at), limits.maxRecords);
      if (!keepLine(body, line, index, nowMs, limits.window)) broken++;
    }
    if (++index % SLICE_RECORDS === 0) await nextTurn();
  }
  if (index === 0) throw emptyBody();
  if (broken === index) throw new Problem(400, 'Bad JSON', 'no line of the body is valid JSON');
}

/** @returns whether the line is JSON at all */
function keepLine(body: ParsedBody, line: string, index: number, nowMs: number, window: TimeWindow): boolean {
  const value = parseJson(line);
  if (value === undefined) body.errors.push({ index, field: '', message: 'the line is not valid JSON' });
  else keep(body, parseRecord(value, index, nowMs, window));
  return value !== undefined;
}

function endOfLine(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(NEWLINE, from);
  return end === -1 ? bytes.length : end + 1;
}

/** Lines from a place on that are not blank. */
function filledLines(bytes: Buffer, from: number): number {
  let filled = 0;
  for (let at = from, end: number; at < bytes.length; at = end) {
    end = endOfLine(bytes, at);
    if (bytes.toString('utf8', at, end).trim() !== '') filled++;
  }
  return filled;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function keep(body: ParsedBody, parsed: ParsedRecord | RecordError): void {
  if (isRecordError(parsed)) body.errors.push(parsed);
  else body.records.add(parsed);
}

function emptyBody(): Problem {
  return new Problem(400, 'Empty body', 'send one record, an array of records, or one record per line');
}

export function tooMany(count: number | string, max: number): Problem {
  return new Problem(413, 'Too many records', `${count} records in one request; the limit is ${max}`);
}
