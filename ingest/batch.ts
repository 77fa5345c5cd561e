import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { NumberColumn, TextColumn } from './column.ts';
import { ByteReader, ByteWriter } from './column-codec.ts';
import { nextTurn, ROWS_PER_TURN } from './event-loop.ts';
import { packText, unpackText } from './packed-text.ts';
import type { ParsedRecords } from './parsed-records.ts';
import type { RateLimitSeen, RequestRecord } from './record.ts';
import { RECORD_TEXTS, RequestColumns } from './request-columns.ts';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** Most rows in one batch: one insert must stay one block for its token to be exact. */
export const MAX_BATCH_ROWS = 50_000;
/** A decoded batch larger than this is refused: it was not written by us. */
const MAX_DECODED_BYTES = 512 * 1024 * 1024;
/** Memory that zlib fills at a time: its own 16 KB would be a hundred pieces to join for a large batch. */
const zlibChunk = (expectedBytes: number) => Math.ceil(Math.min(Math.max(expectedBytes, 16 * 1024), 1024 * 1024));
/** Our batches are four to five times as large inflated. */
const INFLATED_TIMES = 5;
const LAYOUT_VERSION = 1;
/** First character of a payload that is packed text; base 64, as it was before, has no such character. */
export const PACKED = '~';

const [KEY_ID, ...OTHER_TEXTS] = RECORD_TEXTS;
/** In the order of the layout. */
const TEXT_COLUMNS = [KEY_ID, 'organizationId', ...OTHER_TEXTS] as const;

/** The newest limit that answers to one key told. */
export interface KeyRateLimit extends RateLimitSeen {
  keyId: string;
  /** Time of the request that told it. */
  atMs: number;
}

/**
 * The unit of work: an immutable list of records under one id, held column by column.
 * One batch is one job is one INSERT, so a retry sends exactly the same rows.
 */
export class Batch extends RequestColumns {
  /** Organization of the token that sent the record; '' for a token of the whole platform. */
  readonly organizationId = new TextColumn();
  /** By key id, newest only: few answers carry such headers, and only the last says how things stand. */
  readonly rateLimits = new Map<string, KeyRateLimit>();

  add(record: RequestRecord, organizationId: string): void {
    const row = this.addRecord(record);
    this.organizationId.set(row, organizationId);
    if (record.rateLimit !== undefined) this.#see(record.rateLimit, row);
  }

  /** Adds all records of a request. */
  append(records: ParsedRecords, organizationId: string): void {
    const first = this.rows;
    this.appendColumns(records);
    this.organizationId.fill(first, this.rows, organizationId);
    for (const [row, told] of records.rateLimitOf) this.#see(told, first + row);
  }

  #see(told: RateLimitSeen, row: number): void {
    const [keyId, atMs] = [this.keyId.at(row), this.timestampMs.at(row)];
    const known = this.rateLimits.get(keyId);
    if (known === undefined || known.atMs <= atMs) this.rateLimits.set(keyId, { ...told, keyId, atMs });
  }
}

/** Compresses a batch for the queue, as text, because a BullMQ job is JSON. The batch must not change meanwhile. */
export async function encodeBatch(batch: Batch): Promise<string> {
  const out = new ByteWriter();
  const isLong = batch.rows > ROWS_PER_TURN;
  out.uint(LAYOUT_VERSION);
  out.uint(batch.rows);
  for (const name of TEXT_COLUMNS) {
    const { values, codes } = batch[name];
    out.text(JSON.stringify(values));
    out.codes(codes, batch.rows, values.length);
    if (isLong) await nextTurn();
  }
  writeRequestIds(out, batch.requestId);
  if (isLong) await nextTurn();
  let previous = 0;
  for (const write of numberWriters(batch, out, (ms) => {
    const delta = ms - previous;
    previous = ms;
    return delta;
  })) {
    for (let row = 0; row < batch.rows; row++) write(row);
    if (isLong) await nextTurn();
  }
  // At the end, and only when there are any: a batch of an older version simply ends before.
  if (batch.rateLimits.size > 0) out.text(JSON.stringify([...batch.rateLimits.values()]));
  const bytes = out.done();
  return PACKED + packText(await deflate(bytes, { level: 1, chunkSize: zlibChunk(bytes.length / 2) }));
}

