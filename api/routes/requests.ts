import type { Response } from 'express';
import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import {
  listRequests,
  REQUEST_FIELDS,
  type RequestCursor,
  type RequestFilter,
  type RequestRow,
} from '../queries/requests.ts';
import { type KeyFilter, ONE_KEY } from '../queries/union.ts';
import { type ApiParts, route } from '../route.ts';
import { ConditionQuery, LimitQuery, RequestResponse, time_ms } from '../schemas.ts';
import { readableKeys } from './usage.ts';

const DAY_MS = 86_400_000;
const PAGE_ROWS = 5_000;
/** An export ends here; narrow the range for the rest. The last line never looks complete when it is not. */
const MAX_EXPORT_ROWS = 1_000_000;

const RequestsQuery = z.object({
  key_id: z.string().max(200).default(''),
  from: time_ms.optional().describe('default: one day before to'),
  to: time_ms.optional().describe('default: now'),
  ...ConditionQuery.shape,
  service: z.string().max(100).default(''),
  environment: z.string().max(40).default(''),
  limit: LimitQuery(100, 1000),
  cursor: z.string().max(1000).optional(),
});

function isRequestCursor(value: unknown): value is RequestCursor {
  const cursor = value as RequestCursor | null;
  return typeof cursor?.timestampMs === 'number' && typeof cursor.hash === 'string' && /^\d{1,20}$/.test(cursor.hash);
}

export const getRequests = route({
  method: 'get',
  path: '/v1/requests',
  scope: 'read',
  summary: 'Single requests, newest first. Accept: text/csv or application/x-ndjson exports the filtered view',
  query: RequestsQuery,
  response: RequestResponse,
  alsoProduces: ['text/csv', 'application/x-ndjson'],
  handle: async ({ parts, grant, query, req, res }) => {
    const toMs = query.to ?? Date.now();
    const filter: RequestFilter = {
      ...query,
      keys: keysOf(grant, query.key_id),
      fromMs: query.from ?? toMs - DAY_MS,
      toMs,
      after: decodeCursor(query.cursor, isRequestCursor),
    };
    const type = req.accepts(['application/json', 'text/csv', 'application/x-ndjson']);
    if (type === 'text/csv' || type === 'application/x-ndjson') return exportRequests(parts, filter, type, res);
    const rows = await listRequests(parts.store, filter);
    const last = rows.length >= query.limit ? rows.at(-1) : undefined;
    return {
      data: rows.map(({ timestamp_ms, row_hash, ...row }) => row),
      next_cursor: last ? encodeCursor({ timestampMs: last.timestamp_ms, hash: last.row_hash }) : null,
    };
  },
});

function keysOf(grant: TokenGrant, keyId: string): KeyFilter {
  if (keyId === '') return readableKeys(grant);
  if (grant.keyId !== '' && grant.keyId !== keyId) {
    throw new Problem(404, 'Not found', 'there is no such key, or the token may not see it');
  }
  const readable = readableKeys(grant);
  const one = ONE_KEY(keyId);
  return { sql: `${one.sql} AND ${readable.sql}`, params: { ...readable.params, ...one.params } };
}

/** Streams page after page: an export of any size takes the memory of one page. */
async function exportRequests(parts: ApiParts, filter: RequestFilter, type: string, res: Response): Promise<void> {
  const csv = type === 'text/csv';
  res.type(csv ? 'text/csv' : 'application/x-ndjson');
  res.set('Content-Disposition', `attachment; filename="requests.${csv ? 'csv' : 'ndjson'}"`);
  if (csv) res.write(`${REQUEST_FIELDS.join(',')}\n`);
  let after = filter.after;
  for (let sent = 0; sent < MAX_EXPORT_ROWS && !res.destroyed; ) {
    const rows = await listRequests(parts.store, { ...filter, after, limit: PAGE_ROWS });
    const text = rows.map((row) => (csv ? csvLine(row) : ndjsonLine(row))).join('');
    if (!res.write(text)) await new Promise((resolve) => res.once('drain', resolve).once('close', resolve));
    sent += rows.length;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE_ROWS) break;
    after = { timestampMs: last.timestamp_ms, hash: last.row_hash };
  }
  res.end();
}

function ndjsonLine(row: RequestRow): string {
  return `${JSON.stringify(Object.fromEntries(REQUEST_FIELDS.map((field) => [field, row[field]])))}\n`;
}

/** RFC 4180; a leading =, +, - or @ is quoted away, because spreadsheets would run it. */
export function csvField(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvLine(row: RequestRow): string {
  return `${REQUEST_FIELDS.map((field) => csvField(row[field])).join(',')}\n`;
}
