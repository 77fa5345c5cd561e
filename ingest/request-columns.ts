import { NumberColumn, TextColumn } from './column.ts';
import type { RequestRecord } from './record.ts';

/** Columns of text that every record has. Their order is part of the layout of a batch (batch.ts). */
export const RECORD_TEXTS = [
  'keyId',
  'method',
  'path',
  'route',
  'ip',
  'country',
  'userAgent',
  'service',
  'environment',
  'error',
] as const;

/** Columns of numbers; `rateLimited` is 0 or 1, `latencyMs` NaN where nothing was reported. */
export const RECORD_NUMBERS = [
  'timestampMs',
  'status',
  'latencyMs',
  'requestBytes',
  'responseBytes',
  'rateLimited',
] as const;

/** Rows taken room for at first where nobody says how many will come. */
const FIRST_ROWS = 256;

/** Records held column by column: what their requests were, not whose they are. */
export class RequestColumns {
  rows = 0;
  readonly keyId: TextColumn;
  readonly method: TextColumn;
  readonly path: TextColumn;
  route: TextColumn;
  readonly ip: TextColumn;
  readonly country: TextColumn;
  readonly userAgent: TextColumn;
  readonly service: TextColumn;
  readonly environment: TextColumn;
  readonly error: TextColumn;
  /** Not a dictionary: all are different. */
  readonly requestId: string[] = [];
  readonly timestampMs: NumberColumn;
  readonly status: NumberColumn;
  readonly latencyMs: NumberColumn;
  readonly requestBytes: NumberColumn;
  readonly responseBytes: NumberColumn;
  readonly rateLimited: NumberColumn;

  constructor(rows = FIRST_ROWS) {
    this.keyId = new TextColumn(rows);
    this.method = new TextColumn(rows);
    this.path = new TextColumn(rows);
    this.route = new TextColumn(rows);
    this.ip = new TextColumn(rows);
    this.country = new TextColumn(rows);
    this.userAgent = new TextColumn(rows);
    this.service = new TextColumn(rows);
    this.environment = new TextColumn(rows);
    this.error = new TextColumn(rows);
    this.timestampMs = new NumberColumn(rows);
    this.status = new NumberColumn(rows);
    this.latencyMs = new NumberColumn(rows);
    this.requestBytes = new NumberColumn(rows);
    this.responseBytes = new NumberColumn(rows);
    this.rateLimited = new NumberColumn(rows);
  }

  /** Adds a row. @returns its number */
  protected addRecord(record: RequestRecord): number {
    const row = this.rows++;
    this.keyId.set(row, record.keyId);
    this.method.set(row, record.method);
    this.path.set(row, record.path);
    this.route.set(row, record.route);
    this.status.set(row, record.status);
    this.ip.set(row, record.ip);
    this.country.set(row, record.country);
    this.userAgent.set(row, record.userAgent);
    this.service.set(row, record.service);
    this.environment.set(row, record.environment);
    this.error.set(row, record.error);
    this.requestId.push(record.requestId);
    this.timestampMs.set(row, record.timestampMs);
    this.latencyMs.set(row, record.latencyMs);
    this.requestBytes.set(row, record.requestBytes);
    this.responseBytes.set(row, record.responseBytes);
    this.rateLimited.set(row, record.rateLimited ? 1 : 0);
    return row;
  }

  /** Adds all rows of others behind its own. */
  protected appendColumns(others: RequestColumns): void {
    for (const name of RECORD_TEXTS) this[name].append(this.rows, others[name], others.rows);
    for (const name of RECORD_NUMBERS) this[name].append(this.rows, others[name], others.rows);
    for (const id of others.requestId) this.requestId.push(id);
    this.rows += others.rows;
  }
}
