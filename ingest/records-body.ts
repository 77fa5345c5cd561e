import { nextTurn, OWN_TURN_BYTES, turnToBegin } from './event-loop.ts';
import { Problem } from './problem.ts';
import { isRecordError, type ParsedRecord, parseRecord, type RecordError, type TimeWindow } from './record.ts';

/** Lines parsed before the event loop gets a turn: 1 to 2 ms of work, several times that where others want the processor too. */
const SLICE_RECORDS = 500;

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
  if (body.length > OWN_TURN_BYTES) await turnToBegin();
  const text = body.toString('utf8').trim();
  if (text === '') throw new Problem(400, 'Empty body', 'send one record, an array of records, or one record per line');
  const lines = contentType === 'application/x-ndjson' || contentType === 'application/ndjson';
  const whole = lines ? undefined : parseJson(text);
  if (whole !== undefined) return parseValues(Array.isArray(whole) ? whole : [whole], limits);
  if (!lines && text.startsWith('[')) throw new Problem(400, 'Bad JSON', 'the array is not valid JSON');
  return parseLines(text, limits);
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

async function parseLines(text: string, limits: BodyLimits): Promise<ParsedBody> {
  const slices = slicesOf(text);
  // Blank lines are no records; whether there are any matters only to a body that would be too long with them.
  if (slices.length * SLICE_RECORDS > limits.maxRecords) {
    const filled = slices.reduce((sum, slice) => sum + filledLines(slice.text).length, 0);
    if (filled > limits.maxRecords) throw tooMany(filled, limits.maxRecords);
  }
  const body: ParsedBody = { records: [], errors: [] };
  const nowMs = Date.now();
  let index = 0;
  let broken = 0;
  for (const slice of slices) {
    for (const value of parseSlice(slice)) {
      if (value === undefined) {
        broken++;
        body.errors.push({ index, field: '', message: 'the line is not valid JSON' });
      } else {
        keep(body, parseRecord(value, index, nowMs, limits.window));
      }
      index++;
    }
    await nextTurn();
  }
  if (broken === index) throw new Problem(400, 'Bad JSON', 'no line of the body is valid JSON');
  return body;
}

/** A piece of a body, a number of whole lines. */
interface Slice {
  text: string;
  lines: number;
}

function slicesOf(text: string): Slice[] {
  const slices: Slice[] = [];
  let from = 0;
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    if (++lines < SLICE_RECORDS) continue;
    slices.push({ text: text.slice(from, at), lines });
    from = at + 1;
    lines = 0;
  }
  slices.push({ text: text.slice(from), lines: lines + 1 });
  return slices;
}

const filledLines = (text: string) => text.split('\n').filter((line) => line.trim() !== '');

/**
 * Values of lines, undefined for one that is not JSON. Parsed as one array, which is a third faster than line by line: a line
 * break can stand between two values only. Where that fails, or a line turns out to hold several values or a part of one, each line
 * stands for itself.
 */
function parseSlice({ text, lines }: Slice): unknown[] {
  const values = parseJson(`[${text.replaceAll('\n', ',')}]`);
  return Array.isArray(values) && values.length === lines ? values : filledLines(text).map(parseJson);
}

async function inSlices(
  count: number,
  parse: (index: number, nowMs: number) => ParsedRecord | RecordError,
): Promise<ParsedBody> {
  const body: ParsedBody = { records: [], errors: [] };
  const nowMs = Date.now();
  for (let index = 0; index < count; index++) {
    const parsed = parse(index, nowMs);
    keep(body, parsed);
    if (index % SLICE_RECORDS === SLICE_RECORDS - 1) await nextTurn();
  }
  return body;
}

function keep(body: ParsedBody, parsed: ParsedRecord | RecordError): void {
  if (isRecordError(parsed)) body.errors.push(parsed);
  else body.records.push(parsed);
}

function tooMany(count: number, max: number): Problem {
  return new Problem(413, 'Too many records', `${count} records in one request; the limit is ${max}`);
}
