import { expect, test } from 'vitest';
import { ConfigError, parseConfig } from '../../ingest/config.ts';
import { parseRedisUrl, shownAddress } from '../../ingest/redis-address.ts';

test.each([
  ['redis://localhost', 'redis://localhost:6379', false],
  ['redis://user:p%40ss@redis:7000/3', 'redis://redis:7000/3', false],
  ['rediss://:secret@redis', 'rediss://redis:6379', false],
  ['redis://a:7000,b:7001,c', 'redis://a:7000,b:7001,c:6379', true],
  ['redis://:secret@a:7000,b:7001', 'redis://a:7000,b:7001', true],
  ['rediss://a,rediss://b:1', 'rediss://a:6379,b:1', true],
  ['redis://configuration.example?cluster', 'redis://configuration.example:6379?cluster', true],
  ['redis://a/?cluster=false', 'redis://a:6379', false],
  ['redis://[::1]:7000,[::1]:7001', 'redis://[::1]:7000,[::1]:7001', true],
])('%s names %s', (url, shown, isCluster) => {
  const address = parseRedisUrl(url);
  expect(shownAddress(address)).toBe(shown);
  expect(address.isCluster).toBe(isCluster);
});

test('user and password are decoded', () => {
  expect(parseRedisUrl('redis://us%3Aer:p%40ss@a,b')).toMatchObject({ username: 'us:er', password: 'p@ss' });
});

test.each([
  ['http://a', 'must be a URL like redis://'],
  ['redis://a:70000,b', 'must be a URL like redis://'],
  ['redis://a,,b', 'must be a URL like redis://'],
  ['redis://a,b/2', 'a cluster has database 0 only'],
  ['redis://a/x', 'its database must be a whole number'],
])('%s is refused by name, and nothing of it is shown', (url, reason) => {
  const start = () => parseConfig({ REDIS_URL: url.replace('//', '//:hidden@') });
  expect(start).toThrow(ConfigError);
  expect(start).toThrow(`REDIS_URL: ${reason}`);
  expect(start).not.toThrow(/hidden/);
});