/** One writer per number column, in the order of the layout. */
function numberWriters(batch: Batch, out: ByteWriter, delta: (ms: number) => number): ((row: number) => void)[] {
  return [
    (row) => out.int(delta(batch.timestampMs.at(row))),
    (row) => out.uint(batch.status.at(row)),
    // Microseconds keep what a gateway can measure; 0 means not reported.
    (row) => {
      const ms = batch.latencyMs.at(row);
      out.uint(Number.isNaN(ms) ? 0 : Math.round(ms * 1000) + 1);
    },
    (row) => out.uint(batch.requestBytes.at(row)),
    (row) => out.uint(batch.responseBytes.at(row)),
    (row) => out.uint(batch.rateLimited.at(row)),
  ];
}

/** @throws RangeError or a zlib error when the payload is not a batch of this layout */
export async function decodeBatch(payload: string): Promise<Batch> {
  const compressed = payload.startsWith(PACKED) ? unpackText(payload.slice(1)) : Buffer.from(payload, 'base64');
  const bytes = await inflate(compressed, {
    maxOutputLength: MAX_DECODED_BYTES,
    chunkSize: zlibChunk(compressed.length * INFLATED_TIMES),
  });
  const input = new ByteReader(bytes);
  const version = input.uint();
  if (version !== LAYOUT_VERSION) throw new RangeError(`batch layout ${version} is not known to this version`);
  const rows = input.uint();
  if (rows > MAX_BATCH_ROWS) throw new RangeError(`batch claims ${rows} rows`);
  const batch = new Batch();
  batch.rows = rows;
  for (const name of TEXT_COLUMNS) {
    const values = JSON.parse(input.text()) as string[];
    const codes = input.codes(rows, values.length);
    Object.assign(batch, { [name]: TextColumn.of(values, codes) });
    if (rows > ROWS_PER_TURN) await nextTurn();
  }
  batch.requestId.push(...readRequestIds(input, rows));
  for (const [name, read] of numberReaders(input)) {
    if (rows > ROWS_PER_TURN) await nextTurn();
    const values = new Float64Array(rows);
    for (let row = 0; row < rows; row++) values[row] = read();
    Object.assign(batch, { [name]: NumberColumn.of(values) });
  }
  if (!input.atEnd) {
    for (const told of JSON.parse(input.text()) as KeyRateLimit[]) batch.rateLimits.set(told.keyId, told);
  }
  return batch;
}

/** The number columns in the order of {@link numberWriters}. */
function numberReaders(input: ByteReader): [keyof Batch, () => number][] {
  let previous = 0;
  return [
    ['timestampMs', () => (previous += input.int())],
    ['status', () => input.uint()],
    [
      'latencyMs',
      () => {
        const micros = input.uint();
        return micros === 0 ? Number.NaN : (micros - 1) / 1000;
      },
    ],
    ['requestBytes', () => input.uint()],
    ['responseBytes', () => input.uint()],
    ['rateLimited', () => input.uint()],
  ];
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const IDS_ABSENT = 0;
const IDS_UUID = 1;
const IDS_TEXT = 2;

/** Request ids are all different, so a dictionary would only cost; UUIDs are packed to their 16 bytes. */
function writeRequestIds(out: ByteWriter, ids: readonly string[]): void {
  if (ids.every((id) => id === '')) {
    out.uint(IDS_ABSENT);
  } else if (ids.every((id) => UUID.test(id))) {
    out.uint(IDS_UUID);
    out.bytes(Buffer.from(ids.join('').replaceAll('-', ''), 'hex'));
  } else {
    out.uint(IDS_TEXT);
    out.text(JSON.stringify(ids));
  }
}

function readRequestIds(input: ByteReader, rows: number): string[] {
  const kind = input.uint();
  if (kind === IDS_ABSENT) return new Array<string>(rows).fill('');
  if (kind === IDS_TEXT) return JSON.parse(input.text()) as string[];
  const hex = input.bytes().toString('hex');
  const ids: string[] = [];
  for (let at = 0; at < rows * 32; at += 32) {
    const part = (from: number, to: number) => hex.slice(at + from, at + to);
    ids.push(`${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`);
  }
  return ids;
}
