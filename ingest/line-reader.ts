import { LineBytes, QUOTE } from './line-bytes.ts';
import { CODED_TEXTS, LINE_FIELDS, placeOf } from './line-fields.ts';
import { LineNames, UNKNOWN_FIELD } from './line-names.ts';
import { LineNumbers } from './line-number.ts';
import { LineTexts } from './line-texts.ts';
import { LineTimes } from './line-time.ts';
import { ParsedRecords } from './parsed-records.ts';
import { TEXT_FIELDS, type TimeWindow } from './record.ts';

const COMMA = 44;
const OPEN = 123;
const CLOSE = 125;
const NULL = Buffer.from('null');
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

const KEY_ID = placeOf('key_id');
const KEY = placeOf('key');
const KEY_SHA256 = placeOf('key_sha256');
const STATUS = placeOf('status');
const LATENCY = placeOf('latency_ms');
const REQUEST_BYTES = placeOf('request_bytes');
const RESPONSE_BYTES = placeOf('response_bytes');
const TIMESTAMP = placeOf('timestamp');
const RATE_LIMITED = placeOf('rate_limited');
const REQUEST_ID = placeOf('request_id');
const TOO_MANY_REQUESTS = 429;

/**
 * Reads records from the bytes of NDJSON straight into columns, without an object, a string per field or a second look at texts that
 * came before. It reads what senders nearly always write: plain ASCII, numbers without exponents, times in UTC, nothing nested. Any
 * other line, and any line with something to be refused, it leaves as it is to `JSON.parse` and `parseRecord`, so that there is one
 * place that says what is accepted; for what it does read, the result is theirs (test/ingest/line-reader.test.ts compares them).
 */
export class LineReader {
  readonly #names = new LineNames(LINE_FIELDS.map(({ name }) => name));
  readonly #texts = CODED_TEXTS.map(({ kept }) => new LineTexts(kept));
  readonly #times = new LineTimes();
  readonly #decimals = new LineNumbers();
  /** What was read of the line, by place of the field. */
  readonly #codes = new Uint32Array(CODED_TEXTS.length);
  readonly #numbers = new Float64Array(LINE_FIELDS.length);
  #id = '';
  #line = LineBytes.NONE;
  #records = new ParsedRecords(0);
  /** Rows that the columns have room for, and the codes of the columns of {@link CODED_TEXTS}: they are other ones when there is more. */
  #room = 0;
  #columns: Uint32Array[] = [];
  #window: TimeWindow = { pastMs: 0, futureMs: 0 };
  #nowMs = 0;

  /** Turns to a body, whose bytes must not change until {@link done}. */
  begin(bytes: Buffer, records: ParsedRecords, nowMs: number, window: TimeWindow): void {
    this.#line = new LineBytes(bytes);
    this.#records = records;
    this.#nowMs = nowMs;
    this.#window = window;
    this.#room = 0;
    for (const [place, { column }] of CODED_TEXTS.entries()) this.#texts[place]!.begin(this.#line, records[column]);
  }

  /** Lets go of the body. */
  done(): void {
    this.#line = LineBytes.NONE;
    this.#records = new ParsedRecords(0);
    this.#columns = [];
    this.#id = '';
    for (const texts of this.#texts) texts.done();
  }

  /**
   * Reads the record of one line.
   * @param from place of its first byte
   * @param index position of the record in the request
   * @returns place behind the line, or -1 when it is not one to be read here; then nothing was added
   */
  read(from: number, index: number): number {
    const { bytes } = this.#line;
    if (bytes[from] !== OPEN) return -1;
    let seen = 0;
    let at = from + 1;
    for (let place = 0; ; place++) {
      const field = this.#names.read(this.#line, this.#line.behindSpaces(at), place);
      if (field === -1) return -1;
      const valueFrom = this.#line.behindSpaces(this.#names.end);
      const bit = field === UNKNOWN_FIELD ? 0 : 1 << field;
      // Which of two counts is left to JSON.parse.
      if ((seen & bit) !== 0) return -1;
      at = this.#value(field, valueFrom);
      if (at === -1) return -1;
      if (at < 0) at = -at;
      else seen |= bit;
      at = this.#line.behindSpaces(at);
      if (bytes[at] === CLOSE) break;
      if (bytes[at++] !== COMMA) return -1;
    }
    const end = this.#line.lineEnd(at + 1);
    if (end !== -1 && !isComplete(seen)) return -1;
    if (end !== -1) this.#write(seen, index);
    return end;
  }

  /** Reads a value. @returns place behind it, the negative of that when the value is null, or -1 when it is not one to be read here */
  #value(field: number, from: number): number {
    if (this.#line.has(NULL, from)) return -(from + NULL.length);
    if (field === UNKNOWN_FIELD) return this.#anyValue(from);
    switch (LINE_FIELDS[field]!.kind) {
      case 'text':
        return this.#text(field, from);
      case 'number':
        return this.#number(field, from);
      case 'timestamp':
        return this.#timestamp(from);
      case 'request_id':
        return this.#requestId(from);
      case 'flag':
        return this.#flag(from);
      default:
        return -1;
    }
  }

  #text(field: number, from: number): number {
    if (this.#line.bytes[from] !== QUOTE) return -1;
    const texts = this.#texts[field]!;
    const code = texts.read(from + 1);
    this.#codes[field] = code;
    return code === -1 ? -1 : texts.end;
  }

  #number(field: number, from: number): number {
    const value = this.#decimals.read(this.#line.bytes, from);
    const { min, max, isWhole } = LINE_FIELDS[field]!;
    if (!(value >= min && value <= max) || (isWhole && !Number.isInteger(value))) return -1;
    this.#numbers[field] = value;
    return this.#decimals.end;
  }

