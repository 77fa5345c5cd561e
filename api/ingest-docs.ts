/** The collector's routes in the API's documentation: they are validated by hand for speed, so they are described by hand. */

const record = {
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
    error: { type: 'string' },
  },
};

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

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

const responses = {
  202: { description: 'Stored durably in the queue', content: { 'application/json': { schema: answer } } },
  400: problem('Nothing valid in the body; `errors` names each record and field'),
  401: problem('No valid token'),
  403: problem('The token lacks the "ingest" scope'),
  413: problem('Body or number of records too large'),
  429: problem('Too many requests of this token'),
  503: problem('Not able to store; see Retry-After'),
};

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', maxLength: 255, description: 'a repeat with the same key within 24 hours counts once' },
};

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
          'application/json': { schema: { anyOf: [record, { type: 'array', items: record }] } },
          'application/x-ndjson': { schema: { type: 'string' } },
        },
      },
      responses,
    },
  },
};
