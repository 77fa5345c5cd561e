import { KONG_ENTRY } from './kong.ts';
import { APACHE_JSON_LINE, APACHE_JSON_RECORD, COMBINED_LINE, NGINX_ENTRY } from './nginx.ts';
import { NOW_MS, type Sample, START_MS } from './sample.ts';

export const CLOUD_EVENT = {
  specversion: '1.0',
  id: 'A234-1234-1234',
  source: 'https://gateway.example.com/eu',
  type: 'api.request',
  time: '2026-01-15T09:59:58.250Z',
  subject: 'customer-17',
  datacontenttype: 'application/json',
  data: {
    method: 'GET',
    path: '/v1/tokens/5',
    route: '/v1/tokens/{id}',
    status: '200',
    latency_ms: '12.5',
    ip: '203.0.113.4',
  },
};
const EVENT_RECORD = {
  key_id: 'customer-17',
  timestamp: START_MS,
  method: 'GET',
  path: '/v1/tokens/5',
  route: '/v1/tokens/{id}',
  status: 200,
  latency_ms: 12.5,
  ip: '203.0.113.4',
  request_id: 'https://gateway.example.com/eu#A234-1234-1234',
};

export const CLOUDEVENTS_SAMPLES: Sample[] = [
  {
    title: 'structured',
    format: 'cloudevents',
    contentType: 'application/cloudevents+json',
    body: JSON.stringify(CLOUD_EVENT),
    records: [EVENT_RECORD],
  },
  {
    title: 'batch: key in the data, data in base 64, a gateway’s own entry, and four wrong ones',
    format: 'cloudevents',
    contentType: 'application/cloudevents-batch+json',
    body: JSON.stringify([
      { ...CLOUD_EVENT, data: { ...CLOUD_EVENT.data, key_id: 'key_1' } },
      {
        ...CLOUD_EVENT,
        data: undefined,
        data_base64: Buffer.from(JSON.stringify(CLOUD_EVENT.data)).toString('base64'),
      },
      { ...CLOUD_EVENT, id: 'k', data: KONG_ENTRY },
      { ...CLOUD_EVENT, id: '' },
      { ...CLOUD_EVENT, specversion: '0.3' },
      { ...CLOUD_EVENT, time: 'noon' },
      { ...CLOUD_EVENT, data: { tokens: 5 } },
    ]),
    records: [
      { ...EVENT_RECORD, key_id: 'key_1' },
      EVENT_RECORD,
      {
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
        request_id: 'https://gateway.example.com/eu#k',
        service: 'orders-service',
      },
    ],
    rejects: [
      { index: 3, field: 'id', message: 'is required in a CloudEvent' },
      { index: 4, field: 'specversion', message: 'must be 1.0' },
      { index: 5, field: 'time', message: 'is not a valid time' },
      { index: 6, field: 'data.status', message: 'is required' },
    ],
  },
  {
    title: 'binary: attributes in headers',
    format: 'cloudevents',
    headers: {
      'ce-specversion': '1.0',
      'ce-id': 'A234-1234-1234',
      'ce-source': 'https://gateway.example.com/eu',
      'ce-type': 'api.request',
      'ce-time': '2026-01-15T09:59:58.250Z',
      'ce-subject': 'customer%2D17',
    },
    body: JSON.stringify(CLOUD_EVENT.data),
    records: [EVENT_RECORD],
  },
];

const LINE_RECORD = {
  key_id: '(no key)',
  timestamp: Date.UTC(2026, 0, 15, 9, 59, 58),
  method: 'GET',
  path: '/v1/users/8123?fields=a',
  status: 200,
  response_bytes: 2326,
  ip: '203.0.113.9',
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64)',
};
const NGINX_RECORD = {
  key: 'raw-nginx-key',
  timestamp: START_MS,
  method: 'PUT',
  path: '/v1/files/report.pdf?sig=abc',
  status: 200,
  latency_ms: 1250,
  request_bytes: 18220,
  response_bytes: 93,
  ip: '203.0.113.9',
  user_agent: 'rclone/v1.66',
  request_id: '5a1e0c3f7b2d4e6f8091a2b3c4d5e6f7',
  service: 'files.example.com',
};
const { msec: _msec, ...TIMELESS } = NGINX_ENTRY;

