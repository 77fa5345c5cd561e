import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { refuseEmpty } from '../queries/calendar.ts';
import { listRequests, type RequestCursor, type RequestFilter } from '../queries/requests.ts';
import { type KeyFilter, ONE_KEY } from '../queries/union.ts';
import { EXPORT_LIMIT_HEADER, exportRequests } from '../request-export.ts';
import { route } from '../route.ts';
import { ConditionQuery, LimitQuery, RequestResponse, time_ms } from '../schemas.ts';
import { readableKeys } from './usage.ts';

const DAY_MS = 86_400_000;

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
  summary: `Single requests, newest first. Accept: text/csv or application/x-ndjson exports the filtered view, at most as many rows as the header ${EXPORT_LIMIT_HEADER} says`,
  query: RequestsQuery,
  response: RequestResponse,
  alsoProduces: ['text/csv', 'application/x-ndjson'],
  responseHeaders: {
    [EXPORT_LIMIT_HEADER]: {
      type: 'integer',
      description: 'rows of an export at most; a file with as many ends early: narrow the range for the rest',
    },
  },
  handle: async ({ parts, grant, query, req, res }) => {
    const toMs = query.to ?? Date.now();
    const fromMs = query.from ?? toMs - DAY_MS;
    refuseEmpty(fromMs, toMs);
    const filter: RequestFilter = {
      ...query,
      keys: keysOf(grant, query.key_id),
      fromMs,
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
