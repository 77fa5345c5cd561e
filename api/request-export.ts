import type { Response } from 'express';
import {
  listRequests,
  REQUEST_FIELDS,
  type RequestCursor,
  type RequestFilter,
  type RequestRow,
} from './queries/requests.ts';
import type { ApiParts } from './route.ts';

const PAGE_ROWS = 5_000;
/** A file ends here. What is older takes another one, over a narrower range. */
export const MAX_EXPORT_ROWS = 1_000_000;
/**
 * Says so before the first row, when nobody knows yet how many will follow: a file that was cut looks like a whole one,
 * and a trailer is dropped by nearly every client.
 */
export const EXPORT_LIMIT_HEADER = 'Keytally-Export-Limit';

type Row = Awaited<ReturnType<typeof listRequests>>[number];

/**
 * Page after page, `most` rows in all.
 * @param read the rows behind a cursor; fewer than `pageRows` of them are the last, more are of one millisecond
 */
export async function* exportPages(
  read: (after: RequestCursor | undefined) => Promise<Row[]>,
  after: RequestCursor | undefined,
  { pageRows = PAGE_ROWS, most = MAX_EXPORT_ROWS } = {},
): AsyncGenerator<Row[]> {
  let sent = 0;
  while (sent < most) {
    const rows = await read(after);
    yield rows.slice(0, most - sent);
    sent += rows.length;
    const last = rows.at(-1);
    if (!last || rows.length < pageRows) return;
    after = { timestampMs: last.timestamp_ms, hash: last.row_hash };
  }
}

/** Streams page after page: an export of any size takes the memory of one page. */
export async function exportRequests(
  parts: ApiParts,
  filter: RequestFilter,
  type: string,
  res: Response,
): Promise<void> {
  const csv = type === 'text/csv';
  res.type(csv ? 'text/csv' : 'application/x-ndjson');
  res.set('Content-Disposition', `attachment; filename="requests.${csv ? 'csv' : 'ndjson'}"`);
  res.set(EXPORT_LIMIT_HEADER, String(MAX_EXPORT_ROWS));
  if (csv) res.write(`${REQUEST_FIELDS.join(',')}\n`);
  const read = (after: RequestCursor | undefined) => listRequests(parts.store, { ...filter, after, limit: PAGE_ROWS });
  for await (const rows of exportPages(read, filter.after)) {
    const text = rows.map((row) => (csv ? csvLine(row) : ndjsonLine(row))).join('');
    if (!res.write(text)) await drained(res);
    if (res.destroyed) break;
  }
  res.end();
}

/** Until the client has taken what was written, or has gone. */
function drained(res: Response): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    res.on('drain', done).on('close', done);
  });
}

function ndjsonLine(row: RequestRow): string {
  return `${JSON.stringify(Object.fromEntries(REQUEST_FIELDS.map((field) => [field, row[field]])))}\n`;
}

/** RFC 4180; a leading =, +, - or @ is quoted away, because spreadsheets would run it. */
function csvField(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvLine(row: RequestRow): string {
  return `${REQUEST_FIELDS.map((field) => csvField(row[field])).join(',')}\n`;
}
