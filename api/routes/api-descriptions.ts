import { z } from 'zod';
import { Problem } from '../../ingest/problem.ts';
import type { TokenGrant } from '../../ingest/token.ts';
import { type AuditAction, writeAudit } from '../../workers/keys/audit.ts';
import { organizationKeys } from '../queries/grouped-usage.ts';
import { ALL_KEYS } from '../queries/union.ts';
import { type ApiParts, route } from '../route.ts';

const Name = z.object({
  name: z.string().regex(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, dots or dashes'),
});
const EndpointSchema = z.object({ method: z.string(), template: z.string() });
const DEFAULT_DAYS = 30;

export const putApiDescription = route({
  method: 'put',
  path: '/v1/api-descriptions/:name',
  scope: 'manage',
  reach: 'organization',
  summary: 'Import the paths of an OpenAPI document: routes become exact; takes effect within seconds',
  params: Name,
  body: z.record(z.string(), z.unknown()),
  response: z.object({ name: z.string(), endpoints: z.number().int() }),
  handle: async ({ parts, grant, params, body }) => {
    const endpoints = await parts.apiDescriptions.put(grant.organizationId, params.name, body);
    if (endpoints.length === 0) {
      throw new Problem(
        400,
        'No paths',
        'the document has no paths with methods; send OpenAPI 3 or Swagger 2 as JSON',
        {
          extra: { errors: [{ field: 'paths', message: 'has no path with a method' }] },
        },
      );
    }
    const imported = { name: params.name, endpoints: endpoints.length };
    await note(parts, grant, 'api_description.imported', null, imported);
    return imported;
  },
});

export const listApiDescriptions = route({
  method: 'get',
  path: '/v1/api-descriptions',
  scope: 'read',
  reach: 'organization',
  summary: 'Imported OpenAPI documents',
  response: z.object({
    data: z.array(z.object({ name: z.string(), updated_at: z.string(), endpoints: z.array(EndpointSchema) })),
  }),
  handle: async ({ parts, grant }) => {
    const entries = await parts.apiDescriptions.list(grant.organizationId);
    return { data: entries.map(({ name, updatedAt, endpoints }) => ({ name, updated_at: updatedAt, endpoints })) };
  },
});

export const deleteApiDescription = route({
  method: 'delete',
  path: '/v1/api-descriptions/:name',
  scope: 'manage',
  reach: 'organization',
  summary: 'Forget an imported document; counted routes stay',
  params: Name,
  handle: async ({ parts, grant, params, res }) => {
    const removed = await parts.apiDescriptions.remove(grant.organizationId, params.name);
    if (!removed) throw notThere();
    const deleted = { name: params.name, endpoints: removed.endpoints.length };
    await note(parts, grant, 'api_description.deleted', deleted, null);
    res.status(204).end();
  },
});

export const unusedEndpoints = route({
  method: 'get',
  path: '/v1/api-descriptions/:name/unused',
  scope: 'read',
  reach: 'organization',
  summary: 'Endpoints of an imported document that nobody called in the last days',
  params: Name,
  query: z.object({ days: z.coerce.number().int().min(1).max(1825).default(DEFAULT_DAYS) }),
  response: z.object({
    name: z.string(),
    days: z.number().int(),
    endpoints: z.number().int(),
    unused: z.array(EndpointSchema),
  }),
  handle: async ({ parts, grant, params, query }) => {
    const description = (await parts.apiDescriptions.list(grant.organizationId)).find(
      ({ name }) => name === params.name,
    );
    if (!description) throw notThere();
    const keys = grant.organizationId === '' ? ALL_KEYS : organizationKeys(grant.organizationId);
    const called = await parts.store.query<{ method: string; route: string }>(
      `SELECT DISTINCT method, route FROM endpoints_day
       WHERE ${keys.sql} AND start >= toStartOfDay(now('UTC')) - toIntervalDay({days:UInt32})`,
      { ...keys.params, days: query.days },
    );
    const seen = new Set(called.map((row) => `${row.method} ${row.route}`));
    const unused = description.endpoints.filter(({ method, template }) => !seen.has(`${method} ${template}`));
    return { name: params.name, days: query.days, endpoints: description.endpoints.length, unused };
  },
});

/** What is written down of a description: its name, and of its endpoints the number. */
type Noted = { name: string; endpoints: number } | null;

async function note(parts: ApiParts, grant: TokenGrant, action: AuditAction, before: Noted, after: Noted) {
  const { name: subject } = (after ?? before)!;
  const { organizationId, id: actor } = grant;
  await writeAudit(parts.store, [{ organizationId, actor, action, subject, reason: '', before, after }]);
}

function notThere(): Problem {
  return new Problem(404, 'Not found', 'there is no such API description');
}
