import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { BadHeader, csvRows, ndjsonRows } from '../../api/import-rows.ts';
import { Batch, decodeBatch, encodeBatch, PACKED } from '../../ingest/batch.ts';
import { clientAddress } from '../../ingest/client-address.ts';
import { anyTimeMs, clfMs } from '../../ingest/formats/log-time.ts';
import { FORMAT_NAMES, formatByName } from '../../ingest/formats/registry.ts';
import { OpenApiPaths } from '../../ingest/open-api-paths.ts';
import { packText, unpackText } from '../../ingest/packed-text.ts';
import { Problem } from '../../ingest/problem.ts';
import { isRecordError, parseRecord } from '../../ingest/record.ts';
import { parseRecordsBody } from '../../ingest/records-body.ts';
import { redactPath } from '../../ingest/redact-path.ts';
import { redactText } from '../../ingest/redact-text.ts';
import { templateOf } from '../../ingest/route-template.ts';
import { SAMPLES } from '../ingest/formats/samples/all.ts';
import { NOW_MS, optionsOf, payloadOf } from '../ingest/formats/samples/sample.ts';

/** One parser under attack. */
export interface Target {
  name: string;
  seeds: Buffer[];
  /** Throws when the parser misbehaves; what it refuses in an orderly way is no misbehaviour. */
  run(input: Buffer): void | Promise<void>;
}

const WINDOW = { pastMs: 1e14, futureMs: 1e14 };

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

const formatTargets: Target[] = FORMAT_NAMES.flatMap((name) => {
  const format = formatByName(name)!;
  const samples = SAMPLES.filter((sample) => name === 'auto' || sample.format === name);
  const types = [...new Set(samples.map((sample) => sample.contentType ?? 'application/json'))];
  return types.map((contentType): Target => {
    const own = samples.filter((sample) => (sample.contentType ?? 'application/json') === contentType);
    const first = own[0]!;
    return {
      name: `format ${name} ${contentType}`,
      seeds: own.map((sample) => Buffer.from(sample.body as string)),
      run: (body) => {
        const payload = { ...payloadOf({ ...first, body }), contentType };
        format.recognises(payload);
        const { records, rejects, skipped } = format.parse(payload, optionsOf(first));
        const count = records.length + rejects.length + skipped;
        must(new Set(rejects.map(({ index }) => index)).size === rejects.length, 'one entry was rejected twice');
        must(
          rejects.every(({ index }) => index >= 0 && index < count),
          'an index outside the payload',
        );
        for (const [index, record] of records.entries()) {
          const parsed = parseRecord(record, index, NOW_MS, WINDOW);
          must(
            !isRecordError(parsed) || parsed.field === 'timestamp',
            `a mapped record is invalid: ${JSON.stringify(parsed)}`,
          );
        }
      },
    };
  });
});

const text = (...seeds: string[]) => seeds.map((seed) => Buffer.from(seed));

const RECORDS = text(
  '{"key_id":"k","status":200,"timestamp":"2026-01-15T10:00:00Z","path":"/a?b=c","latency_ms":1.5,"ip":"203.0.113.9"}',
  '[{"key_id":"k","status":200},{"key":"raw","status":"x"},7,null]',
  '{"key_id":"k","status":200}\n{"key_id":"k","status":404}\n',
);

async function runRecords(body: Buffer, type: string): Promise<void> {
  try {
    const { records, errors } = await parseRecordsBody(body, type, { window: WINDOW, maxRecords: 1_000 });
    const indexes = [...records.index.values.subarray(0, records.rows), ...errors.map(({ index }) => index)];
    must(new Set(indexes).size === indexes.length, 'one record has two fates');
  } catch (error) {
    must(error instanceof Problem && error.status >= 400 && error.status < 500, `not a refusal: ${error}`);
  }
}

function runRows(rows: Iterable<unknown>): void {
  try {
    for (const _row of rows);
  } catch (error) {
    must(error instanceof BadHeader, `not a refusal: ${error}`);
  }
}

