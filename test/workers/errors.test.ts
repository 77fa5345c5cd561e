import { ReplyError } from 'ioredis';
import { expect, test } from 'vitest';
import { classifyInsertError } from '../../workers/errors.ts';

const engine = (code: number, message = '') => Object.assign(new Error(message), { code: String(code) });
const system = (code: string) => Object.assign(new Error(code), { code });

test.each([
  ['a row that cannot be parsed', engine(27), 'dead_letter'],
  ['a violated constraint', engine(469), 'dead_letter'],
  [
    'one insert over too many partitions',
    engine(252, 'Too many partitions for single INSERT block (more than 100)'),
    'dead_letter',
  ],
  ['merges that fall behind', engine(252, 'Too many parts (3000)'), 'wait'],
  ['no memory', engine(241), 'wait'],
  ['no space on the disk', engine(243), 'wait'],
  ['a wrong password', engine(516), 'wait'],
  ['an earlier try that still runs', engine(216, 'Query with id = b is already running'), 'wait'],
  ['a missing table', engine(60), 'crash'],
  ['an unknown setting', engine(115), 'crash'],
  ['a query that took too long', engine(159), 'wait'],
  ['a socket of the server that took too long', engine(209), 'wait'],
  ['an error nobody thought of', engine(4242), 'retry'],
  ['a refused connection', system('ECONNREFUSED'), 'wait'],
  ['a reset connection', system('ECONNRESET'), 'wait'],
  ['a timeout of the client', new Error('Timeout error.'), 'wait'],
  ['a page of a load balancer', new Error('<html><h1>503 Service Unavailable</h1></html>'), 'wait'],
  ['a proxy without a server behind it', new Error('no healthy upstream'), 'wait'],
  ['a refusal of Redis', new ReplyError('OOM command not allowed'), 'wait'],
  ['an empty answer', new Error(''), 'wait'],
  ['anything else', new TypeError('x is not a function'), 'retry'],
])('%s → %s', (_name, error, expected) => {
  expect(classifyInsertError(error)).toBe(expected);
});
