import { expect, test } from 'vitest';
import { connectionOf, defaultUrl } from '../../ingest/connection.ts';

const URL_ = 'http://127.0.0.1:8080';

test.each([
  ['the flag', { token: 'flag' }, { KEYTALLY_TOKEN: 'own', KEYTALLY_ADMIN_TOKEN: 'admin' }, 'flag'],
  ['the variable', {}, { KEYTALLY_TOKEN: 'own', KEYTALLY_ADMIN_TOKEN: 'admin' }, 'own'],
  ['the administrator’s', {}, { KEYTALLY_ADMIN_TOKEN: 'admin' }, 'admin'],
  ['the administrator’s, the variable being empty', {}, { KEYTALLY_TOKEN: '', KEYTALLY_ADMIN_TOKEN: 'admin' }, 'admin'],
])('token: %s', (_name, flags, env, token) => {
  expect(connectionOf({ url: URL_, ...flags }, env)).toEqual({ url: URL_, token });
});

test.each([
  ['no token', { url: URL_ }, {}, /^--token: give a token/],
  ['an empty one', { url: URL_, token: '' }, { KEYTALLY_TOKEN: 'own' }, /^--token: give a token/],
  ['a token of other characters', { url: URL_ }, { KEYTALLY_TOKEN: 'kt_a b' }, /^--token: holds characters/],
  ['no address', { url: 'keytally', token: 't' }, {}, /^--url: "keytally" is not an address/],
  ['another scheme', { url: 'ftp://keytally', token: 't' }, {}, /^--url: "ftp:/],
])('refused: %s', (_name, flags, env, problem) => {
  expect(connectionOf(flags, env)).toEqual({ problem: expect.stringMatching(problem) });
});

test('addresses', () => {
  expect(connectionOf({ url: 'https://k.example/at//', token: 't' }, {})).toMatchObject({
    url: 'https://k.example/at',
  });
  expect([defaultUrl({}), defaultUrl({ PUBLIC_URL: '' }), defaultUrl({ PUBLIC_URL: 'https://k.example' })]).toEqual([
    URL_,
    URL_,
    'https://k.example',
  ]);
});
