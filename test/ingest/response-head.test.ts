import { describe, expect, it } from 'vitest';
import { ResponseHead } from '../../ingest/response-head.ts';

describe('the head of a response', () => {
  it.each([
    ['with a length', 'HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nContent-Length: 53\r\n\r\n', 200, 53],
    ['with a name in another case', 'HTTP/1.1 201 Created\r\ncontent-length:7\r\n\r\n', 201, 7],
    ['without a length', 'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n', 404, undefined],
    ['without a reason', 'HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n', 599, 0],
    ['with a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: 12a\r\n\r\n', 200, undefined],
    ['with a length in another header', 'HTTP/1.1 200 OK\r\nX-Content-Length: 12\r\n\r\n', 200, undefined],
    ['with a length in a value', 'HTTP/1.1 200 OK\r\nX-Note: content-length: 12\r\n\r\n', 200, undefined],
  ])('%s', (_, text, status, contentLength) => {
    const head = new ResponseHead(text);
    expect(head).toMatchObject({ status, contentLength, length: text.length, headersOfLimiter: undefined });
  });

  it.each(['X-RateLimit-Limit', 'RateLimit', 'ratelimit-policy', 'x-ratelimit-limit-minute', 'X-Rate-Limit-Limit'])(
    'names a limiter: %s',
    (name) => {
      const head = new ResponseHead(`HTTP/1.1 429 \r\nVary: A\r\n${name}: 5\r\nVary: B\r\n\r\n`);
      expect(head.headersOfLimiter).toEqual({ vary: 'A, B', [name.toLowerCase()]: '5' });
    },
  );

  it('of another form says the same, but not how long it was', () => {
    const head = ResponseHead.of(200, { 'content-length': 9, ratelimit: ['"a";r=1', '"b";r=2'] });
    expect(head).toMatchObject({ status: 200, contentLength: 9, length: Number.NaN });
    expect(head.headersOfLimiter).toEqual({ 'content-length': '9', ratelimit: '"a";r=1, "b";r=2' });
  });
});
