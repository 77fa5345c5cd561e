import { type Sample, START_MS } from './sample.ts';

/** Envoy Gateway's default JSON: all text, empty is "-". */
export const ENVOY_GATEWAY_ENTRY = {
  start_time: '2026-01-15T09:59:58.250Z',
  method: 'GET',
  'x-envoy-origin-path': '/v1/items/77?token=abc',
  protocol: 'HTTP/2',
  response_code: '200',
  response_flags: '-',
  response_code_details: 'via_upstream',
  connection_termination_details: '-',
  upstream_transport_failure_reason: '-',
  bytes_received: '0',
  bytes_sent: '512',
  duration: '19',
  'x-envoy-upstream-service-time': '-',
  'x-forwarded-for': '192.0.2.44',
  'user-agent': 'Go-http-client/2.0',
  'x-request-id': '8a1f3c7e-6b0d-4a86-9f51-1f4d9e7b2c30',
  ':authority': 'api.example.com',
  upstream_host: '10.244.0.12:3000',
  upstream_cluster: 'httproute/default/items/rule/0',
  upstream_local_address: '10.244.0.9:49210',
  downstream_local_address: '10.244.0.9:10080',
  downstream_remote_address: '192.0.2.44:53211',
  requested_server_name: '-',
  route_name: 'httproute/default/items/rule/0/match/0/api_example_com',
};

/** Istio's names, typed: numbers are numbers and empty is null. */
const ISTIO_ENTRY = {
  start_time: '2026-01-15T09:59:58.250Z',
  method: 'POST',
  path: '/v1/items',
  protocol: 'HTTP/1.1',
  response_code: 429,
  response_flags: 'RL',
  response_code_details: 'request_rate_limited',
  bytes_received: 12,
  bytes_sent: 18,
  duration: 1,
  upstream_service_time: null,
  x_forwarded_for: null,
  user_agent: 'axios/1.7',
  request_id: '1d5e1a52-3e5a-4a7e-8a3c-27f3d3cb1c55',
  authority: 'api.example.com',
  upstream_host: null,
  upstream_cluster: 'outbound|8080||items.prod.svc.cluster.local',
  downstream_remote_address: '[2001:db8::5]:41000',
  route_name: null,
  x_api_key: 'raw-envoy-key',
};

const RECORD = {
  key_id: '(no key)',
  timestamp: START_MS,
  method: 'GET',
  path: '/v1/items/77?token=abc',
  status: 200,
  latency_ms: 19,
  request_bytes: 0,
  response_bytes: 512,
  ip: '192.0.2.44',
  user_agent: 'Go-http-client/2.0',
  request_id: '8a1f3c7e-6b0d-4a86-9f51-1f4d9e7b2c30',
  service: 'httproute/default/items/rule/0',
};

const ISTIO_RECORD = {
  key: 'raw-envoy-key',
  timestamp: START_MS,
  method: 'POST',
  path: '/v1/items',
  status: 429,
  latency_ms: 1,
  request_bytes: 12,
  response_bytes: 18,
  ip: '2001:db8::5',
  user_agent: 'axios/1.7',
  request_id: '1d5e1a52-3e5a-4a7e-8a3c-27f3d3cb1c55',
  service: 'outbound|8080||items.prod.svc.cluster.local',
  error: 'rate_limited',
  rate_limited: true,
};

export const ENVOY_LINE =
  '[2026-01-15T09:59:58.250Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "192.0.2.44" "nsq2http" ' +
  '"cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"';
const ISTIO_LINE =
  '[2026-01-15T09:59:58.250Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 4 4 "-" "curl/7.73.0" ' +
  '"84961386-6d84-929d-98bd-c5aee93b5c88" "httpbin:8000" "10.44.1.23:80" inbound|8000|| 127.0.0.6:33733 10.44.1.23:80 ' +
  '10.44.1.27:41854 - default';

export const ENVOY_SAMPLES: Sample[] = [
  { title: 'Envoy Gateway, all text', format: 'envoy', body: JSON.stringify(ENVOY_GATEWAY_ENTRY), records: [RECORD] },
  { title: 'Istio, typed, rate limited', format: 'envoy', body: JSON.stringify(ISTIO_ENTRY), records: [ISTIO_RECORD] },
  {
    title: 'code 0: the client went away; a TCP connection is no request; unknown and several flags',
    format: 'envoy',
    body: [
      { ...ENVOY_GATEWAY_ENTRY, response_code: '0', response_flags: 'DC' },
      { ...ENVOY_GATEWAY_ENTRY, response_code: '0', response_flags: '-' },
      { ...ENVOY_GATEWAY_ENTRY, response_code: '0', method: '-', 'x-envoy-origin-path': '-' },
      { ...ENVOY_GATEWAY_ENTRY, response_code: '503', response_flags: 'UF,URX' },
      { ...ENVOY_GATEWAY_ENTRY, response_code: '403', response_flags: 'UAEX' },
      { ...ENVOY_GATEWAY_ENTRY, response_code: '500', response_flags: 'ZZZ' },
      { ...ENVOY_GATEWAY_ENTRY, response_code: '999' },
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
    records: [
      { ...RECORD, status: 499, error: 'client_disconnected' },
      { ...RECORD, status: 499, error: 'client_disconnected' },
      { ...RECORD, status: 503, error: 'upstream_connection_failure' },
      { ...RECORD, status: 403, error: 'denied_by_external_authorization' },
      { ...RECORD, status: 500, error: 'envoy_zzz' },
    ],
    rejects: [{ index: 6, field: 'response_code', message: 'must be from 100 to 599, not 999' }],
    skipped: 1,
  },
  {
    title: 'behind own proxies the client is further left; the country is the edge’s',
    format: 'envoy',
    options: { trustedProxies: ['192.0.2.0/24'], countryHeaders: ['CF-IPCountry'] },
    body: JSON.stringify({
      ...ENVOY_GATEWAY_ENTRY,
      'x-forwarded-for': '1.2.3.4, 203.0.113.9, 192.0.2.44',
      'cf-ipcountry': 'se',
    }),
    records: [{ ...RECORD, ip: '203.0.113.9', country: 'SE' }],
  },
  {
    title: 'the default lines of Envoy and of Istio',
    format: 'envoy',
    contentType: 'text/plain',
    body: `${ENVOY_LINE}\n${ISTIO_LINE}\nstarting main dispatch loop\n`,
    records: [
      {
        key_id: '(no key)',
        timestamp: START_MS,
        method: 'POST',
        path: '/api/v1/locations',
        status: 204,
        latency_ms: 226,
        request_bytes: 154,
        response_bytes: 0,
        ip: '192.0.2.44',
        user_agent: 'nsq2http',
        request_id: 'cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2',
        service: 'locations',
      },
      {
        key_id: '(no key)',
        timestamp: START_MS,
        method: 'GET',
        path: '/status/418',
        status: 418,
        latency_ms: 4,
        request_bytes: 0,
        response_bytes: 135,
        ip: '10.44.1.27',
        user_agent: 'curl/7.73.0',
        request_id: '84961386-6d84-929d-98bd-c5aee93b5c88',
        service: 'inbound|8000||',
      },
    ],
    rejects: [{ index: 2, field: '', message: 'is no line of Envoy’s default format' }],
  },
];
