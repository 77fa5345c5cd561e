import { FORMAT_NAMES } from '../ingest/formats/registry.ts';
import { problem } from './openapi.ts';

/** The collector's routes in the API's documentation: they are validated by hand for speed, so they are described by hand. */

export const RECORD_SCHEMA = {
  type: 'object',
  required: ['status'],
  properties: {
    key_id: { type: 'string', maxLength: 200, description: 'or key, or key_sha256' },
    key: { type: 'string', description: 'the raw key: hashed on arrival, never stored' },
    key_sha256: { type: 'string', pattern: '^[0-9A-Fa-f]{64}$' },
    timestamp: { type: ['string', 'integer'], description: 'RFC 3339 or epoch milliseconds, default now' },
    method: { type: 'string' },
    path: { type: 'string', description: 'query values are dropped' },
    route: { type: 'string', description: 'template; derived from path when absent' },
    status: { type: 'integer', minimum: 100, maximum: 599 },
    latency_ms: { type: ['number', 'null'], minimum: 0 },
    request_bytes: { type: ['integer', 'null'], minimum: 0 },
    response_bytes: { type: ['integer', 'null'], minimum: 0 },
    ip: { type: 'string' },
    country: { type: 'string', description: 'ISO 3166-1 alpha-2, overrides the lookup of ip' },
    user_agent: { type: 'string' },
    request_id: { type: 'string' },
    service: { type: 'string' },
    environment: { type: 'string' },
    rate_limited: { type: 'boolean', description: 'default: status is 429' },
    rate_limit: {
      type: ['object', 'null'],
      description:
        'what the platform said of its own limit in the headers of the answer; the newest of each key is kept',
      required: ['limit', 'remaining'],
      properties: {
        limit: { type: 'integer', minimum: 1, description: 'requests allowed in the window' },
        remaining: { type: 'integer', minimum: 0, description: 'of these, still left after this request' },
        reset_at: {
          type: 'integer',
          description: 'when the window ends, epoch milliseconds (a key answers it as RFC 3339)',
        },
        window_seconds: { type: 'integer', description: 'length of the window' },
      },
    },
    error: { type: 'string' },
  },
};

const answer = {
  type: 'object',
  properties: {
    batch_id: { type: 'string' },
    accepted: { type: 'integer' },
    rejected: { type: 'integer' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { index: { type: 'integer' }, field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

const formatAnswer = {
  ...answer,
  properties: {
    ...answer.properties,
    batch_id: { type: ['string', 'null'], description: 'null: there was nothing to count' },
    format: { type: 'string', description: 'the format that was taken: of interest with auto' },
    skipped: { type: 'integer', description: 'entries that are by design not counted' },
  },
};

const otlpAnswer = {
  type: 'object',
  description: 'empty when everything was taken; what was rejected must not be sent again',
  properties: {
    partialSuccess: {
      type: 'object',
      properties: {
        rejectedSpans: { type: 'string', description: 'of /v1/traces' },
        rejectedLogRecords: { type: 'string', description: 'of /v1/logs' },
        errorMessage: { type: 'string' },
      },
    },
  },
};

const stored = (schema: object) => ({
  202: { description: 'Stored durably in the queue', content: { 'application/json': { schema } } },
});

const problems = {
  400: problem('Nothing valid in the body; `errors` names each record and field'),
  401: problem('No valid token'),
  403: problem('The token lacks the "ingest" scope'),
  413: problem('Body or number of records too large'),
  415: problem('Compressed otherwise than by gzip, deflate or brotli'),
  429: problem('Too many requests of this token, or too many wrong tokens from this address; see Retry-After'),
  503: problem('Not able to store; see Retry-After'),
};

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', maxLength: 255, description: 'a repeat with the same key within 24 hours counts once' },
};

const text = (name: string, place: string, description: string) => ({
  name,
  in: place,
  required: place === 'path',
  schema: { type: 'string', description },
});

/** Where the key stands in what a gateway sends. */
const keyRules = [
  text('key_field', 'query', 'the id of the key stands in this field of the entry, such as consumer.custom_id'),
  text('key_header', 'query', 'the raw key stands in this logged header: hashed on arrival'),
  text('key_claim', 'query', 'the id of the key is this claim of the logged bearer token'),
];

const any = { schema: {} };
const binary = { schema: { type: 'string', format: 'binary' } };

const otlp = (what: string) => ({
  post: {
    summary: `Requests as OpenTelemetry ${what}, OTLP/HTTP in protobuf or JSON; gzip, deflate and brotli accepted`,
    security: [{ token: [] }],
    'x-scope': 'ingest',
    parameters: [...keyRules, idempotencyKey],
    requestBody: { required: true, content: { 'application/x-protobuf': binary, 'application/json': any } },
    responses: {
      200: {
        description: 'Stored durably in the queue, in the encoding of the request',
        content: { 'application/json': { schema: otlpAnswer }, 'application/x-protobuf': binary },
      },
      ...problems,
    },
  },
});

export const INGEST_PATHS = {
  '/v1/requests': {
    post: {
      summary: 'Report requests: one record, an array, or one per line (NDJSON); gzip, deflate and brotli accepted',
      security: [{ token: [] }],
      'x-scope': 'ingest',
      parameters: [idempotencyKey],
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: { anyOf: [RECORD_SCHEMA, { type: 'array', items: RECORD_SCHEMA }] } },
          'application/x-ndjson': { schema: { type: 'string' } },
        },
      },
      responses: { ...stored(answer), ...problems },
    },
  },
  '/v1/ingest/{format}': {
    post: {
      summary:
        'Report requests as a gateway or shipper logs them; auto recognises the format. See the guides in docs/gateways',
      security: [{ token: [] }],
      'x-scope': 'ingest',
      parameters: [
        { name: 'format', in: 'path', required: true, schema: { type: 'string', enum: FORMAT_NAMES } },
        ...keyRules,
        idempotencyKey,
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': any,
          'application/x-ndjson': { schema: { type: 'string' } },
          'text/plain': { schema: { type: 'string' } },
        },
      },
      responses: {
        ...stored(formatAnswer),
        200: {
          description: 'To Firehose, in its own form; errors to it have that form, too',
          content: { 'application/json': any },
        },
        ...problems,
        404: problem('There is no such format'),
      },
    },
  },
  '/v1/traces': otlp('spans'),
  '/v1/logs': otlp('log records'),
};