const BATCH_RECORD = {
  ...{ keyId: 'k', timestampMs: NOW_MS, method: 'GET', path: '/a/1', route: '/a/{id}', status: 200, latencyMs: 1.25 },
  ...{ requestBytes: 10, responseBytes: 2_000_000, ip: '203.0.113.9', country: 'SE', userAgent: 'curl', requestId: '' },
  ...{ service: 's', environment: 'production', rateLimited: false, error: '' },
};

async function batchSeed(rows: number): Promise<Buffer> {
  const batch = new Batch();
  for (let n = 0; n < rows; n++) {
    batch.add(
      { ...BATCH_RECORD, keyId: `k${n % 3}`, status: 200 + n, requestId: n % 2 ? `id-${n}` : '' },
      n % 2 ? 'acme' : '',
    );
  }
  return inflateRawSync(unpackText((await encodeBatch(batch)).slice(PACKED.length)));
}

/** The layout inside is what is attacked: broken compression ends at once. */
async function runBatch(layout: Buffer): Promise<void> {
  let batch: Batch;
  try {
    batch = await decodeBatch(PACKED + packText(deflateRawSync(layout, { level: 1 })));
  } catch (error) {
    must(error instanceof Error, 'something else than an error was thrown');
    return;
  }
  const again = await decodeBatch(await encodeBatch(batch));
  must(again.rows === batch.rows, 'a batch that was read is written differently');
}

const OPENAPI = {
  openapi: '3.1.0',
  servers: [{ url: 'https://api.example.com/v1' }, { url: '{scheme}://x/{base}', variables: {} }],
  basePath: '/v1',
  paths: { '/users/{id}': { get: {}, post: {} }, '/users/me': { get: {} }, '/files/{name}.{ext}': { get: {} } },
};

function runOpenApi(input: Buffer): void {
  const content = input.toString('utf8');
  let document: unknown;
  try {
    document = JSON.parse(content);
  } catch {
    document = content;
  }
  const paths = new OpenApiPaths(document);
  for (const path of ['/v1/users/me', '/users/7', content.slice(0, 300)]) paths.match('GET', path);
}

function runPath(input: Buffer): void {
  const path = input.toString('latin1');
  const template = templateOf(path);
  must(templateOf(template) === template, `the template of a template differs: ${JSON.stringify([path, template])}`);
  redactPath(path);
  redactText(path);
}

const PROXIES = ['10.0.0.0/8', '::1'];

function runAddress(input: Buffer): void {
  const value = input.toString('latin1');
  clientAddress({ peer: value.slice(0, 45), xForwardedFor: value, forwarded: value, trustedProxies: PROXIES });
  anyTimeMs(value);
  clfMs(value);
}

/** Every parser that sees bytes from outside. */
export async function allTargets(): Promise<Target[]> {
  return [
    ...formatTargets,
    { name: 'records json', seeds: RECORDS, run: (body) => runRecords(body, 'application/json') },
    { name: 'records ndjson', seeds: RECORDS, run: (body) => runRecords(body, 'application/x-ndjson') },
    { name: 'import ndjson', seeds: RECORDS, run: (body) => runRows(ndjsonRows(body.toString('utf8'))) },
    {
      name: 'import csv',
      seeds: text('key_id,name,owner.email,limits.per_day\nk1,"a, ""b""",x@example.com,5\r\nk2,b,,\n', 'key_id\n"open'),
      run: (body) => runRows(csvRows(body.toString('utf8'))),
    },
    { name: 'batch', seeds: [await batchSeed(1), await batchSeed(9)], run: runBatch },
    { name: 'openapi', seeds: text(JSON.stringify(OPENAPI)), run: runOpenApi },
    {
      name: 'path',
      seeds: text('/v1/users/8123/orders', '/a/%2e%2e/b?x=1', '/f/6f2c1f6e-0c9d-4b7f-8a1e-2d3c4b5a6978;v=1'),
      run: runPath,
    },
    {
      name: 'address',
      seeds: text('203.0.113.9, 10.0.0.1', '[::1]:80', '15/Jan/2026:09:59:58 +0000'),
      run: runAddress,
    },
  ];
}
