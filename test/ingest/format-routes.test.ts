import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FORMAT_NAMES } from '../../ingest/formats/registry.ts';
import { packageRoot } from '../../ingest/package-root.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { SAMPLES } from './formats/samples/all.ts';
import { CLOUD_EVENT } from './formats/samples/envelopes.ts';
import { KONG_ENTRY } from './formats/samples/kong.ts';
import { APACHE_JSON_LINE, COMBINED_LINE } from './formats/samples/nginx.ts';
import { SPAN } from './formats/samples/otlp.ts';
import type { Sample } from './formats/samples/sample.ts';
import { CADDY_ENTRY } from './formats/samples/traefik-caddy.ts';
import { TYK_ENTRY } from './formats/samples/tyk.ts';

let stack: Stack;
beforeAll(async () => {
  // The samples carry fixed times of January 2026.
  stack = await startStack({ ACCEPT_PAST_DAYS: '2900', RETENTION_REQUESTS_DAYS: '3650' });
});
afterAll(() => stack.stop());

function pathOf({ format, options }: Pick<Sample, 'format' | 'options'>): string {
  const query = new URLSearchParams();
  for (const { field, header, jwtClaim } of options?.keySources ?? []) {
    if (field) query.set('key_field', field);
    if (header) query.set('key_header', header);
    if (jwtClaim) query.set('key_claim', jwtClaim);
  }
  const path = { 'otlp-traces': '/v1/traces', 'otlp-logs': '/v1/logs' }[format] ?? `/v1/ingest/${format}`;
  return `${path}?${query}`;
}

function post(path: string, body: string | Buffer | object, headers: Record<string, string> = {}) {
  const raw = typeof body === 'string' || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return stack.call(path, { method: 'POST', body: raw, headers });
}

async function countOf(keyId: string): Promise<number> {
  const [row] = await stack.store.query<{ counted: number }>(
    'SELECT count() AS counted FROM requests WHERE key_id = {key_id:String}',
    { key_id: keyId },
  );
  return row!.counted;
}

async function settled(): Promise<void> {
  const marker = `marker_${Math.random()}`;
  await stack.send([{ key_id: marker, status: 200 }]);
  await expect.poll(() => countOf(marker)).toBe(1);
}

const usable = SAMPLES.filter((sample) => sample.records.length > 0 && !sample.options?.trustedProxies);

