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

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

function headersOf(numbers: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, description]) => [name, { description, schema: { type: 'integer' } }]),
  );
}

function responses({ response, alsoProduces = [], responseHeaders, scope }: Route): Json {
  const content: Json = { 'application/json': { schema: response ? schemaOf(response, 'output') : {} } };
  for (const type of alsoProduces) content[type] = { schema: { type: 'string' } };
  const headers = responseHeaders && { headers: headersOf(responseHeaders) };
  const ok = response ? { 200: { description: 'OK', ...headers, content } } : { 204: { description: 'Done' } };
  const denied =
    scope === 'none'
      ? {}
      : { 401: problem('No valid token'), 403: problem(`The token lacks the "${scope}" scope or is bound elsewhere`) };
  return { ...ok, 400: problem('The request is not valid; `errors` names each field'), ...denied };
}

function operation(route: Route): Json {
  return {
    summary: route.summary,
    security: route.scope === 'none' ? [] : [{ token: [] }],
    'x-scope': route.scope,
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
    ...(route.body
      ? { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(route.body, 'input') } } } }
      : {}),
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
