import { createGunzip, type Gunzip } from 'node:zlib';
import type { Request } from 'express';
import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import { BadHeader, CSV_COLUMNS, csvRows, ndjsonRows } from '../import-rows.ts';
import { fieldProblem, registryProblem } from '../key-changes.ts';
import { ImportBody, KeyImport, MAX_IMPORT_ROWS } from '../key-import.ts';
import { route } from '../route.ts';

/** After decompression: room for 200,000 rows of 320 bytes. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** Each holds a body of up to that size. */
const MAX_AT_ONCE = 2;
let running = 0;

const CsvBody = z
  .string()
  .describe(
    `the first line names columns, key_id among them: ${CSV_COLUMNS.join(', ')}; an empty cell leaves its field out`,
  );

const RowErrorSchema = z.object({
  row: z.number().int().describe('number of its first line, from 1'),
  key_id: z.string().nullable(),
  field: z.string(),
  message: z.string(),
});

export const importKeys = route({
  method: 'post',
  path: '/v1/keys/import',
  scope: 'manage',
  reach: 'organization',
  summary: `Register or change up to ${MAX_IMPORT_ROWS} keys: NDJSON (fields as in PUT, with key_id) or text/csv with a header. Good rows are kept when others are bad`,
  consumes: { 'application/x-ndjson': ImportBody, 'text/csv': CsvBody },
  statuses: {
    409: 'The store answers too slowly; the rows that were not taken yet were left out',
    415: 'Neither NDJSON nor CSV, or packed otherwise than by gzip',
    503: 'Other imports are running; see Retry-After',
  },
  response: z.object({
    rows: z.number().int(),
    created: z.number().int(),
    updated: z.number().int(),
    unchanged: z.number().int(),
    rejected: z.number().int(),
    errors: z.array(RowErrorSchema).describe('the first 1,000'),
  }),
  handle: async ({ parts, grant, req, res }) => {
    const csv = req.is('text/csv') !== false && req.is('text/csv') !== null;
    if (!csv && !req.is(['application/x-ndjson', 'application/ndjson', 'application/json'])) {
      throw new Problem(415, 'Unsupported media type', 'send application/x-ndjson or text/csv');
    }
    if (running >= MAX_AT_ONCE) {
      throw new Problem(503, 'Busy', 'other imports are running; retry later', { headers: { 'Retry-After': '10' } });
    }
    running++;
    try {
      const text = await bodyText(req);
      const result = await new KeyImport(parts, grant).run(csv ? csvRows(text) : ndjsonRows(text)).catch(importProblem);
      const { created, updated, unchanged, errors } = result;
      if (created + updated + unchanged > 0) return result;
      throw new Problem(400, 'Bad request', 'no row could be taken', { extra: { ...result, errors } });
    } finally {
      running--;
      if (!req.complete && !res.headersSent) res.set('Connection', 'close');
    }
  },
});

function importProblem(error: unknown): never {
  if (error instanceof BadHeader) throw fieldProblem({ field: error.column.slice(0, 100), message: error.message });
  return registryProblem(error);
}

async function bodyText(req: Request): Promise<string> {
  const encoding = req.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new Problem(415, 'Unsupported encoding', 'use gzip or none');
  }
  const stream = encoding === 'gzip' ? unzipped(req) : req;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not destroyed when left early: the caller is to read why.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Problem(413, 'Payload too large', `body exceeds ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8').decode(Buffer.concat(chunks));
}

/** A pipe does not end with its source: a caller who went away in the middle would be waited for, and keep one of the few places. */
function unzipped(req: Request): Gunzip {
  const gunzip = req.pipe(createGunzip());
  req.once('close', () => req.complete || gunzip.destroy(new Problem(400, 'Bad request', 'the body was broken off')));
  return gunzip;
}
