import { NumberColumn, TextColumn } from './column.ts';
import type { ParsedRecord, RateLimitSeen } from './record.ts';
import { RECORD_NUMBERS, RECORD_TEXTS, RequestColumns } from './request-columns.ts';

/**
 * The valid records of one request, on their way into a batch. Columns of text may hold a value twice, and values that no row uses:
 * who reads a body adds what it finds, and the batch looks up what is used.
 */
export class ParsedRecords extends RequestColumns {
  /** Position of each in the request, from 0. */
  readonly index: NumberColumn;
  /** SHA-256 of the raw key, lower-case hex; '' where the record named its key id. */
  readonly keySha256: TextColumn;
  /** What the platform said about its limit, by row; few answers say anything. */
  readonly rateLimitOf = new Map<number, RateLimitSeen>();

  /** @param rows that there will be, if known */
  constructor(rows?: number) {
    super(rows);
    this.index = new NumberColumn(rows);
    this.keySha256 = new TextColumn(rows);
  }

  add({ index, record, keySha256 }: ParsedRecord): void {
    const row = this.addRecord(record);
    this.index.set(row, index);
    this.keySha256.set(row, keySha256);
    if (record.rateLimit !== undefined) this.rateLimitOf.set(row, record.rateLimit);
  }

  /** Room for this many rows, for who writes into the columns. */
  reserve(rows: number): void {
    for (const name of RECORD_TEXTS) this[name].reserve(rows);
    for (const name of RECORD_NUMBERS) this[name].reserve(rows);
    this.index.reserve(rows);
    this.keySha256.reserve(rows);
  }

  /** Drops the rows for which `stays` is false; the others move up. Returns the positions of those dropped. */
  keep(stays: (row: number) => boolean): number[] {
    const dropped: number[] = [];
    let to = 0;
    for (let row = 0; row < this.rows; row++) {
      if (stays(row)) this.#move(row, to++);
      else dropped.push(this.index.at(row));
    }
    for (let row = to; row < this.rows; row++) this.rateLimitOf.delete(row);
    this.rows = to;
    this.requestId.length = to;
    return dropped;
  }

  /** Lets go of all of them, for who has added them to a batch: their request waits for Redis for most of a second. */
  clear(): void {
    for (const name of RECORD_TEXTS) this[name].clear();
    for (const name of RECORD_NUMBERS) this[name].clear();
    this.index.clear();
    this.keySha256.clear();
    this.requestId.length = 0;
    this.rateLimitOf.clear();
    this.rows = 0;
  }

  #move(row: number, to: number): void {
    if (row === to) return;
    for (const name of RECORD_TEXTS) this[name].codes[to] = this[name].codes[row]!;
    for (const name of RECORD_NUMBERS) this[name].values[to] = this[name].values[row]!;
    this.index.values[to] = this.index.values[row]!;
    this.keySha256.codes[to] = this.keySha256.codes[row]!;
    this.requestId[to] = this.requestId[row]!;
    const told = this.rateLimitOf.get(row);
    if (told === undefined) this.rateLimitOf.delete(to);
    else this.rateLimitOf.set(to, told);
  }
}
