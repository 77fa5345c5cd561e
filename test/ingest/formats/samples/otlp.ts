import { COMBINED_LINE } from './nginx.ts';
import { otlpProtobuf } from './protobuf-writer.ts';
import { type Sample, START_MS } from './sample.ts';
import { TRAEFIK_ENTRY } from './traefik-caddy.ts';

type Value = string | number | boolean | string[];

function attribute(key: string, value: Value): object {
  if (typeof value === 'string') return { key, value: { stringValue: value } };
  if (typeof value === 'boolean') return { key, value: { boolValue: value } };
  if (typeof value === 'number')
    return { key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } };
  return { key, value: { arrayValue: { values: value.map((one) => ({ stringValue: one })) } } };
}
const attributesOf = (values: Record<string, Value>): object[] =>
  Object.entries(values).map(([key, value]) => attribute(key, value));

const RESOURCE = {
  attributes: attributesOf({ 'service.name': 'items-api', 'deployment.environment.name': 'production' }),
};
const nano = (ms: number): string => `${ms}000000`;

export const SPAN = {
  traceId: '5b8efff798038103d269b633813fc60c',
  spanId: 'eee19b7ec3c1b174',
  parentSpanId: 'eee19b7ec3c1b173',
  name: 'GET /items/{id}',
  kind: 2,
  startTimeUnixNano: nano(START_MS),
  endTimeUnixNano: nano(START_MS + 87),
  attributes: attributesOf({
    'http.request.method': 'GET',
    'http.response.status_code': 503,
    'http.route': '/items/{id}',
    'url.path': '/items/77',
    'url.query': 'token=abc',
    'url.scheme': 'https',
    'client.address': '203.0.113.90',
    'network.peer.address': '10.0.0.1',
    'user_agent.original': 'okhttp/4',
    'error.type': '503',
    'http.request.body.size': 12,
    'geo.country.iso_code': 'NO',
    'enduser.id': 'acme',
    'http.request.header.x-api-key': ['raw-otlp-key'],
    'sampling.ratio': 0.5,
    'is.test': true,
  }),
  status: { code: 2 },
};
const OLD_SPAN = {
  ...SPAN,
  spanId: 'aaa19b7ec3c1b174',
  attributes: attributesOf({
    'http.method': 'POST',
    'http.status_code': 201,
    'http.target': '/items?x=1',
    'http.client_ip': '203.0.113.91',
    'net.peer.ip': '10.0.0.1',
    'http.user_agent': 'old/1',
    'http.request_content_length': 5,
    'http.response_content_length': 6,
    'http.request.header.x_api_key': ['raw-otlp-key'],
  }),
};
const RECORD = {
  key_id: 'acme',
  timestamp: START_MS,
  method: 'GET',
  path: '/items/77?token=abc',
  route: '/items/{id}',
  status: 503,
  latency_ms: 87,
  request_bytes: 12,
  ip: '203.0.113.90',
  country: 'NO',
  user_agent: 'okhttp/4',
  request_id: '5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174',
  service: 'items-api',
  environment: 'production',
  error: '503',
};
const OLD_RECORD = {
  key: 'raw-otlp-key',
  timestamp: START_MS,
  method: 'POST',
  path: '/items?x=1',
  status: 201,
  latency_ms: 87,
  request_bytes: 5,
  response_bytes: 6,
  ip: '203.0.113.91',
  user_agent: 'old/1',
  request_id: '5b8efff798038103d269b633813fc60c-aaa19b7ec3c1b174',
  service: 'items-api',
  environment: 'production',
};
const traces = (...spans: object[]): object => ({
  resourceSpans: [{ resource: RESOURCE, scopeSpans: [{ scope: { name: 'x' }, spans }] }],
});
const logs = (...logRecords: object[]): object => ({
  resourceLogs: [{ resource: RESOURCE, scopeLogs: [{ scope: {}, logRecords }] }],
});

export const TRACES = traces(
  SPAN,
  { ...SPAN, kind: 3 },
  OLD_SPAN,
  { ...SPAN, attributes: attributesOf({ 'rpc.system': 'grpc' }) },
  { ...SPAN, endTimeUnixNano: nano(START_MS - 5) },
  {
    ...OLD_SPAN,
    traceId: '0'.repeat(32),
    attributes: attributesOf({ 'http.method': 'GET', 'http.url': 'https://u:p@h/x' }),
  },
);
const TRACE_RESULT = {
  records: [RECORD, OLD_RECORD],
  rejects: [
    { index: 4, field: 'endTimeUnixNano', message: 'must not be negative' },
    { index: 5, field: 'http.response.status_code', message: 'is required' },
  ],
  skipped: 2,
};