describe('every gateway’s own payload', () => {
  test('there is a sample for every format', () => {
    const sampled = new Set(usable.map((sample) => sample.format));
    expect(FORMAT_NAMES.filter((name) => name !== 'auto' && !sampled.has(name))).toEqual([]);
  });

  test.each(usable.map((sample) => [sample.format, sample.title, sample] as const))(
    '%s: %s',
    async (_format, _title, sample) => {
      const contentType = sample.contentType ?? 'application/json';
      const headers = { 'Content-Type': contentType, ...sample.headers };
      const answer = await post(pathOf(sample), Buffer.from(sample.body as string), headers);
      if (sample.format === 'firehose') {
        expect([answer.status, answer.json.requestId]).toEqual([
          200,
          sample.headers?.['x-amz-firehose-request-id'] ?? '',
        ]);
        expect(answer.json.timestamp).toBeGreaterThan(Date.now() - 60_000);
      } else if (sample.format.startsWith('otlp')) {
        expect([answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([
          200,
          contentType.split(';')[0],
        ]);
      } else {
        expect(answer.status).toBe(202);
        expect(answer.json).toMatchObject({
          format: sample.format,
          accepted: sample.records.length,
          rejected: sample.rejects?.length ?? 0,
          skipped: sample.skipped ?? 0,
        });
      }
    },
  );

  test('each of their keys is counted afterwards', async () => {
    await settled();
    const rows = await stack.store.query<{ key_id: string }>('SELECT DISTINCT key_id FROM requests');
    const counted = new Set(rows.map((row) => row.key_id));
    for (const { records } of usable) {
      for (const { key_id } of records) if (key_id !== undefined) expect(counted).toContain(key_id);
    }
    expect(counted).toContain('(no key)');
  });
});

/** Kong entries of one key with different ids. */
const kong = (consumer: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({
    ...KONG_ENTRY,
    request: { ...KONG_ENTRY.request, id: `${consumer}-${n}` },
    authenticated_entity: { id: consumer },
  }));

describe('a payload that is sent again', () => {
  test('counts once, also when it is split differently the second time', async () => {
    const entries = kong('split', 10);
    await post('/v1/ingest/kong', entries);
    await post('/v1/ingest/kong', entries.slice(0, 3));
    await Promise.all([post('/v1/ingest/kong', entries.slice(2)), post('/v1/ingest/kong', entries.slice(5, 7))]);
    for (const entry of entries) await post('/v1/ingest/kong', entry);
    await settled();
    expect(await countOf('split')).toBe(10);
  });

  test('a client that repeats its request id is counted every time, because the times differ', async () => {
    const entries = kong('fixed-id', 5).map((entry, n) => ({
      ...entry,
      request: { ...entry.request, id: 'always-the-same' },
      started_at: KONG_ENTRY.started_at + n,
    }));
    await post('/v1/ingest/kong', entries);
    await settled();
    expect(await countOf('fixed-id')).toBe(5);
  });

  test('calls of one request in a mesh, in one millisecond under its id, all count', async () => {
    const [entry] = kong('mesh', 1);
    const call = (uri: string, method: string, status: number) => ({
      ...entry,
      request: { ...entry!.request, uri, method },
      response: { ...entry!.response, status },
    });
    const calls = [call('/a', 'GET', 200), call('/b', 'GET', 200), call('/a', 'POST', 200), call('/a', 'GET', 503)];
    await post('/v1/ingest/kong', calls);
    await post('/v1/ingest/kong', calls);
    await settled();
    expect(await countOf('mesh')).toBe(4);
  });

  test.each(['cloudevents', 'auto'])(
    'a CloudEvent without a time counts once, by its source and id, however late it comes again: %s',
    async (format) => {
      const subject = `event-${format}`;
      const event = (id: string) => ({
        ...{ specversion: '1.0', source: '/gateway', type: 'api.request', subject },
        ...{ id, data: { method: 'GET', path: '/a', status: 200 } },
      });
      await post(`/v1/ingest/${format}`, event('1'));
      await settled();
      await post(`/v1/ingest/${format}`, [event('1'), event('2')]);
      await settled();
      expect(await countOf(subject)).toBe(2);
    },
  );

  test('the same ids from another sender are that sender’s own', async () => {
    const other = await stack.token({ name: 'second gateway', scopes: ['ingest'] });
    const entries = kong('two-senders', 4);
    await post('/v1/ingest/kong', entries);
    await stack.call('/v1/ingest/kong', { method: 'POST', token: other, body: entries });
    await settled();
    expect(await countOf('two-senders')).toBe(8);
  });
});

describe('where the key stands', () => {
  test('by a field named in the URL', async () => {
    await post('/v1/ingest/kong?key_field=consumer.username', { ...KONG_ENTRY, consumer: { username: 'by-name' } });
    await settled();
    expect(await countOf('by-name')).toBe(1);
  });

  const shipped = (entry: object) => ({ date: 1768471200, log: JSON.stringify(entry) });
  const attribute = (value: string) => [{ key: 'your.attribute', value: { stringValue: value } }];
  const status = { key: 'http.response.status_code', value: { intValue: '200' } };
  const spans = (own: object[], ofResource: object[]) => ({
    resourceSpans: [
      {
        resource: { attributes: ofResource },
        scopeSpans: [{ spans: [{ ...SPAN, attributes: [status, ...own] }] }],
      },
    ],
  });
  const event = { ...CLOUD_EVENT, data: { ...CLOUD_EVENT.data, customer: 'by-data' } };
  /** Addresses of the guides, a payload for each, and the key it is to count for. */
  const GUIDED: [string, string | object, string][] = [
    ['/v1/ingest/kong?key_field=consumer.id', { ...KONG_ENTRY, consumer: { id: 'by-consumer' } }, 'by-consumer'],
    ['/v1/ingest/kong?key_field=consumer.custom_id', { ...KONG_ENTRY, consumer: { custom_id: 'by-own' } }, 'by-own'],
    ['/v1/ingest/fluent-bit?key_field=key_id', shipped({ ...CADDY_ENTRY, key_id: 'by-caddy' }), 'by-caddy'],
    ['/v1/ingest/vector?key_field=key_id', { message: JSON.stringify({ ...CADDY_ENTRY, key_id: 'by-vec' }) }, 'by-vec'],
    ['/v1/ingest/fluent-bit?key_field=alias', shipped({ ...TYK_ENTRY, alias: 'by-alias' }), 'by-alias'],
    ['/v1/ingest/tyk?key_field=alias', { ...TYK_ENTRY, alias: 'by-tyk' }, 'by-tyk'],
    ['/v1/ingest/apache?key_field=remote_addr', COMBINED_LINE.replace('203.0.113.9', '203.0.113.98'), '203.0.113.98'],
    ['/v1/ingest/nginx?key_field=remote_addr', APACHE_JSON_LINE.replace('113.9', '113.99'), '203.0.113.99'],
    ['/v1/traces?key_field=your.attribute', spans(attribute('by-span'), []), 'by-span'],
    ['/v1/traces?key_field=resource.your.attribute', spans([], attribute('by-resource')), 'by-resource'],
    ['/v1/ingest/cloudevents?key_field=data.customer', event, 'by-data'],
  ];

  test('as the guides say it, in every address of theirs', async () => {
    const folder = join(packageRoot(), 'docs/gateways');
    const guides = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    const addresses = guides.flatMap((text) => text.match(/\/v1\/[\w/-]+\?key_\w+=[\w.-]+/g) ?? []);
    expect([...new Set(addresses)].sort()).toEqual(GUIDED.map(([address]) => address).sort());
    expect(guides.filter((text) => text.includes('{"field"'))).toEqual([]);
    for (const [address, payload] of GUIDED) {
      const headers = { 'Content-Type': typeof payload === 'string' ? 'text/plain' : 'application/json' };
      expect([address, (await post(address, payload, headers)).status]).toEqual([
        address,
        address.startsWith('/v1/traces') ? 200 : 202,
      ]);
    }
    await settled();
    for (const [address, , key] of GUIDED) expect([address, await countOf(key)]).toEqual([address, 1]);
  });

  test('requests without a key count under the organization’s own name for them', async () => {
    const acme = await stack.token({ name: 'acme', scopes: ['ingest', 'read'], organization_id: 'acme' });
    const { authenticated_entity, consumer, ...anonymous } = KONG_ENTRY;
    const entry = {
      ...anonymous,
      response: { ...KONG_ENTRY.response, status: 401 },
      request: { ...KONG_ENTRY.request, headers: {} },
    };
    await stack.call('/v1/ingest/kong', { method: 'POST', token: acme, body: entry });
    await settled();
    const { json } = await stack.call('/v1/keys', { token: acme });
    expect(json.data.map((key: { key_id: string }) => key.key_id)).toEqual(['(no key) acme']);
  });
});

describe('protocol', () => {
  test('HEAD health check, unknown format, empty body, nothing recognised', async () => {
    expect((await stack.call('/v1/ingest/vector', { method: 'HEAD', token: '' })).status).toBe(200);
    expect((await stack.call('/v1/ingest/nonsense', { method: 'HEAD', token: '' })).status).toBe(404);
    expect(await post('/v1/ingest/nonsense', '{}')).toMatchObject({ status: 404, json: { title: 'Unknown format' } });
    expect((await post('/v1/ingest/kong', '')).status).toBe(400);
    const unknown = await post('/v1/ingest/auto', '{"a":1}');
    expect(unknown.status).toBe(400);
    expect((await stack.call('/v1/ingest/kong', { method: 'POST', token: '', body: KONG_ENTRY })).status).toBe(401);
  });

  test('errors name the sender’s entries, whichever of them were mapped to records', async () => {
    const future = { ...KONG_ENTRY, started_at: Date.UTC(2999, 0, 1) };
    const answer = await post('/v1/ingest/kong', [7, KONG_ENTRY, future, { ...KONG_ENTRY, response: {} }, KONG_ENTRY]);
    expect(answer.json).toMatchObject({ accepted: 2, rejected: 3 });
    expect(answer.json.errors.map((error: { index: number; field: string }) => [error.index, error.field])).toEqual([
      [0, ''],
      [2, 'timestamp'],
      [3, 'response.status'],
    ]);
  });

  test('of a key that is another organization’s as well', async () => {
    const acme = await stack.token({ name: 'acme', scopes: ['ingest'], organization_id: 'acme' });
    const beta = await stack.token({ name: 'beta', scopes: ['ingest'], organization_id: 'beta' });
    const [owned] = kong('owned-by-acme', 1);
    await stack.call('/v1/ingest/kong', { method: 'POST', token: acme, body: owned! });
    await settled();
    const body = [7, kong('owned-by-beta', 1)[0], owned];
    const { json } = await stack.call('/v1/ingest/kong', { method: 'POST', token: beta, body });
    expect(json.errors.map((error: { index: number; field: string }) => [error.index, error.field])).toEqual([
      [0, ''],
      [2, 'key_id'],
    ]);
  });

  test('auto says which format it took', async () => {
    expect((await post('/v1/ingest/auto', KONG_ENTRY)).json).toMatchObject({ format: 'kong', accepted: 1 });
  });

  test('Firehose: its access key is the token, its errors have its own shape', async () => {
    const headers = { 'X-Amz-Firehose-Request-Id': 'r-1', 'Content-Type': 'application/json' };
    const call = (token: string) =>
      stack.call('/v1/ingest/firehose', {
        method: 'POST',
        token: '',
        headers: { ...headers, 'X-Amz-Firehose-Access-Key': token },
        body: {
          requestId: 'r-1',
          timestamp: Date.now(),
          records: [{ data: Buffer.from(JSON.stringify(KONG_ENTRY)).toString('base64') }],
        },
      });
    const token = await stack.token({ name: 'firehose', scopes: ['ingest'] });
    expect(await call(token)).toMatchObject({ status: 200, json: { requestId: 'r-1' } });
    const bad = await stack.call('/v1/ingest/firehose', {
      method: 'POST',
      headers,
      body: { requestId: 'r-1', records: [{ data: 'bm90IGpzb24=' }] },
    });
    expect(bad).toMatchObject({ status: 400, json: { requestId: 'r-1', errorMessage: expect.any(String) } });
  });

  test('OTLP: a rejected span is a partial success, not an error', async () => {
    const span = {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      kind: 2,
      startTimeUnixNano: '1768471200000000000',
      endTimeUnixNano: '1768471200100000000',
    };
    const attributes = [{ key: 'http.response.status_code', value: { intValue: '999' } }];
    const body = { resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, attributes }] }] }] };
    const answer = await post('/v1/traces', body, { 'Content-Type': 'application/json' });
    expect([answer.status, answer.json.partialSuccess?.rejectedSpans]).toEqual([200, '1']);
  });
});