export const VECTOR_ENTRY = {
  host: 'web-1',
  message: COMBINED_LINE,
  source_type: 'file',
  file: '/var/log/nginx/access.log',
  timestamp: '2026-01-15T10:00:00.100Z',
};

export const VECTOR_SAMPLES: Sample[] = [
  {
    title: 'an array with the line in message',
    format: 'vector',
    body: JSON.stringify([VECTOR_ENTRY, VECTOR_ENTRY]),
    records: [LINE_RECORD, LINE_RECORD],
  },
  {
    title: 'one object per line, the last without line end; JSON in message; parsed fields; records of our own shape',
    format: 'vector',
    contentType: 'application/x-ndjson',
    body: [
      { ...VECTOR_ENTRY, message: JSON.stringify(NGINX_ENTRY) },
      { ...NGINX_ENTRY, source_type: 'file', timestamp: '2026-01-15T10:00:00Z' },
      { key_id: 'key_5', status: 404, path: '/z', timestamp: '2026-01-15T09:59:58.250Z', source_type: 'http' },
      { ...VECTOR_ENTRY, message: 'reloading configuration' },
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
    records: [NGINX_RECORD, NGINX_RECORD, { key_id: 'key_5', timestamp: START_MS, path: '/z', status: 404 }],
    rejects: [{ index: 3, field: '', message: 'is a line of no known log format' }],
  },
  {
    title: 'a batch behind payload_prefix',
    format: 'vector',
    body: `{"data":${JSON.stringify([VECTOR_ENTRY])}}`,
    records: [LINE_RECORD],
  },
];

export const FLUENT_BIT_ENTRY = { date: 1768471200.100123, log: COMBINED_LINE + '\n', stream: 'stdout' };

export const FLUENT_BIT_SAMPLES: Sample[] = [
  {
    title: 'an array (format json)',
    format: 'fluent-bit',
    body: JSON.stringify([FLUENT_BIT_ENTRY]),
    records: [LINE_RECORD],
  },
  {
    title: 'concatenated (json_stream), JSON in log, a line with the container runtime’s prefix',
    format: 'fluent-bit',
    body: [
      { date: NOW_MS / 1000, log: JSON.stringify(NGINX_ENTRY) },
      { date: '2026-01-15T10:00:00.000Z', log: `2026-01-15T10:00:00.1Z stdout F ${COMBINED_LINE}` },
      { date: NOW_MS, log: JSON.stringify({ log: JSON.stringify(NGINX_ENTRY) }) },
      { date: NOW_MS, log: APACHE_JSON_LINE },
    ]
      .map((line) => JSON.stringify(line))
      .join(''),
    records: [NGINX_RECORD, LINE_RECORD, NGINX_RECORD, APACHE_JSON_RECORD],
  },
  {
    title: 'gelf; the shipper’s time where the line has none',
    format: 'fluent-bit',
    contentType: 'application/json',
    body: [
      { version: '1.1', host: 'web-1', short_message: COMBINED_LINE, timestamp: 1768471200.1 },
      { date: START_MS / 1000, log: JSON.stringify({ ...TIMELESS, request_time: '', upstream_response_time: '-' }) },
      {
        date: '2026-01-15 09:59:58.250000',
        log: JSON.stringify({ ...TIMELESS, request_time: '', upstream_response_time: '-' }),
      },
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
    records: [LINE_RECORD, { ...NGINX_RECORD, latency_ms: undefined }, { ...NGINX_RECORD, latency_ms: undefined }],
  },
  {
    title: 'msgpack is refused with the remedy',
    format: 'fluent-bit',
    contentType: 'application/msgpack',
    body: Buffer.from([0x91, 0x92, 0xd7, 0x00]),
    records: [],
    rejects: [
      {
        index: 0,
        field: '',
        message: 'MessagePack is not accepted: set the output to json, json_lines or json_stream',
      },
    ],
  },
];

export const KEYTALLY_SAMPLES: Sample[] = [
  {
    title: 'records of our own shape, numbers as text, the hash of the key',
    format: 'keytally',
    body: JSON.stringify([
      { key_id: 'key_5', status: '200', latency_ms: '7', rate_limited: false, country: 'xx', timestamp: START_MS },
      { key_sha256: 'A'.repeat(64), status: 200 },
    ]),
    records: [
      { key_id: 'key_5', status: 200, latency_ms: 7, rate_limited: false, timestamp: START_MS },
      { key_sha256: 'A'.repeat(64), status: 200 },
    ],
  },
];