const LOG = { timeUnixNano: nano(START_MS), severityNumber: 9, traceId: SPAN.traceId, spanId: SPAN.spanId };
const { StartLocal: _local, ...TRAEFIK } = TRAEFIK_ENTRY;
export const LOGS = logs(
  { ...LOG, attributes: attributesOf({ ...TRAEFIK, StartUTC: '2026-01-15 09:59:58.250311477 +0000 UTC' }) },
  { ...LOG, attributes: [], body: { stringValue: COMBINED_LINE } },
  {
    ...LOG,
    attributes: attributesOf({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.server.request.duration': 0.25,
    }),
  },
  { ...LOG, attributes: [], body: { stringValue: 'connected to database' } },
  {
    ...LOG,
    attributes: [],
    body: { kvlistValue: { values: attributesOf({ status: '200', request_uri: '/k', remote_addr: '203.0.113.9' }) } },
  },
);
const REQUEST_ID = '5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174';
const LOG_RESULT = {
  records: [
    {
      key: 'raw-traefik-key',
      timestamp: START_MS,
      method: 'GET',
      path: '/v1/invoices/9?page=2',
      status: 200,
      latency_ms: 12.346,
      request_bytes: 0,
      response_bytes: 421,
      ip: '203.0.113.50',
      user_agent: 'Java/17',
      request_id: 'req-774',
      service: 'invoices@docker',
    },
    {
      key_id: '(no key)',
      timestamp: Date.UTC(2026, 0, 15, 9, 59, 58),
      method: 'GET',
      path: '/v1/users/8123?fields=a',
      status: 200,
      response_bytes: 2326,
      ip: '203.0.113.9',
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64)',
      request_id: REQUEST_ID,
      service: 'items-api',
    },
    {
      key_id: '(no key)',
      timestamp: START_MS,
      method: 'GET',
      status: 200,
      latency_ms: 250,
      request_id: REQUEST_ID,
      service: 'items-api',
      environment: 'production',
    },
    {
      key_id: '(no key)',
      timestamp: START_MS,
      path: '/k',
      status: 200,
      ip: '203.0.113.9',
      request_id: REQUEST_ID,
      service: 'items-api',
    },
  ],
  skipped: 1,
};
const PROTOBUF = 'application/x-protobuf';
const half = otlpProtobuf(traces(SPAN, OLD_SPAN));

export const OTLP_SAMPLES: Sample[] = [
  { title: 'spans in JSON', format: 'otlp-traces', body: JSON.stringify(TRACES), ...TRACE_RESULT },
  {
    title: 'the same in protobuf',
    format: 'otlp-traces',
    contentType: PROTOBUF,
    body: otlpProtobuf(TRACES),
    ...TRACE_RESULT,
  },
  {
    title: 'half a protobuf message: the damage is reported at each level it cuts',
    format: 'otlp-traces',
    contentType: PROTOBUF,
    body: half.subarray(0, half.length - 10),
    records: [],
    rejects: [{ index: 0, field: '', message: 'the protobuf message is cut off or malformed' }],
  },
  {
    title: 'an attribute of the resource, and one of the span, by configuration',
    format: 'otlp-traces',
    options: { keySources: [{ field: 'app.key' }, { field: 'resource.service.name' }] },
    body: JSON.stringify(traces(SPAN)),
    records: [{ ...RECORD, key_id: 'items-api' }],
  },
  {
    title: 'no export',
    format: 'otlp-traces',
    body: '{"resourceSpans":{}}',
    records: [],
    rejects: [{ index: 0, field: 'resourceSpans', message: 'must be the array of an OTLP export' }],
  },
  {
    title: 'half a JSON document: the whole spans count; the resource behind its spans',
    format: 'otlp-traces',
    body: JSON.stringify({
      resourceSpans: [{ scopeSpans: [{ spans: [SPAN, OLD_SPAN] }], resource: RESOURCE }, traces(SPAN, SPAN)],
    }).slice(0, -1200),
    records: [RECORD, OLD_RECORD],
    rejects: [{ index: 2, field: '', message: 'the JSON document is cut off or malformed' }],
  },
  { title: 'log records in JSON', format: 'otlp-logs', body: JSON.stringify(LOGS), ...LOG_RESULT },
  {
    title: 'the same in protobuf',
    format: 'otlp-logs',
    contentType: PROTOBUF,
    body: otlpProtobuf(LOGS),
    ...LOG_RESULT,
  },
];
