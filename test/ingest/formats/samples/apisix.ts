import { type Sample, START_MS } from './sample.ts';

export const APISIX_ENTRY = {
  client_ip: '198.51.100.23',
  start_time: START_MS,
  latency: 103.14159,
  upstream_latency: 98,
  apisix_latency: 5.14159,
  request: {
    url: 'http://api.example.com:9080/v2/reports/2026-01-14?format=csv',
    uri: '/v2/reports/2026-01-14?format=csv',
    method: 'POST',
    headers: { host: 'api.example.com:9080', 'user-agent': 'python-requests/2.32', apikey: 'raw-apisix-key' },
    querystring: { format: 'csv' },
    size: 412,
  },
  response: { status: 201, headers: { server: 'APISIX/3.9.0' }, size: 77 },
  upstream: '10.1.2.3:1980',
  server: { hostname: 'apisix-7d9', version: '3.9.0' },
  service_id: 'reports',
  route_id: '478',
  consumer: { username: 'acme_corp' },
};

const RECORD = {
  key_id: 'acme_corp',
  timestamp: START_MS,
  method: 'POST',
  path: '/v2/reports/2026-01-14?format=csv',
  status: 201,
  latency_ms: 103.14159,
  request_bytes: 412,
  response_bytes: 77,
  ip: '198.51.100.23',
  user_agent: 'python-requests/2.32',
  service: 'reports',
};
const { consumer: _consumer, ...anonymous } = APISIX_ENTRY;

export const APISIX_SAMPLES: Sample[] = [
  { title: 'an array (concat_method json)', format: 'apisix', body: JSON.stringify([APISIX_ENTRY]), records: [RECORD] },
  { title: 'one object', format: 'apisix', body: JSON.stringify(APISIX_ENTRY), records: [RECORD] },
  {
    title: 'one object per line (concat_method new_line), one line broken',
    format: 'apisix',
    body: `${JSON.stringify(APISIX_ENTRY)}\n{"client_ip":\n${JSON.stringify(APISIX_ENTRY)}\n`,
    records: [RECORD, RECORD],
    rejects: [{ index: 1, field: '', message: 'the entry is not valid JSON' }],
  },
  {
    title: 'status 0: the client was gone',
    format: 'apisix',
    body: JSON.stringify({ ...APISIX_ENTRY, response: { ...APISIX_ENTRY.response, status: 0 } }),
    records: [{ ...RECORD, status: 499, error: 'client_disconnected' }],
  },
  {
    title: 'without consumer the raw key header; a request id by log_format_extra',
    format: 'apisix',
    body: JSON.stringify({ ...anonymous, request_id: 'd1f0c3a2b4e5' }),
    records: [{ ...RECORD, key_id: undefined, key: 'raw-apisix-key', request_id: 'd1f0c3a2b4e5' }],
  },
  {
    title: 'a log_format of its own, in names of nginx',
    format: 'apisix',
    body: JSON.stringify({
      host: 'api.example.com',
      '@timestamp': '2026-01-15T09:59:59Z',
      client_ip: '198.51.100.23',
      status: 204,
      request_uri: '/v2/ping',
      route_id: '1',
    }),
    records: [
      {
        key_id: '(no key)',
        timestamp: Date.UTC(2026, 0, 15, 9, 59, 59),
        path: '/v2/ping',
        status: 204,
        ip: '198.51.100.23',
        service: 'api.example.com',
      },
    ],
  },
];
