import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../ingest/config.ts';
import { ConfigError } from '../../ingest/config-error.ts';
import { connectRedis } from '../../ingest/redis.ts';
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

/** Speaks as much of the protocol as a connection needs. @param info what INFO answers, as on the wire */
async function serverThatSays(info: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      for (const [, command] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        socket.write(/^info$/i.test(command!) ? info : /^ping$/i.test(command!) ? '+PONG\r\n' : '+OK\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `redis://:secret@127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;

test.each([
  ['Redis 6', bulk('# Server\r\nredis_version:6.2.14\r\n'), /^REDIS_URL: .*127.0.0.1.*version 6.2.14.* 7 or newer/],
  ['Redis 7', bulk('# Server\r\nredis_version:7.0.15\r\n'), undefined],
  ['Redis 10', bulk('# Server\r\nredis_version:10.0.1\r\n'), undefined],
  ['Valkey', bulk('# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n'), undefined],
  ['a service that refuses INFO', '-NOPERM no permission\r\n', undefined],
])('%s: its version is looked at', async (_title, info, refusal) => {
  const url = await serverThatSays(info);
  const connected = connectRedis(url, 'producer', () => {}).then((redis) => redis.disconnect());
  if (refusal === undefined) return connected;
  const said = await connected.catch((error: unknown) => error);
  expect(said).toBeInstanceOf(ConfigError);
  expect((said as Error).message).toMatch(refusal);
  expect((said as Error).message).not.toContain('secret');
});
