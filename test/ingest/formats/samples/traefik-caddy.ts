import { COMBINED_LINE } from './nginx.ts';
import { type Sample, START_MS } from './sample.ts';

export const TRAEFIK_ENTRY = {
  ClientAddr: '203.0.113.50:58012',
  ClientHost: '203.0.113.50',
  ClientPort: '58012',
  ClientUsername: '-',
  DownstreamContentSize: 421,
  DownstreamStatus: 200,
  Duration: 12_345_678,
  OriginContentSize: 421,
  OriginDuration: 11_900_000,
  OriginStatus: 200,
  Overhead: 445_678,
  RequestAddr: 'api.example.com',
  RequestContentSize: 0,
  RequestCount: 77,
  RequestHost: 'api.example.com',
  RequestMethod: 'GET',
  RequestPath: '/v1/invoices/9?page=2',
  RequestPort: '-',
  RequestProtocol: 'HTTP/2.0',
  RequestScheme: 'https',
  RetryAttempts: 0,
  RouterName: 'invoices@docker',
  ServiceAddr: '172.18.0.4:80',
  ServiceName: 'invoices@docker',
  StartLocal: '2026-01-15T10:59:58.250311Z',
  StartUTC: '2026-01-15T09:59:58.250311477Z',
  'request_User-Agent': 'Java/17',
  'request_X-Request-Id': 'req-774',
  'request_X-Api-Key': 'raw-traefik-key',
  level: 'info',
  msg: '',
  time: '2026-01-15T09:59:58Z',
};
const TRAEFIK_RECORD = {
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
};

export const TRAEFIK_SAMPLES: Sample[] = [
  {
    title: 'JSON; nanoseconds; "-" is nothing',
    format: 'traefik',
    body: JSON.stringify(TRAEFIK_ENTRY),
    records: [TRAEFIK_RECORD],
  },
  {
    title: 'the user of an authentication middleware; no upstream answered; a hidden header',
    format: 'traefik',
    body: `${JSON.stringify({ ...TRAEFIK_ENTRY, ClientUsername: 'acme', DownstreamStatus: 502, OriginStatus: 0 })}\n${JSON.stringify({ ...TRAEFIK_ENTRY, 'request_X-Api-Key': 'REDACTED', 'request_X-Request-Id': '-', TraceId: '5b8efff798038103d269b633813fc60c', SpanId: 'eee19b7ec3c1b174' })}`,
    records: [
      { ...TRAEFIK_RECORD, key: undefined, key_id: 'acme', status: 502, error: 'no_upstream_response' },
      {
        ...TRAEFIK_RECORD,
        key: undefined,
        key_id: '(no key)',
        request_id: '5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174',
      },
    ],
  },
  {
    title: 'status 0: the client was gone, or a connection that was handed over',
    format: 'traefik',
    body: [
      { ...TRAEFIK_ENTRY, DownstreamStatus: 0, OriginStatus: 0 },
      { ...TRAEFIK_ENTRY, DownstreamStatus: 0, OriginStatus: undefined },
      { ...TRAEFIK_ENTRY, DownstreamStatus: 0, OriginStatus: 101 },
      { ...TRAEFIK_ENTRY, DownstreamStatus: 0, OriginStatus: 99 },
      { ...TRAEFIK_ENTRY, DownstreamStatus: 99, OriginStatus: 200 },
    ]
      .map((entry) => JSON.stringify(entry))
      .join('\n'),
    records: [
      { ...TRAEFIK_RECORD, status: 499, error: 'client_disconnected' },
      { ...TRAEFIK_RECORD, status: 499, error: 'client_disconnected' },
      { ...TRAEFIK_RECORD, status: 101 },
      { ...TRAEFIK_RECORD, status: 499, error: 'client_disconnected' },
    ],
    rejects: [{ index: 4, field: 'DownstreamStatus', message: 'must be from 100 to 599, not 99' }],
  },
  {
    title: 'the default text line',
    format: 'traefik',
    contentType: 'text/plain',
    body: `${COMBINED_LINE} 77 "invoices@docker" "http://172.18.0.4:80" 12ms`,
    records: [
      {
        key_id: '(no key)',
        timestamp: Date.UTC(2026, 0, 15, 9, 59, 58),
        method: 'GET',
        path: '/v1/users/8123?fields=a',
        status: 200,
        latency_ms: 12,
        response_bytes: 2326,
        ip: '203.0.113.9',
        user_agent: 'Mozilla/5.0 (X11; Linux x86_64)',
        service: 'invoices@docker',
      },
    ],
  },
];

export const CADDY_ENTRY = {
  level: 'info',
  ts: 1768471199.5000002,
  logger: 'http.log.access.log0',
  msg: 'handled request',
  request: {
    remote_ip: '10.0.0.3',
    remote_port: '44022',
    client_ip: '203.0.113.61',
    proto: 'HTTP/2.0',
    method: 'DELETE',
    host: 'api.example.com',
    uri: '/v1/sessions/a1b2c3?force=1',
    headers: { 'User-Agent': ['HTTPie/3.2'], 'X-Api-Key': ['raw-caddy-key'], Authorization: ['REDACTED'] },
    tls: { resumed: false, version: 772, cipher_suite: 4865, proto: 'h2', server_name: 'api.example.com' },
  },
  bytes_read: 3,
  user_id: '',
  duration: 1.25,
  size: 0,
  status: 204,
  resp_headers: { Server: ['Caddy'] },
};
const CADDY_RECORD = {
  key: 'raw-caddy-key',
  timestamp: START_MS,
  method: 'DELETE',
  path: '/v1/sessions/a1b2c3?force=1',
  status: 204,
  latency_ms: 1250,
  request_bytes: 3,
  response_bytes: 0,
  ip: '203.0.113.61',
  user_agent: 'HTTPie/3.2',
  service: 'api.example.com',
};

export const CADDY_SAMPLES: Sample[] = [
  {
    title: 'seconds; ts is the end; headers are arrays',
    format: 'caddy',
    body: JSON.stringify(CADDY_ENTRY),
    records: [CADDY_RECORD],
  },
  {
    title: 'status 0: the client was gone, or a connection that was handed over',
    format: 'caddy',
    body: JSON.stringify({ ...CADDY_ENTRY, status: 0 }),
    records: [{ ...CADDY_RECORD, status: 499, error: 'client_disconnected' }],
  },
  {
    title: 'an authenticated user; other formats of time; other messages of Caddy',
    format: 'caddy',
    body: [
      { ...CADDY_ENTRY, user_id: 'acme', ts: '2026-01-15T09:59:59.500Z', duration: '1m0.25s' },
      { ...CADDY_ENTRY, duration: '250ms' },
      { level: 'info', ts: 1768471199.5, logger: 'tls', msg: 'cleaning storage unit' },
      { ...CADDY_ENTRY, duration: 'soon' },
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
    records: [
      {
        ...CADDY_RECORD,
        key: undefined,
        key_id: 'acme',
        timestamp: Date.UTC(2026, 0, 15, 9, 58, 59, 250),
        latency_ms: 60_250,
      },
      { ...CADDY_RECORD, timestamp: START_MS + 1000, latency_ms: 250 },
    ],
    rejects: [{ index: 3, field: 'duration', message: 'must be a number' }],
    skipped: 1,
  },
];
