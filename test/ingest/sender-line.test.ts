import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RecordInput } from '../../ingest/record.ts';
import { LineWriter } from '../../ingest/sender-line.ts';

const writer = new LineWriter({ keyHash: true });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

function written(record: object, target = writer): Record<string, unknown> {
  const line = target.lineOf(record as RecordInput);
  expect(line.indexOf('\n')).toBe(line.length - 1);
  return JSON.parse(line) as Record<string, unknown>;
}

describe('a line', () => {
  it('says every field of the wire contract', () => {
    const record: Required<Omit<RecordInput, 'key'>> = {
      key_id: 'key-1',
      key_sha256: sha256('a'),
      timestamp: 1_790_000_000_123,
      method: 'POST',
      path: '/v1/users/17?page',
      route: '/v1/users/{id}',
      status: 201,
      latency_ms: 12.345,
      request_bytes: 17,
      response_bytes: 0,
      ip: '2001:db8::1',
      country: 'DE',
      user_agent: 'curl/8',
      request_id: 'r-1',
      service: 'orders',
      environment: 'staging',
      rate_limited: false,
      rate_limit: { limit: 10, remaining: 3, reset_at: 1_790_000_000_000, window_seconds: 60 },
      error: 'upstream_timeout',
    };
    expect(written(record)).toEqual(record);
    // The second time, from what is remembered.
    expect(written(record)).toEqual(record);
  });

  it.each([
    'quote " and back\\slash',
    'line\nbreak\u0000\u001f\u007f',
    'Straße 東京 😀',
    'lone \ud800 surrogate',
    '\u2028',
    '',
    '/'.repeat(3_000),
  ])('keeps %j in every text', (text) => {
    const texts = { method: text, path: text, route: text, ip: text, user_agent: text, request_id: text, error: text };
    const expected = JSON.parse(JSON.stringify(texts)) as object;
    expect(written(texts)).toMatchObject(expected);
    expect(written(texts)).toMatchObject(expected);
  });

  it.each([0, -0, 0.001, 0.999, 1, 1.05, 12.5, 999.999, 1_000.1, 1 / 3, 1e-7, 86_400_000.5, -1, 2 ** 53])(
    'keeps a latency of %d',
    (latency) => {
      expect(written({ latency_ms: latency }).latency_ms).toBe(JSON.parse(JSON.stringify(latency)));
    },
  );

  it('keeps every latency that a middleware measures', () => {
    for (let micros = 0; micros < 20_000; micros += 7) {
      expect(written({ latency_ms: micros / 1_000 }).latency_ms).toBe(micros / 1_000);
    }
  });

  it('leaves out what is absent, null, or not known to Keytally', () => {
    const absent = { method: undefined, path: null, latency_ms: null, key_id: null, rate_limit: null, password: 'x' };
    expect(Object.keys(written({ status: 200, ...absent })).sort()).toEqual(['status', 'timestamp']);
  });

  it('passes wrong types on, for the receiver to name', () => {
    const wrong = { status: '200', latency_ms: '3', path: 7, method: ['GET'], ip: { a: 1 }, rate_limited: 'no' };
    expect(written(wrong)).toMatchObject(wrong);
    expect(written({ status: Number.NaN, timestamp: Number.POSITIVE_INFINITY })).toMatchObject({
      status: null,
      timestamp: null,
    });
  });

  it('writes dates as text', () => {
    const date = new Date('2026-05-01T10:00:00Z');
    expect(written({ timestamp: date }).timestamp).toBe('2026-05-01T10:00:00.000Z');
    expect(written({ timestamp: 5 }).timestamp).toBe(5);
    expect(written({ timestamp: 5 }).timestamp).toBe(5);
    expect(written({ timestamp: 6 }).timestamp).toBe(6);
  });

  it('has the service and environment of its sender, unless the record has its own or says none', () => {
    const target = new LineWriter({ keyHash: true, service: 'orders', environment: 'production' });
    expect(written({}, target)).toMatchObject({ service: 'orders', environment: 'production' });
    expect(written({ service: 'other', environment: undefined }, target)).toMatchObject({
      service: 'other',
      environment: 'production',
    });
    expect(written({ service: null }, target)).not.toHaveProperty('service');
  });

  it.each([{ status: 1n }, { key: 7 }, { rate_limit: loop() }])('is refused for %o', (record) => {
    expect(() => writer.lineOf(record as unknown as RecordInput)).toThrow();
  });
});

describe('the key on a line', () => {
  it('is its SHA-256, whatever else the record says', () => {
    for (const key of ['a', 'the-raw-key', 'ключ', 'x'.repeat(1_000)]) {
      for (let time = 0; time < 2; time++) {
        const line = writer.lineOf({ key, key_sha256: 'f'.repeat(64), status: 200 });
        expect(line).not.toContain(`"${key}"`);
        expect(JSON.parse(line)).toMatchObject({ key_sha256: sha256(key) });
      }
    }
  });

  it('is written raw only when asked to', () => {
    const target = new LineWriter({ keyHash: false });
    expect(written({ key: 'raw' }, target)).toMatchObject({ key: 'raw' });
    expect(written({ key: 'raw' }, target)).not.toHaveProperty('key_sha256');
  });
});

function loop(): object {
  const made: Record<string, unknown> = {};
  made.self = made;
  return made;
}
