import type { LookupFunction } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../../ingest/config.ts';
import {
  allowedRanges,
  bareHost,
  guardedLookup,
  judgeAddress,
  RefusedTarget,
  refusalOf,
} from '../../../../workers/alerts/channels/address-guard.ts';

const NONE = allowedRanges([]);
const ALLOWED = allowedRanges(['10.20.0.0/16', '192.168.1.7', 'fd00:1::/32']);

describe('one address', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['1.1.1.1', 'public'],
    ['2606:4700:4700::1111', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['0.0.0.0', 'refused'],
    ['0.1.2.3', 'refused'],
    ['10.0.0.1', 'refused'],
    ['100.64.0.1', 'refused'],
    ['127.0.0.1', 'refused'],
    ['127.255.255.254', 'refused'],
    ['169.254.169.254', 'refused'],
    ['172.16.0.1', 'refused'],
    ['172.31.255.255', 'refused'],
    ['192.0.0.1', 'refused'],
    ['192.0.2.1', 'refused'],
    ['192.168.0.1', 'refused'],
    ['198.18.0.1', 'refused'],
    ['203.0.113.5', 'refused'],
    ['224.0.0.1', 'refused'],
    ['240.0.0.1', 'refused'],
    ['255.255.255.255', 'refused'],
    ['::', 'refused'],
    ['::1', 'refused'],
    ['::7f00:1', 'refused'],
    ['::ffff:127.0.0.1', 'refused'],
    ['::ffff:a9fe:a9fe', 'refused'],
    ['::ffff:0:127.0.0.1', 'refused'],
    ['64:ff9b::7f00:1', 'refused'],
    ['64:ff9b:1::1', 'refused'],
    ['100::1', 'refused'],
    ['2001::1', 'refused'],
    ['2001:db8::1', 'refused'],
    ['2002:7f00:1::', 'refused'],
    ['3fff::1', 'refused'],
    ['fc00::1', 'refused'],
    ['fd12:3456::1', 'refused'],
    ['fe80::1', 'refused'],
    ['fe80::1%eth0', 'refused'],
    ['fec0::1', 'refused'],
    ['ff02::1', 'refused'],
    ['5f00::1', 'refused'],
    ['not an address', 'refused'],
    ['', 'refused'],
  ])('%s: %s', (address, verdict) => {
    expect(judgeAddress(address, NONE)).toBe(verdict);
  });

  test.each([
    ['10.20.3.4', 'allowed_private'],
    ['::ffff:10.20.3.4', 'allowed_private'],
    ['10.21.0.1', 'refused'],
    ['192.168.1.7', 'allowed_private'],
    ['192.168.1.8', 'refused'],
    ['fd00:1::5', 'allowed_private'],
    ['fd00:2::5', 'refused'],
    ['8.8.8.8', 'public'],
  ])('with ranges allowed, %s: %s', (address, verdict) => {
    expect(judgeAddress(address, ALLOWED)).toBe(verdict);
  });

  test('no IPv4 address behind the mapped form is judged otherwise than itself', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(judgeAddress(`::ffff:${address}`, ALLOWED)).toBe(judgeAddress(address, ALLOWED));
      }),
    );
  });
});

describe('WEBHOOK_ALLOW_PRIVATE', () => {
  test.each(['10/8', '10', '10.0.0.0/33', '0x7f.1', 'localhost', '10.0.0.0/', 'fd00::/129'])(
    '%s is refused',
    (value) => {
      expect(() => parseConfig({ WEBHOOK_ALLOW_PRIVATE: value })).toThrow(
        /^WEBHOOK_ALLOW_PRIVATE: must be addresses or ranges/,
      );
    },
  );
  test.each(['10.0.0.0/8', '10.0.0.1, fd00::/8', '::1'])('%s is taken', (value) => {
    expect(allowedRanges(parseConfig({ WEBHOOK_ALLOW_PRIVATE: value }).WEBHOOK_ALLOW_PRIVATE).length).toBeGreaterThan(
      0,
    );
  });
});

describe('a URL with its addresses', () => {
  test.each([
    ['https://hooks.example/x', ['8.8.8.8'], undefined],
    ['https://hooks.example:443/x', ['8.8.8.8'], undefined],
    ['https://hooks.example:8443/x', ['8.8.8.8', '2606:4700::1'], undefined],
    ['https://hooks.example:22/x', ['8.8.8.8'], /port/],
    ['https://hooks.example:80/x', ['8.8.8.8'], /port/],
    ['http://hooks.example/x', ['8.8.8.8'], /https/],
    ['https://hooks.example/x', ['8.8.8.8', '127.0.0.1'], /private/],
    ['https://hooks.example/x', [], /private/],
    ['http://inside.example:8080/x', ['10.20.0.9'], undefined],
    ['http://inside.example:8080/x', ['10.20.0.9', '8.8.8.8'], /https/],
    ['https://inside.example:6379/x', ['10.20.0.9', '8.8.8.8'], /port/],
    ['http://inside.example/x', ['10.20.0.9', '10.99.0.9'], /private/],
  ])('%s at %j', (url, addresses, refusal) => {
    const reason = refusalOf(new URL(url), addresses, ALLOWED);
    if (refusal === undefined) expect(reason).toBeUndefined();
    else expect(reason).toMatch(refusal);
    // The owner of a channel is not told what lies inside.
    expect(reason ?? '').not.toMatch(/127\.0\.0\.1|10\.99/);
  });

  test.each([
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://2130706433/', '127.0.0.1'],
    ['http://0177.0.0.1/', '127.0.0.1'],
    ['http://127.1/', '127.0.0.1'],
    ['http://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
    ['http://①②⑦.⓪.⓪.①/', '127.0.0.1'],
  ])('%s is %s', (url, host) => {
    expect(bareHost(new URL(url))).toBe(host);
    expect(refusalOf(new URL(url), [bareHost(new URL(url))], NONE)).toMatch(/private/);
  });
});

describe('the look-up of the socket', () => {
  const answering = (...addresses: string[]): LookupFunction =>
    ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )) as unknown as LookupFunction;
  const ask = (lookup: LookupFunction, options: object) =>
    new Promise<unknown[]>((resolve) =>
      guardedLookup(new URL('https://hooks.example/'), NONE, lookup)('hooks.example', options, (...found) =>
        resolve(found),
      ),
    );

  test('hands on what it judged', async () => {
    expect(await ask(answering('8.8.8.8'), {})).toEqual([null, '8.8.8.8', 4]);
    expect(await ask(answering('8.8.8.8', '2606:4700::1'), { all: true })).toEqual([
      null,
      [
        { address: '8.8.8.8', family: 4 },
        { address: '2606:4700::1', family: 6 },
      ],
    ]);
  });

  test.each([[['8.8.8.8', '10.0.0.1']], [['10.0.0.1', '8.8.8.8']], [['::ffff:10.0.0.1']], [[]]])(
    'refuses all of %j, also for a socket that wants one',
    async (addresses) => {
      for (const options of [{}, { all: true }, { family: 4 }]) {
        const [error] = await ask(answering(...addresses), options);
        expect(error).toBeInstanceOf(RefusedTarget);
      }
    },
  );
});
