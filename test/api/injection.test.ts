import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Route } from '../../api/route.ts';
import { ROUTES } from '../../api/routes/routes.ts';
import { type Stack, startStack } from '../support/stack.ts';

/** SQL, markup and placeholders in every string that a route takes. Only bound parameters may reach the engine. */
const STRINGS = [
  "'",
  "' OR 1=1 --",
  "\\' OR 1=1 --",
  "'; DROP TABLE requests; --",
  "') UNION ALL SELECT sha256, name, id FROM tokens --",
  '{key_id:String}',
  '${local}',
  '`requests`',
  "1' AND sleep(3) AND '1",
  '\u0000\u2028"\\n',
];
const CANARY = 'CANARY-of-acme';

let stack: Stack;
let rival: string;
beforeAll(async () => {
  stack = await startStack();
  const acme = await stack.token({ name: 'acme', scopes: ['ingest', 'manage'], organization_id: 'acme' });
  rival = await stack.token({ name: 'rival', scopes: ['ingest', 'manage'], organization_id: 'rival' });
  await stack.call('/v1/keys/acme-key', { method: 'PUT', token: acme, body: { name: CANARY } });
  await stack.send([{ key_id: 'acme-key', status: 200, path: '/a', service: CANARY }], { token: acme });
  await stack.untilCounted(1);
});
afterAll(() => stack.stop());

type Json = { type?: string; properties?: Record<string, Json>; anyOf?: Json[]; items?: Json; enum?: unknown };

/** Paths to every field that may hold text, as the route's own schema tells. */
function textFields(schema: z.ZodType | undefined): string[][] {
  if (!schema) return [];
  const walk = (json: Json, path: string[]): string[][] => [
    ...(json.type === 'string' ? [path] : []),
    ...(json.anyOf ?? []).flatMap((branch) => walk(branch, path)),
    ...Object.entries(json.properties ?? {}).flatMap(([name, inner]) => walk(inner, [...path, name])),
    ...(json.items ? walk(json.items, [...path, '0']) : []),
  ];
  return walk(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json, []);
}

function nested(path: readonly string[], value: string): unknown {
  return path.reduceRight<unknown>((inner, name) => (name === '0' ? [inner] : { [name]: inner }), value);
}

/** Requests to a route, one per text field and string, the other fields left out. */
function* attacks(route: Route, text: string): Generator<{ path: string; body: unknown }> {
  const fill = (value: string) => route.path.replaceAll(/:\w+/g, encodeURIComponent(value));
  const body = route.body ? {} : undefined;
  if (route.path.includes(':')) yield { path: fill(text), body };
  for (const [field] of textFields(route.query)) {
    yield { path: `${fill('k')}?${encodeURIComponent(field!)}=${encodeURIComponent(text)}`, body };
  }
  for (const field of textFields(route.body)) yield { path: fill('k'), body: nested(field, text) };
}

const guarded = ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const);
let sent = 0;

test.each(guarded)(
  '%s',
  async (_name, route) => {
    for (const token of [undefined, rival]) {
      for (const text of STRINGS) {
        for (const { path, body } of attacks(route, text)) {
          const method = route.method.toUpperCase();
          const withBody = body === undefined ? {} : { body: body as object };
          const answer = await stack.call(path, { method, ...(token ? { token } : {}), ...withBody });
          sent++;
          expect(answer.status, `${method} ${path} ${JSON.stringify(body)}: ${answer.text}`).toBeLessThan(500);
          expect(answer.text).not.toMatch(/DB::Exception|SYNTAX_ERROR|UNKNOWN_IDENTIFIER/);
          if (token) expect(answer.text, path).not.toContain('CANARY');
        }
      }
    }
  },
  120_000,
);

test('afterwards every table and every row is there', async () => {
  console.info(`${sent} requests with SQL in a field`);
  expect(sent).toBeGreaterThan(1_000);
  const [row] = await stack.store.query<{ n: number }>('SELECT count() AS n FROM requests');
  expect(row!.n).toBe(1);
  const tables = await stack.store.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND name IN ('requests', 'tokens', 'keys')",
  );
  expect(tables.length).toBe(3);
});

test('records hold such text as text: written, read and filtered', async () => {
  const fields = ['key_id', 'method', 'route', 'user_agent', 'request_id', 'service', 'environment', 'error'];
  for (const [n, text] of STRINGS.slice(0, 8).entries()) {
    const record = {
      status: 200,
      path: '/a',
      ...Object.fromEntries(fields.map((field) => [field, text])),
      method: 'GET',
    };
    await stack.send([record]);
    await stack.untilCounted(n + 2);
    const { json } = await stack.call(`/v1/requests?key_id=${encodeURIComponent(text)}`);
    expect(json.data.map((entry: { key_id: string }) => entry.key_id)).toEqual([text]);
    const usage = await stack.call(
      `/v1/keys/${encodeURIComponent(text)}/usage?route=${encodeURIComponent(json.data[0].route)}`,
    );
    expect(usage.json.totals.requests).toBe(1);
  }
});
