import { type Sample, START_MS } from './sample.ts';

export const TYK_ENTRY = {
  method: 'GET',
  host: 'api.example.com',
  path: '/widgets/42',
  raw_path: '/widgets/42',
  content_length: 0,
  user_agent: 'okhttp/4.12.0',
  day: 15,
  month: 1,
  year: 2026,
  hour: 9,
  response_code: 200,
  api_key: 'eyJvcmciOiI1ZTlkOTU0NGExZGNkNjAwMDFkMGVkMjAiLCJpZCI6IjEyMyJ9',
  timestamp: '2026-01-15T10:59:58.250123456+01:00',
  api_version: 'Non Versioned',
  api_name: 'Widgets',
  api_id: 'b84fe1a04e5648927971c0557971565c',
  org_id: '5e9d9544a1dcd60001d0ed20',
  oauth_id: '',
  request_time: 35,
  raw_request: 'R0VUIC93aWRnZXRzLzQyIEhUVFAvMS4xDQo=',
  raw_response: '',
  ip_address: '2001:db8::17',
  geo: {
    country: { iso_code: 'SE' },
    city: { geoname_id: 0, names: {} },
    location: { latitude: 0, longitude: 0, time_zone: '' },
  },
  latency: { total: 35, upstream: 31, gateway: 4 },
  tags: ['key-123', 'api-b84f'],
  alias: 'acme production',
  track_path: false,
  expireAt: '2026-02-15T00:00:00Z',
};

const RECORD = {
  key: TYK_ENTRY.api_key,
  // Tyk's time is the end of the request.
  timestamp: START_MS - 35,
  method: 'GET',
  path: '/widgets/42',
  status: 200,
  latency_ms: 35,
  request_bytes: 0,
  ip: '2001:db8::17',
  country: 'SE',
  user_agent: 'okhttp/4.12.0',
  service: 'Widgets',
};
const { timestamp: _time, request_time: _latency, latency: _latencies, geo: _geo, ...bare } = TYK_ENTRY;

export const TYK_SAMPLES: Sample[] = [
  {
    title: 'one record per line',
    format: 'tyk',
    body: `${JSON.stringify(TYK_ENTRY)}\n${JSON.stringify(TYK_ENTRY)}`,
    records: [RECORD, RECORD],
  },
  {
    title: 'the stdout pump, under its usual and under another name',
    format: 'tyk',
    body: [
      { level: 'info', msg: '', time: '2026-01-15T10:00:00Z', 'tyk-analytics-record': TYK_ENTRY },
      { level: 'info', msg: '', time: '2026-01-15T10:00:00Z', 'our-record': TYK_ENTRY },
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
    records: [RECORD, RECORD],
  },
  {
    title: 'the Kafka pump',
    format: 'tyk',
    body: JSON.stringify({ ...bare, timestamp: '2026-01-15T09:59:58.250Z', request_time_ms: 35 }),
    records: [{ ...RECORD, country: undefined }],
  },
  {
    title: 'the Splunk pump',
    format: 'tyk',
    body: JSON.stringify({ ...bare, time_stamp: '2026-01-15T09:59:58.250Z', request_time: 35, original_path: '/w/42' }),
    records: [{ ...RECORD, path: '/w/42', country: undefined }],
  },
  {
    title: 'keyless, unanswered, tracked and aliased',
    format: 'tyk',
    body: JSON.stringify([
      { ...TYK_ENTRY, api_key: '00000000' },
      { ...TYK_ENTRY, response_code: -1 },
      { ...TYK_ENTRY, track_path: true, path: '/widgets/{id}' },
    ]),
    records: [
      { ...RECORD, key: undefined, key_id: '(no key)' },
      { ...RECORD, route: '/widgets/{id}' },
    ],
    rejects: [{ index: 1, field: 'response_code', message: 'is -1: Tyk had no response to report' }],
  },
  {
    title: 'the alias by configuration',
    format: 'tyk',
    options: { keySources: [{ field: 'alias' }] },
    body: JSON.stringify(TYK_ENTRY),
    records: [{ ...RECORD, key: undefined, key_id: 'acme production' }],
  },
];
