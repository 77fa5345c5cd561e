import { describe, expect, test } from 'vitest';
import {
  hostOf,
  isMailAddress,
  maskedChannel,
  newSigningSecret,
  parseChannel,
} from '../../../../workers/alerts/channels/settings.ts';
import { sampleChannel } from './sample-messages.ts';

const SIGNING = newSigningSecret();
const URL_ = 'https://hooks.example.com/a?token=CANARY';

describe('settings of a channel', () => {
  test.each([
    ['email', { to: ['ops@acme.example'], timezone: 'Europe/Stockholm' }, {}],
    ['email', {}, {}],
    ['webhook', { url: URL_ }, { signing: [SIGNING] }],
    ['webhook', { url: URL_ }, { signing: [SIGNING, newSigningSecret()] }],
    ['slack', {}, { url: URL_ }],
    ['teams', { timezone: 'UTC' }, { url: URL_ }],
    ['discord', {}, { url: URL_ }],
    ['pagerduty', { region: 'eu' }, { routing_key: 'a1'.repeat(16) }],
  ] as const)('%s %j is good', (type, settings, secrets) => {
    expect(parseChannel(type, settings, secrets)).not.toHaveProperty('problems');
  });

  test.each([
    ['email', { to: ['CANARY'] }, {}, 'settings.to.0'],
    ['email', { to: ['a@b.c\r\nBcc: CANARY@d'] }, {}, 'settings.to.0'],
    ['email', { to: Array.from({ length: 21 }, (_, i) => `a${i}@b.c`) }, {}, 'settings.to'],
    ['email', { timezone: 'CANARY/Nowhere' }, {}, 'settings.timezone'],
    ['email', { too: [] }, {}, 'settings'],
    ['webhook', {}, { signing: [SIGNING] }, 'settings.url'],
    ['webhook', { url: 'ftp://CANARY' }, { signing: [SIGNING] }, 'settings.url'],
    ['webhook', { url: 'https://u:CANARY@hooks.example' }, { signing: [SIGNING] }, 'settings.url'],
    ['webhook', { url: URL_ }, { signing: [] }, 'secrets.signing'],
    ['webhook', { url: URL_ }, { signing: [SIGNING, SIGNING, SIGNING] }, 'secrets.signing'],
    ['webhook', { url: URL_ }, { signing: ['whsec_CANARY'] }, 'secrets.signing.0'],
    ['webhook', { url: URL_ }, {}, 'secrets.signing'],
    ['slack', {}, {}, 'secrets.url'],
    ['pagerduty', { region: 'CANARY' }, { routing_key: 'a1'.repeat(16) }, 'settings.region'],
    ['pagerduty', {}, { routing_key: 'CANARY' }, 'secrets.routing_key'],
  ] as const)('%s %j %j names %s', (type, settings, secrets, field) => {
    const parsed = parseChannel(type, settings, secrets);
    const problems = 'problems' in parsed ? parsed.problems : [];
    expect(problems.map((problem) => problem.field)).toEqual([field]);
    expect(problems[0]!.reason).not.toBe('');
    expect(JSON.stringify(problems)).not.toContain('CANARY');
  });

  test('a stored field of a newer version does not stop the sending', () => {
    expect(parseChannel('email', { to: [], quiet: 1 }, { later: 1 }, 'ignore')).not.toHaveProperty('problems');
  });

  test('however many have unsubscribed, the others are written to', () => {
    const unsubscribed = Array.from({ length: 30_000 }, (_, i) => `left${i}@acme.example`);
    expect(parseChannel('email', { unsubscribed }, {}, 'ignore')).not.toHaveProperty('problems');
  });
});

test('a new secret is 32 random bytes', () => {
  const secrets = Array.from({ length: 50 }, newSigningSecret);
  expect(new Set(secrets).size).toBe(50);
  for (const secret of secrets) expect(Buffer.from(secret.replace('whsec_', ''), 'base64').length).toBe(32);
});

test.each([
  [
    'webhook',
    { url: URL_, timezone: 'UTC' },
    { signing: [SIGNING] },
    { timezone: 'UTC', url_host: 'hooks.example.com', secrets: { signing: '1 configured' } },
  ],
  ['slack', {}, { url: URL_ }, { secrets: { url: 'configured' } }],
  ['pagerduty', { region: 'eu' }, { routing_key: 'CANARY' }, { region: 'eu', secrets: { routing_key: 'configured' } }],
  ['email', { to: ['ops@acme.example'] }, {}, { to: ['ops@acme.example'], secrets: {} }],
] as const)('what may be shown of %s', (type, settings, secrets, shown) => {
  const masked = maskedChannel(sampleChannel({ type, settings, secrets }));
  expect(masked).toEqual(shown);
  expect(JSON.stringify(masked)).not.toMatch(/CANARY|whsec_/);
});

test.each([
  ['ops@acme.example', true],
  ['o.p-s+x@sub.acme.example', true],
  ['jörg@exämple.de', true],
  ['ops', false],
  ['a@b@c', false],
  ['a b@c', false],
  ['<a@b>', false],
  ['a@b,c@d', false],
  ['a@b\n', false],
  ['"a"@b', false],
  [`${'a'.repeat(251)}@b.c`, false],
  ['', false],
])('%j as an address: %s', (text, good) => expect(isMailAddress(text)).toBe(good));

test('the host of an address, never its path', () => {
  expect([hostOf(URL_), hostOf('https://h:8443/CANARY'), hostOf('CANARY')]).toEqual([
    'hooks.example.com',
    'h:8443',
    'unknown',
  ]);
});
