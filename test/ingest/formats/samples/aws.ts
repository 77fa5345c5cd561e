import { gzipSync } from 'node:zlib';
import { COMBINED_LINE } from './nginx.ts';
import { type Sample, START_MS } from './sample.ts';

/** The console's JSON for REST APIs, with the three variables a user must add. */
export const AWS_REST_ENTRY = {
  requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
  ip: '203.0.113.80',
  caller: '-',
  user: '-',
  requestTime: '15/Jan/2026:09:59:58 +0000',
  requestTimeEpoch: '1768471198250',
  httpMethod: 'GET',
  resourcePath: '/pets/{petId}',
  path: '/prod/pets/71',
  status: '200',
  protocol: 'HTTP/1.1',
  responseLength: '189',
  responseLatency: '23',
  apiKeyId: 'a1b2c3d4e5',
};
const REST_RECORD = {
  key_id: 'a1b2c3d4e5',
  timestamp: START_MS,
  method: 'GET',
  path: '/prod/pets/71',
  route: '/pets/{petId}',
  status: 200,
  latency_ms: 23,
  response_bytes: 189,
  ip: '203.0.113.80',
  request_id: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
};
const {
  requestTimeEpoch: _epoch,
  responseLatency: _latency,
  apiKeyId: _key,
  path: _path,
  ...CONSOLE_REST
} = AWS_REST_ENTRY;
const CONSOLE_HTTP = {
  requestId: 'JKJaXmPLvHcESHA=',
  ip: '203.0.113.80',
  requestTime: '15/Jan/2026:09:59:58 +0000',
  httpMethod: 'GET',
  routeKey: 'GET /pets/{petId}',
  status: '429',
  protocol: 'HTTP/1.1',
  responseLength: '23',
  extendedRequestId: 'JKJaXmPLvHcESHA=',
};
const HTTP_RECORD = {
  key_id: '(no key)',
  timestamp: Date.UTC(2026, 0, 15, 9, 59, 58),
  method: 'GET',
  path: '/pets/{petId}',
  route: '/pets/{petId}',
  status: 429,
  response_bytes: 23,
  ip: '203.0.113.80',
  request_id: 'JKJaXmPLvHcESHA=',
};

export const AWS_SAMPLES: Sample[] = [
  {
    title: 'REST with key, epoch and latency',
    format: 'aws-apigateway',
    body: JSON.stringify(AWS_REST_ENTRY),
    records: [REST_RECORD],
  },
  {
    title: 'the console’s REST and HTTP formats as they are',
    format: 'aws-apigateway',
    body: `${JSON.stringify(CONSOLE_REST)}\n${JSON.stringify(CONSOLE_HTTP)}`,
    records: [
      {
        ...REST_RECORD,
        key_id: '(no key)',
        timestamp: HTTP_RECORD.timestamp,
        path: '/pets/{petId}',
        latency_ms: undefined,
      },
      HTTP_RECORD,
    ],
  },
  {
    title: 'catch-alls are no templates; the secret itself is hashed; throttled; a latency that is none',
    format: 'aws-apigateway',
    body: [
      { ...AWS_REST_ENTRY, resourcePath: '/{proxy+}' },
      { ...CONSOLE_HTTP, routeKey: '$default', path: '/x/1' },
      { ...AWS_REST_ENTRY, apiKeyId: '-', apiKey: 'the-secret-itself' },
      { ...AWS_REST_ENTRY, status: '403', responseType: 'QUOTA_EXCEEDED', responseLatency: '-' },
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
    records: [
      { ...REST_RECORD, route: undefined },
      { ...HTTP_RECORD, path: '/x/1', route: undefined },
      { ...REST_RECORD, key_id: undefined, key: 'the-secret-itself' },
      { ...REST_RECORD, status: 403, latency_ms: undefined, error: 'quota_exceeded', rate_limited: true },
    ],
  },
];

const base64 = (data: string | Buffer): { data: string } => ({ data: Buffer.from(data as string).toString('base64') });
const REQUEST_ID = 'ed4acda5-034f-9f42-bba1-f29aea6d7d8f';
const delivery = (records: object[]): string =>
  JSON.stringify({ requestId: REQUEST_ID, timestamp: 1768471200000, records });
const subscription = (messageType: string, logEvents: object[]): object =>
  base64(
    gzipSync(
      JSON.stringify({
        messageType,
        owner: '123456789012',
        logGroup: 'api-access',
        logStream: 's',
        subscriptionFilters: ['all'],
        logEvents,
      }),
    ),
  );
const EVENT_ID = '36533424213123456789012345678901234567890123456789012345';
const { requestId: _requestId, ...WITHOUT_ID } = CONSOLE_REST;

export const FIREHOSE_SAMPLES: Sample[] = [
  {
    title: 'records of API Gateway, two in one record, one record that is not base64 of anything known',
    format: 'firehose',
    body: delivery([
      base64(JSON.stringify(AWS_REST_ENTRY) + '\n'),
      base64(`${JSON.stringify(AWS_REST_ENTRY)}${JSON.stringify(CONSOLE_HTTP)}`),
      base64('hello'),
      { data: 7 },
    ]),
    records: [REST_RECORD, REST_RECORD, HTTP_RECORD],
    rejects: [
      { index: 3, field: '', message: 'is a line of no known log format' },
      { index: 4, field: 'data', message: 'must be base64 text' },
    ],
    requestId: REQUEST_ID,
  },
  {
    title: 'a CloudWatch Logs subscription: gzip, log events, a control message',
    format: 'firehose',
    headers: { 'x-amz-firehose-request-id': REQUEST_ID },
    body: delivery([
      subscription('CONTROL_MESSAGE', [{ id: '', timestamp: 0, message: 'CWL CONTROL MESSAGE' }]),
      subscription('DATA_MESSAGE', [
        {
          id: EVENT_ID,
          timestamp: START_MS,
          message: JSON.stringify({ ...WITHOUT_ID, extendedRequestId: '-', requestTime: undefined }),
        },
        { id: EVENT_ID, timestamp: START_MS, message: COMBINED_LINE },
      ]),
    ]),
    records: [
      { ...REST_RECORD, key_id: '(no key)', path: '/pets/{petId}', latency_ms: undefined, request_id: EVENT_ID },
      {
        key_id: '(no key)',
        timestamp: Date.UTC(2026, 0, 15, 9, 59, 58),
        method: 'GET',
        path: '/v1/users/8123?fields=a',
        status: 200,
        response_bytes: 2326,
        ip: '203.0.113.9',
        user_agent: 'Mozilla/5.0 (X11; Linux x86_64)',
        request_id: EVENT_ID,
      },
    ],
    skipped: 1,
    requestId: REQUEST_ID,
  },
  {
    title: 'half a delivery',
    format: 'firehose',
    body: delivery([base64('x')]).slice(0, -9),
    records: [],
    rejects: [{ index: 0, field: 'records', message: 'must be the array of a Firehose HTTP delivery' }],
  },
  {
    title: 'the test delivery without records',
    format: 'firehose',
    body: delivery([]),
    records: [],
    requestId: REQUEST_ID,
  },
];
