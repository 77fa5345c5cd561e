import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { loggedError } from '../../ingest/logged-error.ts';
import { createLogger } from '../../ingest/logger.ts';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { tempFolder } from '../support/temp-folder.ts';

const SECRET = 'correct-horse-battery';

test('of an error remain its type, message, stack and code, and those of its causes', () => {
  const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER', command: { args: [SECRET] } });
  const error = Object.assign(new Error('outer', { cause }), { code: 7, command: { args: [SECRET] }, note: SECRET });
  expect(loggedError(error)).toEqual({
    type: 'Error',
    message: 'outer',
    stack: error.stack,
    code: 7,
    cause: { type: 'TypeError', message: 'inner', stack: cause.stack, code: 'E_INNER' },
  });
});

test('a host of several addresses and a cluster say why', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { address: SECRET });
  expect(loggedError(new AggregateError([refused], ''))).toMatchObject({
    type: 'AggregateError',
    errors: [{ message: 'connect ECONNREFUSED' }],
  });
  const ofCluster = Object.assign(new Error('no node'), { lastNodeError: refused });
  expect(loggedError(ofCluster)).toMatchObject({ message: 'no node', cause: { message: 'connect ECONNREFUSED' } });
});

test('a chain of causes without an end ends', () => {
  const error = new Error('round');
  error.cause = error;
  expect(JSON.stringify(loggedError(error)).split('"round"')).toHaveLength(7);
});

test.each([['text'], [undefined], [null], [7]])('what is no error stays: %j', (value) => {
  expect(loggedError(value)).toBe(value);
});

describe('a real Redis', () => {
  let server: LocalRedis;
  let operator: Redis;
  let lines: string[];
  const log = createLogger({ LOG_LEVEL: 'trace' }, 'test', { write: (line) => void lines.push(line) });
  const warn = (error: Error) => log.warn({ err: error }, 'Redis connection');
  const withPassword = (password: string) => {
    const url = new URL(server.url);
    url.password = password;
    return url.href;
  };

  beforeAll(async () => {
    server = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 67_108_864 });
    lines = [];
    operator = await connectRedis(server.url, 'producer', () => {});
  });
  afterAll(async () => {
    operator.disconnect();
    await server.stop();
  });

  test('a wrong password at the start: people read why, and the log does not have it', async () => {
    lines = [];
    await expect(connectRedis(withPassword(SECRET), 'producer', warn)).rejects.toThrow(/^REDIS_URL: .*: WRONGPASS /);
    expect(lines.join('')).toContain('WRONGPASS');
    expect(lines.join('')).not.toContain(SECRET);
  });

  test('a payload that Redis has no room for', async () => {
    lines = [];
    await operator.call('CONFIG', 'SET', 'maxmemory', '1');
    await operator.set('k', SECRET).catch((error) => log.error({ err: error }, 'Redis did not take the batch'));
    await operator.call('CONFIG', 'SET', 'maxmemory', '67108864');
    expect(lines.join('')).toContain('OOM command not allowed');
    expect(lines.join('')).not.toContain(SECRET);
  });

  test('a password that is changed while the program runs', async () => {
    lines = [];
    const former = new URL(server.url).password;
    const running = await connectRedis(server.url, 'producer', warn);
    await operator.call('CONFIG', 'SET', 'requirepass', SECRET);
    await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect.poll(() => lines.join('')).toContain('WRONGPASS');
    running.disconnect();
    await operator.call('CONFIG', 'SET', 'requirepass', former);
    expect(former).not.toBe('');
    expect(lines.join('')).not.toContain(former);
    expect(lines.join('')).not.toContain(SECRET);
  });
});
