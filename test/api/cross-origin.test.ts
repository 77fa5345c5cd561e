import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ CORS_ORIGINS: 'https://console.example.com, https://other.example.com/' });
});
afterAll(() => stack.stop());

test.each([
  ['https://console.example.com', 'https://console.example.com'],
  ['https://other.example.com', 'https://other.example.com'],
  ['https://evil.example.com', null],
  ['null', null],
])('a page of %s is allowed as %s, without cookies', async (origin, allowed) => {
  const preflight = await stack.call('/v1/keys', { method: 'OPTIONS', token: '', headers: { Origin: origin } });
  const read = await stack.call('/v1/keys', { headers: { Origin: origin } });
  for (const { headers } of [preflight, read]) {
    expect(headers.get('access-control-allow-origin')).toBe(allowed);
    expect(headers.get('access-control-allow-credentials')).toBe(null);
  }
  if (allowed) expect(preflight.headers.get('access-control-allow-methods')).toBe('GET');
});
