import { expect, test } from 'vitest';
import { startError } from '../../api/start-error.ts';
import { ConfigError } from '../../ingest/config-error.ts';

const named = (name: string, message: string, code?: string) =>
  Object.assign(new Error(message), { name }, code && { code });
const FULL = named('ReplyError', "OOM command not allowed when used memory > 'maxmemory'.");
const REFUSED = named('Error', 'connect ECONNREFUSED 127.0.0.1:8123\nat more', 'ECONNREFUSED');

test.each([
  [FULL, true, "REDIS_URL: Redis refused during the start: OOM command not allowed when used memory > 'maxmemory'."],
  [FULL, false, "REDIS_URL: Redis refused during the start: OOM command not allowed when used memory > 'maxmemory'."],
  [
    REFUSED,
    true,
    'CLICKHOUSE_URL: ClickHouse went away, or refused, during the start: connect ECONNREFUSED 127.0.0.1:8123',
  ],
])('%s, on a server: %s', (error, onServer, line) => {
  const told = startError(error, onServer) as Error;
  expect([told instanceof ConfigError, told.message]).toEqual([true, line]);
});

test.each([
  ['a wrong setting', new ConfigError('PORT: is wrong'), true],
  ['a defect', new TypeError('undefined is not a function'), true],
  ['a statement that the engine does not know', named('Error', 'syntax', '62'), true],
  ['anything of the embedded engine', REFUSED, false],
])('%s stays as it is', (_what, error, onServer) => {
  expect(startError(error, onServer)).toBe(error);
});
