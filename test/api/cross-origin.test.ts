import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ CORS_ORIGINS: 'https://console.example.com, https://other.example.com/' });
});
afterAll(() => stack.stop());

const ORIGINS: [string, string | null][] = [
  ['https://console.example.com', 'https://console.example.com'],
  ['https://other.example.com', 'https://other.example.com'],
  ['https://evil.example.com', null],
  ['null', null],
];
// The collector of the same process takes POST at the last of them.
const PATHS = ['/v1/keys', '/v1/keys/key_1/usage', '/v1/requests'];

test.each(PATHS.flatMap((path) => ORIGINS.map(([origin, allowed]) => ({ path, origin, allowed }))))(
  '$path: a page of $origin is allowed as $allowed, without cookies',
  async ({ path, origin, allowed }) => {
    const preflight = await stack.call(path, { method: 'OPTIONS', token: '', headers: { Origin: origin } });
    const read = await stack.call(path, { headers: { Origin: origin } });
    for (const { headers } of [preflight, read]) {
      expect(headers.get('access-control-allow-origin')).toBe(allowed);
      expect(headers.get('access-control-allow-credentials')).toBe(null);
    }
    if (allowed) expect(preflight.headers.get('access-control-allow-methods')).toBe('GET');
    const readable = allowed && expect.stringMatching(/Retry-After, .*Keytally-Export-Limit/);
    expect(read.headers.get('access-control-expose-headers')).toEqual(readable);
  },
);
