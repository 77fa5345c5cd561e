import { nextTurn } from './event-loop.ts';
import { Problem } from './problem.ts';
import { isRecordError, type ParsedRecord, parseRecord, type RecordError, type TimeWindow } from './record.ts';

/** Lines parsed before the event loop gets a turn: about 10 ms of work. */
const SLICE_RECORDS = 2_000;

export interface ParsedBody {
  records: ParsedRecord[];
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
  const text = body.toString('utf8').trim();
  if (text === '') throw new Problem(400, 'Empty body', 'send one record, an array of records, or one record per line');
  const lines = contentType === 'application/x-ndjson' || contentType === 'application/ndjson';
  const whole = lines ? undefined : parseJson(text);
  if (whole !== undefined) return parseValues(Array.isArray(whole) ? whole : [whole], limits);
  if (!lines && text.startsWith('[')) throw new Problem(400, 'Bad JSON', 'the array is not valid JSON');
  return parseLines(text.split('\n'), limits);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Validates values that were parsed already (an array body, or records of a gateway format). */
export async function parseValues(values: readonly unknown[], limits: BodyLimits): Promise<ParsedBody> {
  if (values.length > limits.maxRecords) throw tooMany(values.length, limits.maxRecords);
  return inSlices(values.length, (index, nowMs) => parseRecord(values[index], index, nowMs, limits.window));
}

async function parseLines(lines: readonly string[], limits: BodyLimits): Promise<ParsedBody> {
  const filled = lines.filter((line) => line.length > 1 || line.trim() !== '');
  if (filled.length > limits.maxRecords) throw tooMany(filled.length, limits.maxRecords);
  let slice: unknown[] = [];
  let broken = 0;
  const parsed = await inSlices(filled.length, (index, nowMs) => {
    if (index % SLICE_RECORDS === 0) slice = parseSlice(filled.slice(index, index + SLICE_RECORDS));
    const value = slice[index % SLICE_RECORDS];
    if (value !== undefined) return parseRecord(value, index, nowMs, limits.window);
    broken++;
    return { index, field: '', message: 'the line is not valid JSON' };
  });
  if (parsed.records.length === 0 && broken === filled.length) {
    throw new Problem(400, 'Bad JSON', 'no line of the body is valid JSON');
  }
  return parsed;
}

/**
 * Values of lines, undefined for one that is not JSON. Parsed as one array, which is a third faster than line by line;
 * only where that fails, or a line turns out to hold several values, each line stands for itself.
 */
function parseSlice(lines: readonly string[]): unknown[] {
  const values = parseJson(`[${lines.join(',')}]`);
  return Array.isArray(values) && values.length === lines.length ? values : lines.map(parseJson);
}

async function inSlices(
  count: number,
  parse: (index: number, nowMs: number) => ParsedRecord | RecordError,
): Promise<ParsedBody> {
  const body: ParsedBody = { records: [], errors: [] };
  const nowMs = Date.now();
  for (let index = 0; index < count; index++) {
    const parsed = parse(index, nowMs);
    if (isRecordError(parsed)) body.errors.push(parsed);
    else body.records.push(parsed);
    if (index % SLICE_RECORDS === SLICE_RECORDS - 1) await nextTurn();
  }
  return body;
}

function tooMany(count: number, max: number): Problem {
  return new Problem(413, 'Too many records', `${count} records in one request; the limit is ${max}`);
}