describe('an imported OpenAPI document', () => {
  const document = {
    openapi: '3.1.0',
    servers: [{ url: 'https://api.example.com/v9' }],
    paths: {
      '/pets/{petId}': { get: { summary: 'secret-CANARY' }, delete: {} },
      '/pets/mine': { get: {} },
      '/never/{id}': { post: {} },
    },
  };

  test('makes routes exact and lists endpoints nobody calls', async () => {
    const put = await stack.call('/v1/api-descriptions/pets', { method: 'PUT', body: document });
    expect(put).toMatchObject({ status: 200, json: { name: 'pets', endpoints: 4 } });
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    const paths = ['/v9/pets/mine', '/v9/pets/rex', '/pets/fido?x=1', '/other/12'];
    await stack.send(paths.map((path) => ({ key_id: 'pets', status: 200, method: 'GET', path })));
    await settled();
    const rows = await stack.store.query<{ path: string; route: string }>(
      "SELECT path, route FROM requests WHERE key_id = 'pets' ORDER BY path",
    );
    expect(rows.map((row) => [row.path, row.route])).toEqual([
      ['/other/12', '/other/{id}'],
      ['/pets/fido?x', '/pets/{petId}'],
      ['/v9/pets/mine', '/pets/mine'],
      ['/v9/pets/rex', '/pets/{petId}'],
    ]);
    const { json } = await stack.call('/v1/api-descriptions/pets/unused');
    expect(json.unused).toEqual([
      { method: 'DELETE', template: '/pets/{petId}' },
      { method: 'POST', template: '/never/{id}' },
    ]);
    expect(JSON.stringify((await stack.call('/v1/api-descriptions')).json)).not.toContain('CANARY');
  });

  test('importing and deleting it is written down', async () => {
    for (const method of ['PUT', 'DELETE']) {
      const body = method === 'PUT' ? { body: document } : {};
      expect((await stack.call('/v1/api-descriptions/noted', { method, ...body })).status).toBeLessThan(300);
    }
    const { json } = await stack.call('/v1/audit?subject=noted');
    const noted = { name: 'noted', endpoints: 4 };
    expect(json.data).toMatchObject([
      { action: 'api_description.deleted', before: noted, after: null },
      { action: 'api_description.imported', before: null, after: noted },
    ]);
    expect((await stack.call('/v1/api-descriptions/noted', { method: 'DELETE' })).status).toBe(404);
  });

  test('a document without paths is refused', async () => {
    const answer = await stack.call('/v1/api-descriptions/none', {
      method: 'PUT',
      body: { openapi: '3.1.0', paths: {} },
    });
    expect(answer).toMatchObject({ status: 400, json: { errors: [{ field: 'paths' }] } });
  });
});
