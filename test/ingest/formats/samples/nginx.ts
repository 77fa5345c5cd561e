import { type Sample, START_MS } from './sample.ts';

export const COMBINED_LINE =
  '203.0.113.9 - - [15/Jan/2026:10:59:58 +0100] "GET /v1/users/8123?fields=a HTTP/1.1" 200 2326 ' +
  '"https://example.com/start" "Mozilla/5.0 (X11; Linux x86_64)"';
const COMBINED_RECORD = {
  key_id: '(no key)',
  timestamp: Date.UTC(2026, 0, 15, 9, 59, 58),
  method: 'GET',
  path: '/v1/users/8123?fields=a',
  status: 200,
  response_bytes: 2326,
  ip: '203.0.113.9',
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64)',
};

/** `escape=json`: every value is text. */
export const NGINX_ENTRY = {
  msec: '1768471199.500',
  remote_addr: '203.0.113.9',
  request_method: 'PUT',
  request_uri: '/v1/files/report.pdf?sig=abc',
  status: '200',
  body_bytes_sent: '93',
  request_length: '18220',
  request_time: '1.250',
  upstream_response_time: '1.200',
  request_id: '5a1e0c3f7b2d4e6f8091a2b3c4d5e6f7',
  host: 'files.example.com',
  http_user_agent: 'rclone/v1.66',
  http_x_forwarded_for: '',
  http_x_api_key: 'raw-nginx-key',
  remote_user: '',
};
const RECORD = {
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

/** By the LogFormat of docs/gateways/apache.md: bytes outside ASCII are written as \xhh. */
export const APACHE_JSON_LINE =
  '{"@timestamp":"2026-01-15T09:59:58+0000","remote_addr":"203.0.113.9","request_method":"GET",' +
  '"request_uri":"/caf\\xc3\\xa9/8?q=\\"a\\"","status":"200","bytes_sent":"512","request_length":"80",' +
  '"http_user_agent":"\\xe9\\x01\\\\xc3","request_id":"aWm1","key_id":"key_7"}';
export const APACHE_JSON_RECORD = {
  key_id: 'key_7',
  timestamp: Date.UTC(2026, 0, 15, 9, 59, 58),
  method: 'GET',
  path: '/café/8?q="a"',
  status: 200,
  request_bytes: 80,
  response_bytes: 512,
  ip: '203.0.113.9',
  user_agent: 'é\u0001\\xc3',
  request_id: 'aWm1',
};

export const NGINX_SAMPLES: Sample[] = [
  {
    title: 'JSON of Apache, bytes as \\xhh',
    format: 'nginx',
    body: `${APACHE_JSON_LINE}\n${JSON.stringify(NGINX_ENTRY)}\n`,
    records: [APACHE_JSON_RECORD, RECORD],
  },
  { title: 'combined', format: 'nginx', contentType: 'text/plain', body: COMBINED_LINE, records: [COMBINED_RECORD] },
  {
    title: 'combined: user of HTTP authentication, escapes, TLS on a plain port, 000, forwarded addresses',
    format: 'nginx',
    contentType: 'text/plain',
    options: { trustedProxies: ['203.0.113.0/24'] },
    body: [
      COMBINED_LINE.replace('- - [', '- acme [').replace('Mozilla', 'Moz\\"illa'),
      '198.51.100.4 - - [15/Jan/2026:09:59:58 +0000] "\\x16\\x03\\x01\\x02" 400 150 "-" "-"',
      COMBINED_LINE.replace('" 200 2326', '" 000 0'),
      COMBINED_LINE + ' "198.51.100.77, 203.0.113.1"',
    ].join('\r\n'),
    records: [
      { ...COMBINED_RECORD, key_id: 'acme', user_agent: 'Moz\\"illa/5.0 (X11; Linux x86_64)' },
      {
        key_id: '(no key)',
        timestamp: COMBINED_RECORD.timestamp,
        status: 400,
        response_bytes: 150,
        ip: '198.51.100.4',
      },
      { ...COMBINED_RECORD, status: 499, response_bytes: 0, error: 'client_disconnected' },
      { ...COMBINED_RECORD, ip: '198.51.100.77' },
    ],
  },
  {
    title: 'the line of ingress-nginx',
    format: 'nginx',
    contentType: 'text/plain',
    body: `${COMBINED_LINE} 512 0.500 [prod-users-80] [] 10.8.0.5:8080 2326 0.499 200 5a1e0c3f7b2d4e6f8091a2b3c4d5e6f7`,
    records: [
      {
        ...COMBINED_RECORD,
        timestamp: COMBINED_RECORD.timestamp - 500,
        latency_ms: 500,
        request_bytes: 512,
        service: 'prod-users-80',
        request_id: '5a1e0c3f7b2d4e6f8091a2b3c4d5e6f7',
      },
    ],
  },
  { title: 'JSON, all text: msec is the end', format: 'nginx', body: JSON.stringify(NGINX_ENTRY), records: [RECORD] },
  {
    title: 'JSON: other usual names, several upstreams, limit_req answering 503',
    format: 'nginx',
    body: [
      {
        time_iso8601: '2026-01-15T10:59:59+01:00',
        remote_addr: '203.0.113.9',
        request: 'GET /a%20b HTTP/1.1',
        status: 502,
        bytes_sent: 1,
        upstream_response_time: '0.100, 0.250 : 0.050, -',
      },
      {
        '@timestamp': '2026-01-15T09:59:59Z',
        remote_addr: '203.0.113.9',
        request_method: 'GET',
        uri: '/x',
        status: 503,
        limit_req_status: 'REJECTED',
        api_key_id: 'key_7',
      },
      {
        time: '15/Jan/2026:09:59:59 +0000',
        remote: '203.0.113.9',
        method: 'GET',
        path: '/y',
        code: '200',
        size: '5',
        agent: 'a',
      },
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
    records: [
      {
        key_id: '(no key)',
        timestamp: Date.UTC(2026, 0, 15, 9, 59, 58, 600),
        method: 'GET',
        path: '/a%20b',
        status: 502,
        latency_ms: 400,
        response_bytes: 1,
        ip: '203.0.113.9',
      },
      {
        key_id: 'key_7',
        timestamp: Date.UTC(2026, 0, 15, 9, 59, 59),
        method: 'GET',
        path: '/x',
        status: 503,
        ip: '203.0.113.9',
        rate_limited: true,
      },
      {
        key_id: '(no key)',
        timestamp: Date.UTC(2026, 0, 15, 9, 59, 59),
        method: 'GET',
        path: '/y',
        status: 200,
        response_bytes: 5,
        ip: '203.0.113.9',
        user_agent: 'a',
      },
    ],
  },
  {
    title: 'wrong lines and values',
    format: 'nginx',
    body: [
      'worker process 29 exited on signal 9',
      COMBINED_LINE.replace('15/Jan', '35/Jan'),
      COMBINED_LINE.replace('" 200 ', '" abc '),
      COMBINED_LINE.slice(0, 60),
      JSON.stringify({ ...NGINX_ENTRY, request_time: '-1' }),
      JSON.stringify({ ...NGINX_ENTRY, msec: 'now' }),
    ].join('\n'),
    records: [],
    rejects: [
      { index: 0, field: '', message: 'is no line of the common or combined log format: it has no [day/month/year:…]' },
      { index: 1, field: 'time_local', message: 'is not a valid time' },
      { index: 2, field: 'status', message: 'must be a number' },
      { index: 3, field: 'status', message: 'is missing: the line ends within the request' },
      { index: 4, field: 'request_time', message: 'must not be negative' },
      { index: 5, field: 'msec', message: 'is not a valid time' },
    ],
  },
];

const COMMON_LINE = '203.0.113.9 - frank [15/Jan/2026:09:59:58 +0000] "GET /v1/users/8123?fields=a HTTP/1.1" 200 2326';
const { user_agent: _agent, ...COMMON_RECORD } = COMBINED_RECORD;

export const APACHE_SAMPLES: Sample[] = [
  {
    title: 'common, combined, vhost_combined, out of order',
    format: 'apache',
    contentType: 'text/plain',
    body: [COMMON_LINE, COMBINED_LINE.replace(':10:59:58', ':10:59:12'), 'www.example.com:443 ' + COMBINED_LINE].join(
      '\n',
    ),
    records: [
      { ...COMMON_RECORD, key_id: 'frank' },
      { ...COMBINED_RECORD, timestamp: COMBINED_RECORD.timestamp - 46_000 },
      COMBINED_RECORD,
    ],
  },
  {
    title: 'a line without its closing quote; no bytes sent',
    format: 'apache',
    contentType: 'text/plain',
    body: COMBINED_LINE.replace(' 2326 ', ' - ').slice(0, -1),
    records: [{ ...COMBINED_RECORD, response_bytes: undefined }],
  },
  {
    title: 'the address as key, by configuration',
    format: 'apache',
    contentType: 'text/plain',
    options: { keySources: [{ field: 'remote_addr' }] },
    body: COMMON_LINE,
    records: [{ ...COMMON_RECORD, key_id: '203.0.113.9' }],
  },
];
