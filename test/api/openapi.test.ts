import { describe, expect, test } from 'vitest';
import { docsPage } from '../../api/docs-page.ts';
import { INGEST_PATHS, RECORD_SCHEMA } from '../../api/ingest-docs.ts';
import { openApiDocument } from '../../api/openapi.ts';
import { ROUTES } from '../../api/routes/routes.ts';
import { FORMAT_NAMES } from '../../ingest/formats/registry.ts';
import { LINE_FIELDS } from '../../ingest/line-fields.ts';

interface Operation {
  'x-scope': string;
  parameters: { name: string; in: string; required: boolean; schema: { enum?: string[] } }[];
  requestBody?: { content: Record<string, { schema: Record<string, unknown> }> };
  responses: Record<string, { headers?: object; content?: Record<string, unknown> }>;
}

const document = await openApiDocument(ROUTES, INGEST_PATHS, '0');
const paths = document.paths as Record<string, Record<string, Operation>>;
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
);
const found = (name: string): Operation => operations.find(([known]) => known === name)![1];
const names = (operation: Operation, place: string) =>
  operation.parameters.filter((one) => one.in === place).map((one) => one.name);

test('what the collector takes is described: every format, and every field of a record', () => {
  const [format] = found('POST /v1/ingest/{format}').parameters;
  expect(format!.schema.enum).toEqual(FORMAT_NAMES);
  for (const path of ['/v1/ingest/{format}', '/v1/traces', '/v1/logs'])
    expect(names(found(`POST ${path}`), 'query')).toEqual(['key_field', 'key_header', 'key_claim']);
  expect(Object.keys(RECORD_SCHEMA.properties).sort()).toEqual(LINE_FIELDS.map(({ name }) => name).sort());
  expect(RECORD_SCHEMA.properties.rate_limit.properties.reset_at.type).toBe('integer');
});

describe('statuses', () => {
  test.each(operations)('%s: those of every route of its kind', (_name, operation) => {
    const statuses = Object.keys(operation.responses);
    expect(statuses).toEqual(expect.arrayContaining(['400', '429']));
    if (operation['x-scope'] !== 'none') expect(statuses).toEqual(expect.arrayContaining(['401', '403', '503']));
    if (operation.requestBody) expect(statuses).toContain('413');
  });

  test.each([
    ['PUT /v1/keys/{key_id}', ['404', '409']],
    ['PUT /v1/plans/{plan}', ['409']],
    ['GET /v1/keys/{key_id}', ['404']],
    ['GET /v1/keys/denied', ['304']],
    ['GET /v1/actions/{token}', ['200', '404', '410']],
    ['POST /v1/actions/{token}', ['200', '404', '410']],
    ['DELETE /v1/keys/{key_id}', ['204', '404', '409']],
    ['POST /v1/keys/import', ['409', '415', '503']],
    ['POST /v1/ingest/{format}', ['200', '202', '404', '415']],
  ])('%s: %j', (name, statuses) => {
    const told = Object.keys(found(name).responses);
    expect(told).toEqual(expect.arrayContaining(statuses));
    for (const other of ['204', '304', '404', '409', '410']) {
      if (!statuses.includes(other)) expect(told).not.toContain(other);
    }
  });

  test('a route that answers with pages answers with nothing else', () => {
    const { responses } = found('GET /v1/actions/{token}');
    for (const status of ['200', '404', '410']) expect(Object.keys(responses[status]!.content!)).toEqual(['text/html']);
  });
});

test('headers that routes read and set', () => {
  expect(names(found('PUT /v1/keys/{key_id}'), 'header')).toEqual(['If-Match']);
  expect(names(found('GET /v1/keys/denied'), 'header')).toEqual(['If-None-Match']);
  expect(found('GET /v1/keys/denied').responses[200]!.headers).toHaveProperty('ETag');
  const signed = found('POST /v1/leaks').parameters.filter((one) => one.in === 'header' && one.required);
  expect(signed).toHaveLength(2);
});

test('bodies that routes read by themselves, also on the page', () => {
  const { content } = found('POST /v1/keys/import').requestBody!;
  expect(content['application/x-ndjson']!.schema).toMatchObject({ properties: { key_id: {}, limits: {} } });
  expect(content['text/csv']!.schema.description).toContain('limit_per_minute');
  expect(found('POST /v1/leaks').requestBody!.content['application/json']!.schema).toMatchObject({ type: 'array' });
  const page = docsPage(document as Parameters<typeof docsPage>[0]);
  for (const text of ['Body, text/csv', 'If-None-Match', '<td>410</td>', '/v1/ingest/{format}', 'rate_limit'])
    expect(page).toContain(text);
});