  #timestamp(from: number): number {
    const { bytes } = this.#line;
    const isText = bytes[from] === QUOTE;
    const ms = isText ? this.#times.read(bytes, from + 1) : this.#decimals.read(bytes, from);
    if (!(ms >= this.#nowMs - this.#window.pastMs && ms <= this.#nowMs + this.#window.futureMs)) return -1;
    this.#numbers[TIMESTAMP] = Math.floor(ms);
    return isText ? this.#times.end : this.#decimals.end;
  }

  /** Each is different, so none is looked up. */
  #requestId(from: number): number {
    const end = this.#line.bytes[from] === QUOTE ? this.#line.textEnd(from + 1) : -1;
    if (end !== -1) this.#id = TEXT_FIELDS.request_id(this.#line.bytes.toString('latin1', from + 1, end - 1));
    return end;
  }

  #flag(from: number): number {
    const isTrue = this.#line.has(TRUE, from);
    this.#numbers[RATE_LIMITED] = isTrue ? 1 : 0;
    if (isTrue) return from + TRUE.length;
    return this.#line.has(FALSE, from) ? from + FALSE.length : -1;
  }

  /** A value of a field that does not count. */
  #anyValue(from: number): number {
    if (this.#line.bytes[from] === QUOTE) return this.#line.textEnd(from + 1);
    for (const word of [TRUE, FALSE]) if (this.#line.has(word, from)) return from + word.length;
    return Number.isNaN(this.#decimals.read(this.#line.bytes, from)) ? -1 : this.#decimals.end;
  }

  #write(seen: number, index: number): void {
    const records = this.#records;
    const row = records.rows;
    if (row >= this.#room) this.#makeRoom(row + 1);
    for (let place = 0; place < KEY; place++) this.#columns[place]![row] = this.#codeOf(place, seen);
    // Of several that say whose request it was the first counts, in this order.
    const hash = (seen & (1 << KEY)) !== 0 ? KEY : KEY_SHA256;
    this.#columns[KEY]![row] = this.#codeOf(hash, (seen & (1 << KEY_ID)) !== 0 ? 0 : seen);
    const status = this.#numbers[STATUS]!;
    records.timestampMs.values[row] = this.#numberOf(TIMESTAMP, seen, this.#nowMs);
    records.status.values[row] = status;
    records.latencyMs.values[row] = this.#numberOf(LATENCY, seen, Number.NaN);
    records.requestBytes.values[row] = Math.floor(this.#numberOf(REQUEST_BYTES, seen, 0));
    records.responseBytes.values[row] = Math.floor(this.#numberOf(RESPONSE_BYTES, seen, 0));
    records.rateLimited.values[row] = this.#numberOf(RATE_LIMITED, seen, status === TOO_MANY_REQUESTS ? 1 : 0);
    records.index.values[row] = index;
    records.requestId.push((seen & (1 << REQUEST_ID)) !== 0 ? this.#id : '');
    records.rows = row + 1;
  }

  #codeOf(place: number, seen: number): number {
    return (seen & (1 << place)) !== 0 ? this.#codes[place]! : this.#texts[place]!.absent();
  }

  #numberOf(place: number, seen: number, absent: number): number {
    return (seen & (1 << place)) !== 0 ? this.#numbers[place]! : absent;
  }

  #makeRoom(rows: number): void {
    this.#records.reserve(rows);
    this.#room = this.#records.index.values.length;
    this.#columns = CODED_TEXTS.map(({ column }) => this.#records[column].codes);
  }
}

/** Whether it has what must be there: a status, and whose request it was. */
function isComplete(seen: number): boolean {
  return (seen & (1 << STATUS)) !== 0 && (seen & ((1 << KEY_ID) | (1 << KEY) | (1 << KEY_SHA256))) !== 0;
}
