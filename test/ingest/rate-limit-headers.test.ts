import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch, decodeBatch, encodeBatch } from '../../ingest/batch.ts';
import { rateLimitIn } from '../../ingest/rate-limit-headers.ts';
import { parseRecord } from '../../ingest/record.ts';

const AT_MS = 1_700_000_000_000;
const WINDOW = { pastMs: 1e13, futureMs: 1e13 };

describe('limits in the headers of an answer', () => {
  it.each<[string, Record<string, unknown>, object | undefined]>([
    ['no such header', { 'content-type': 'text/html', 'x-request-id': '7', 'retry-after': '3' }, undefined],
    [
      'the legacy family with an epoch reset, any case',
      { 'X-RateLimit-Limit': '300', 'X-RateLimit-Remaining': '287', 'X-RateLimit-Reset': '1711234567' },
      { limit: 300, remaining: 287, reset_at: 1_711_234_567_000 },
    ],
    [
      'seconds from now',
      { 'ratelimit-limit': '100', 'ratelimit-remaining': '50', 'ratelimit-reset': '30' },
      { limit: 100, remaining: 50, reset_at: AT_MS + 30_000 },
    ],
    [
      'Kong: several windows, the one nearest to its end counts',
      {
        'X-RateLimit-Limit-Minute': 60,
        'X-RateLimit-Remaining-Minute': 59,
        'X-RateLimit-Limit-Day': 1000,
        'X-RateLimit-Remaining-Day': 10,
      },
      { limit: 1000, remaining: 10, window_seconds: 86_400 },
    ],
    [
      'the IETF draft in two headers',
      { RateLimit: '"k"; r=59; t=60', 'RateLimit-Policy': '"k"; q=60; w=60; pk=:abc:' },
      { limit: 60, remaining: 59, reset_at: AT_MS + 60_000, window_seconds: 60 },
    ],
    [
      'lists, as Caddy logs headers',
      { 'X-Ratelimit-Limit': ['10, 10;w=1'], 'X-Ratelimit-Remaining': ['0'] },
      { limit: 10, remaining: 0 },
    ],
    ['a limit without what is left', { 'x-ratelimit-limit': '10' }, undefined],
    ['a limit of 0', { 'x-ratelimit-limit': '0', 'x-ratelimit-remaining': '0' }, undefined],
    ['text that is no number', { 'x-ratelimit-limit': 'many', 'x-ratelimit-remaining': 'few' }, undefined],
    ['numbers beyond belief', { 'x-ratelimit-limit': '9999999999999', 'x-ratelimit-remaining': '1' }, undefined],
  ])('%s', (_name, headers, told) => {
    expect(rateLimitIn(headers, AT_MS)).toEqual(told);
  });

  it('reads names behind a prefix, and leaves a relative reset out where the time is not known', () => {
    const entry = { 'downstream_X-RateLimit-Limit': '5', 'downstream_X-RateLimit-Remaining': '1', RequestPath: '/' };
    expect(rateLimitIn({ ...entry, 'downstream_X-RateLimit-Reset': '9' }, undefined, 'downstream_')).toEqual({
      limit: 5,
      remaining: 1,
    });
  });

  it('never makes a record that its own validation refuses', () => {
    const names = ['ratelimit', 'RateLimit-Policy', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'ratelimit-reset'];
    const value = fc.oneof(
      fc.nat().map(String),
      fc.string(),
      fc.bigInt({ min: 0n, max: 10n ** 18n }).map(String),
      fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `"k";q=${a};w=${b};r=${a};t=${b}`),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), (headers) => {
        const rate_limit = rateLimitIn(headers, AT_MS);
        expect(parseRecord({ key_id: 'k', status: 200, rate_limit }, 0, AT_MS, WINDOW)).toHaveProperty('record');
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a record with a limit', () => {
  it.each([
    ['no object', 5, 'rate_limit'],
    ['a limit of 0', { limit: 0, remaining: 0 }, 'rate_limit.limit'],
    ['nothing about what is left', { limit: 5 }, 'rate_limit.remaining'],
    ['less than nothing left', { limit: 5, remaining: -1 }, 'rate_limit.remaining'],
    ['a reset in microseconds', { limit: 5, remaining: 1, reset_at: 1.7e15 }, 'rate_limit.reset_at'],
  ])('names the field: %s', (_name, rate_limit, field) => {
    expect(parseRecord({ key_id: 'k', status: 200, rate_limit }, 3, AT_MS, WINDOW)).toMatchObject({ index: 3, field });
  });

  it('travels in its batch, the newest of each key; a batch without ends as those of older versions do', async () => {
    const record = (key_id: string, timestamp: number, rate_limit?: object) => {
      const parsed = parseRecord({ key_id, timestamp, status: 200, rate_limit }, 0, AT_MS, WINDOW);
      if (!('record' in parsed)) throw new Error(parsed.message);
      return parsed.record;
    };
    const batch = new Batch();
    batch.add(record('a', 20, { limit: 10, remaining: 1 }), '');
    batch.add(record('a', 10, { limit: 10, remaining: 9 }), '');
    batch.add(record('b', 30), '');
    const told = { keyId: 'a', atMs: 20, limit: 10, remaining: 1, resetAtMs: 0, windowSeconds: 0 };
    expect([...(await decodeBatch(await encodeBatch(batch))).rateLimits.values()]).toEqual([told]);
    const plain = new Batch();
    plain.add(record('b', 30), '');
    expect((await decodeBatch(await encodeBatch(plain))).rateLimits.size).toBe(0);
  });
});
