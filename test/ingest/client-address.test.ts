import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressWithoutPort, clientAddress, countryFromHeaders } from '../../ingest/client-address.ts';

const OWN = ['10.0.0.0/8', '192.0.2.1', '2001:db8:1::/48', 'nonsense', '10.0.0.0/99'];

describe('clientAddress', () => {
  it.each([
    ['no proxies: the connection', '203.0.113.9', '1.2.3.4', [], '203.0.113.9'],
    ['an untrusted connection: its header is not believed', '203.0.113.9', '1.2.3.4', OWN, '203.0.113.9'],
    ['one proxy', '10.0.0.1:443', '203.0.113.9', OWN, '203.0.113.9'],
    [
      'right-most that is not ours; what a client forged stands left',
      '10.0.0.1',
      '6.6.6.6, 203.0.113.9, 10.9.9.9, 192.0.2.1',
      OWN,
      '203.0.113.9',
    ],
    ['only ours: the furthest', '10.0.0.1', '10.0.0.3, 10.0.0.2', OWN, '10.0.0.3'],
    ['a hop that is no address ends the chain', '10.0.0.1', '203.0.113.9, unknown, 10.0.0.2', OWN, '10.0.0.2'],
    ['IPv6 with port', '[2001:db8:1::7]:443', '[2001:db8:2::9]:1234', OWN, '2001:db8:2::9'],
    ['mapped IPv4', '::ffff:10.0.0.1', '::ffff:203.0.113.9', OWN, '203.0.113.9'],
    ['no connection logged: the gateway is the first proxy', '', '6.6.6.6, 203.0.113.9', [], '203.0.113.9'],
    ['nothing', '', '', OWN, ''],
    ['no address', 'unix:', '', [], ''],
  ])('%s', (_title, peer, xForwardedFor, trustedProxies, expected) => {
    expect(clientAddress({ peer, xForwardedFor, trustedProxies })).toBe(expected);
  });

  it('reads Forwarded', () => {
    const forwarded = 'for=6.6.6.6, For="[2001:db8:2::9]:4711";proto=https;by=10.0.0.9, for=10.0.0.2';
    expect(clientAddress({ peer: '10.0.0.1', forwarded, trustedProxies: OWN })).toBe('2001:db8:2::9');
    expect(clientAddress({ peer: '10.0.0.1', forwarded: 'for=_hidden, proto=http', trustedProxies: OWN })).toBe(
      '10.0.0.1',
    );
  });

  it('takes any text and yields an address or nothing', () => {
    const text = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.ipV4Extended());
    fc.assert(
      fc.property(text, fc.array(text), (peer, hops) => {
        const address = clientAddress({ peer, xForwardedFor: hops.join(','), trustedProxies: ['0.0.0.0/0'] });
        expect(address === '' || addressWithoutPort(address) === address).toBe(true);
      }),
    );
  });
});

describe('countryFromHeaders', () => {
  const names = ['CF-IPCountry', 'cloudfront-viewer-country', 'x-vercel-ip-country'];
  it.each([
    [{ 'cf-ipcountry': 'se' }, 'SE'],
    [{ 'cf-ipcountry': 'XX', 'cloudfront-viewer-country': 'NO' }, 'NO'],
    [{ 'cf-ipcountry': 'T1' }, ''],
    [{ 'x-vercel-ip-country': 'Sweden' }, ''],
    [{ 'x-other-country': 'SE' }, ''],
    [{}, ''],
  ])('%j -> %s', (headers, country) => expect(countryFromHeaders(headers, names)).toBe(country));

  it('believes nobody by default', () => expect(countryFromHeaders({ 'cf-ipcountry': 'SE' }, [])).toBe(''));
});
