import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import type { Route } from './route.ts';

/** `/v1/keys/:key_id` → `/v1/keys/{key_id}` */
export function openApiPath(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}

type Json = Record<string, unknown>;

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12' });
  return json;
}

function parameters(schema: z.ZodObject | undefined, place: 'path' | 'query'): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, json]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: json,
  }));
}

function headerParameters({ requestHeaders = {} }: Route): Json[] {
  return Object.entries(requestHeaders).map(([name, { description, isRequired = false }]) => ({
    name,
    in: 'header',
    required: isRequired,
    schema: { type: 'string', description },
  }));
}

/** An error, as it is answered everywhere. */
export const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

function headersOf({ responseHeaders }: Route): Json {
  if (!responseHeaders) return {};
  const headers = Object.entries(responseHeaders).map(([name, { type, description }]) => [
    name,
    { description, schema: { type } },
  ]);
  return { headers: Object.fromEntries(headers) };
}

/** What any route of its kind may answer. */
function commonProblems({ scope, method, params, body, consumes }: Route): Json {
  return {
    400: problem('The request is not valid; `errors` names each field'),
    ...(scope !== 'none' && {
      401: problem('No valid token'),
      403: problem(`The token lacks the "${scope}" scope or is bound elsewhere`),
      503: problem('Tokens cannot be checked at the moment; see Retry-After'),
    }),
    // A PUT may make what it names.
    ...(params && method !== 'put' && { 404: problem('There is no such thing, or the token may not see it') }),
    ...((body || consumes) && { 413: problem('The body is too large') }),
    429: problem('Too many requests of this token, or too many wrong tokens from this address; see Retry-After'),
  };
}

function responses(route: Route): Json {
  const { response, alsoProduces = [], statuses = {} } = route;
  const texts = Object.fromEntries(alsoProduces.map((type) => [type, { schema: { type: 'string' } }]));
  const content: Json = { ...(response && { 'application/json': { schema: schemaOf(response, 'output') } }), ...texts };
  const answersItself = !response && alsoProduces.length > 0;
  const own = Object.entries(statuses).map(([status, description]) => [
    status,
    Number(status) < 400 ? { description } : answersItself ? { description, content } : problem(description),
  ]);
  const ok =
    response || answersItself
      ? { 200: { description: 'OK', ...headersOf(route), content } }
      : { 204: { description: 'Done' } };
  return { ...ok, ...commonProblems(route), ...Object.fromEntries(own) };
}

function requestBody({ body, consumes = body && { 'application/json': body } }: Route): Json {
  if (!consumes) return {};
  const content = Object.entries(consumes).map(([type, schema]) => [type, { schema: schemaOf(schema, 'input') }]);
  return { requestBody: { required: true, content: Object.fromEntries(content) } };
}

function operation(route: Route): Json {
  return {
    summary: route.summary,
    security: route.scope === 'none' ? [] : [{ token: [] }],
    'x-scope': route.scope,
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query'), ...headerParameters(route)],
    ...requestBody(route),
    responses: responses(route),
  };
}

const ProblemSchema: Json = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { index: { type: 'integer' }, field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

/**
 * OpenAPI 3.1 document of the routes, from the schemas that validate them. A third of a second of work for all of them: each has a turn
 * of the event loop of its own, so that nobody else waits for it.
 */
export async function openApiDocument(routes: readonly Route[], extraPaths: Json, version: string): Promise<Json> {
  const paths: Record<string, Json> = { ...(extraPaths as Record<string, Json>) };
  for (const route of routes) {
    const path = openApiPath(route.path);
    paths[path] = { ...paths[path], [route.method]: operation(route) };
    await setImmediate();
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Keytally',
      version,
      description: 'Usage analytics and alerting for API keys.',
      license: { name: 'Apache-2.0' },
    },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'kt_…' } },
      schemas: { Problem: ProblemSchema },
    },
  };
}
