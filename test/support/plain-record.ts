import type { RequestRecord } from '../../ingest/record.ts';

/** A request in which nothing is remarkable; tests change what theirs are about. */
export const PLAIN_RECORD: RequestRecord = {
  timestampMs: Date.parse('2026-11-21T10:00:00.123Z'),
  keyId: 'key',
  method: 'GET',
  path: '/v1/items/7',
  route: '/v1/items/{id}',
  status: 200,
  latencyMs: 12.345,
  requestBytes: 10,
  responseBytes: 20,
  ip: '8.8.8.8',
  country: '',
  userAgent: 'curl',
  requestId: '',
  service: 'shop',
  environment: 'production',
  rateLimited: false,
  error: '',
};
