import { jwtWith, type Sample, START_MS } from './sample.ts';

export const KONG_ENTRY = {
  request: {
    id: '6f2c1f6e0c9d4b7f8a1e2d3c4b5a6978',
    uri: '/v1/users/8123/orders?expand=items&apikey=topsecret',
    url: 'https://api.example.com:8443/v1/users/8123/orders?expand=items&apikey=topsecret',
    method: 'GET',
    querystring: { expand: 'items', apikey: 'topsecret' },
    headers: { host: 'api.example.com', 'user-agent': 'curl/8.5.0', accept: '*/*', apikey: 'raw-kong-key' },
    size: 231,
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', client_verify: 'NONE' },
  },
  response: { status: 200, headers: { 'content-type': 'application/json', 'x-kong-proxy-latency': '3' }, size: 1834 },
  upstream_uri: '/users/8123/orders?expand=items',
  upstream_status: '200',
  latencies: { request: 42, proxy: 36, kong: 6, receive: 1 },
  authenticated_entity: {
    id: '3f1c7a52-8b1d-4a52-9f0e-0d5f1f7c9a11',
    consumer_id: '80f74eef-31b8-45d5-c525-ae532297ea8e',
  },
  consumer: { id: '80f74eef-31b8-45d5-c525-ae532297ea8e', username: 'acme', custom_id: 'customer-17' },
  route: { id: '78f79740-c410-4fd9-a998-d0a60a99dc9b', name: 'orders', paths: ['/v1/users'] },
  service: { id: '167290ee-c682-4ebf-bdea-e49a3ac5e260', name: 'orders-service', host: 'orders.internal' },
  client_ip: '203.0.113.7',
  started_at: START_MS,
  source: 'upstream',
  tries: [{ balancer_latency: 0, port: 8080, balancer_start: START_MS + 3, ip: '10.0.0.12' }],
  workspace: 'f7e2f3a4-0000-4000-8000-000000000001',
  workspace_name: 'default',
};

const RECORD = {
  key_id: '3f1c7a52-8b1d-4a52-9f0e-0d5f1f7c9a11',
  timestamp: START_MS,
  method: 'GET',
  path: '/v1/users/8123/orders?expand=items&apikey=topsecret',
  status: 200,
  latency_ms: 42,
  request_bytes: 231,
  response_bytes: 1834,
  ip: '203.0.113.7',
  user_agent: 'curl/8.5.0',
  request_id: '6f2c1f6e0c9d4b7f8a1e2d3c4b5a6978',
  service: 'orders-service',
};

const { authenticated_entity: _key, consumer: _consumer, ...anonymous } = KONG_ENTRY;
const REFUSED = {
  ...anonymous,
  request: { ...KONG_ENTRY.request, headers: { host: 'api.example.com', authorization: 'REDACTED' } },
  response: { ...KONG_ENTRY.response, status: 401 },
  latencies: { request: 2, proxy: -1, kong: 2 },
};
const withRoute = (paths: unknown): object => ({ ...KONG_ENTRY, route: { ...KONG_ENTRY.route, paths } });
const withToken = (status: number): object => ({
  ...anonymous,
  response: { ...KONG_ENTRY.response, status },
  request: { ...KONG_ENTRY.request, headers: { Authorization: `Bearer ${jwtWith({ client: { id: 'client-9' } })}` } },
});
const { user_agent: _agent, ...RECORD_WITHOUT_AGENT } = RECORD;

export const KONG_SAMPLES: Sample[] = [
  { title: 'one object', format: 'kong', body: JSON.stringify(KONG_ENTRY), records: [RECORD] },
  {
    title: 'an array, one entry wrong: the others count',
    format: 'kong',
    body: JSON.stringify([KONG_ENTRY, { ...KONG_ENTRY, response: { status: 42 } }, 7, KONG_ENTRY]),
    records: [RECORD, RECORD],
    rejects: [
      { index: 1, field: 'response.status', message: 'must be from 100 to 599, not 42' },
      { index: 2, field: '', message: 'an entry must be a JSON object or a log line, not number' },
    ],
  },
  {
    title: 'status 0: the client was gone',
    format: 'kong',
    body: JSON.stringify({ ...KONG_ENTRY, response: { ...KONG_ENTRY.response, status: 0 } }),
    records: [{ ...RECORD, status: 499, error: 'client_disconnected' }],
  },
  {
    title: 'a 401 without key counts under no key',
    format: 'kong',
    body: JSON.stringify(REFUSED),
    records: [{ ...RECORD_WITHOUT_AGENT, key_id: '(no key)', status: 401, latency_ms: 2 }],
  },
  {
    title: 'a raw key header where Kong names no credential',
    format: 'kong',
    body: JSON.stringify(anonymous),
    records: [{ ...RECORD, key_id: undefined, key: 'raw-kong-key' }],
  },
  {
    title: 'the consumer by configuration',
    format: 'kong',
    options: { keySources: [{ field: 'consumer.custom_id' }] },
    body: JSON.stringify(KONG_ENTRY),
    records: [{ ...RECORD, key_id: 'customer-17' }],
  },
  {
    title: 'a header by configuration, in any case',
    format: 'kong',
    options: { keySources: [{ field: 'nowhere.at.all' }, { header: 'ApiKey' }] },
    body: JSON.stringify(KONG_ENTRY),
    records: [{ ...RECORD, key_id: undefined, key: 'raw-kong-key' }],
  },
  {
    title: 'a JWT claim by configuration, but not of a token that was refused',
    format: 'kong',
    options: { keySources: [{ jwtClaim: 'client.id' }] },
    body: JSON.stringify([withToken(200), withToken(401)]),
    records: [
      { ...RECORD_WITHOUT_AGENT, key_id: 'client-9' },
      { ...RECORD_WITHOUT_AGENT, key_id: '(no key)', status: 401 },
    ],
  },
  {
    title: 'a named regular expression is a template, a prefix is not, two paths are not',
    format: 'kong',
    body: JSON.stringify([
      withRoute(['~/v1/users/(?<user_id>[^/]+)/orders$']),
      withRoute(['~/v1/(users|members)/.*']),
      withRoute(['/v1/a', '/v1/b']),
      withRoute(['/v1/users/8123/orders']),
    ]),
    records: [
      { ...RECORD, route: '/v1/users/{user_id}/orders' },
      RECORD,
      RECORD,
      { ...RECORD, route: '/v1/users/8123/orders' },
    ],
  },
  {
    title: 'wrong times and durations name their field; a wrong address is left out',
    format: 'kong',
    body: JSON.stringify([
      { ...KONG_ENTRY, started_at: 'yesterday' },
      { ...KONG_ENTRY, latencies: { request: -5 } },
      { ...KONG_ENTRY, latencies: { request: 'fast' } },
      { ...KONG_ENTRY, client_ip: 'unix:', request: { ...KONG_ENTRY.request, method: 'G€T', size: -3 } },
      { latencies: {}, request: {} },
    ]),
    records: [{ ...RECORD, ip: undefined, method: undefined, request_bytes: undefined }],
    rejects: [
      { index: 0, field: 'started_at', message: 'is not a valid time' },
      { index: 1, field: 'latencies.request', message: 'must not be negative' },
      { index: 2, field: 'latencies.request', message: 'must be a number' },
      { index: 4, field: 'response.status', message: 'is required' },
    ],
  },
  {
    title: 'half a payload: the whole entries count',
    format: 'kong',
    body: JSON.stringify([KONG_ENTRY, KONG_ENTRY]).slice(0, -200),
    records: [RECORD],
    rejects: [{ index: 1, field: '', message: 'the payload ends in the middle of an entry' }],
  },
];
