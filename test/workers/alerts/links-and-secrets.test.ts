import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../ingest/config.ts';
import { openSecrets, SealError, sealSecrets } from '../../../workers/alerts/channels/sealed.ts';
import { actionUrl, createLinkToken, type LinkAction, verifyLinkToken } from '../../../workers/alerts/links.ts';
import { loadSecretKeys, SecretKeyError, secretKeys } from '../../../workers/alerts/secret-key.ts';
import { testFolder } from '../../support/temp-folder.ts';

const OLD = Buffer.alloc(32, 1);
const NEW = Buffer.alloc(32, 2);
const old = secretKeys([OLD]);
const rotated = secretKeys([NEW, OLD]);
const other = secretKeys([Buffer.alloc(32, 3)]);
const SECRETS = { signing: ['whsec_CANARYCANARY'] };
const NOW = Date.parse('2026-11-21T14:00:00Z');
const ACTIONS: LinkAction[] = [
  { purpose: 'acknowledge', alert_id: 'a1', by: 'email:ops@acme.example' },
  { purpose: 'mute', kind: 'error_rate', key_id: 'key/ü 1', organization_id: 'acme', days: 7, by: 'channel:ch1' },
  { purpose: 'unsubscribe', channel_id: 'ch1', email: 'ops@acme.example' },
];

describe('the secret key', () => {
  test('a file is made once, for its owner only, and found again', () => {
    const folder = join(testFolder(), 'data');
    const config = { KEYTALLY_DATA_DIR: folder };
    const made = loadSecretKeys(config);
    expect(statSync(join(folder, 'secret-key')).mode & 0o777).toBe(0o600);
    expect(loadSecretKeys(config).newest.id).toBe(made.newest.id);
    expect(loadSecretKeys({ KEYTALLY_DATA_DIR: testFolder() }).newest.id).not.toBe(made.newest.id);
  });

  test('the variable comes before the file, newest first', () => {
    const both = `${NEW.toString('base64')}, ${OLD.toString('base64')}`;
    const config = parseConfig({ KEYTALLY_SECRET_KEY: both, KEYTALLY_DATA_DIR: testFolder() });
    const keys = loadSecretKeys(config);
    expect(keys.all.map((key) => key.id)).toEqual(rotated.all.map((key) => key.id));
    expect(keys.newest.id).toBe(rotated.newest.id);
  });

  test('a file that holds no key is named, and what it holds is not shown', () => {
    const folder = testFolder();
    writeFileSync(join(folder, 'secret-key'), 'CANARY');
    expect(() => loadSecretKeys({ KEYTALLY_DATA_DIR: folder })).toThrow(SecretKeyError);
    expect(() => loadSecretKeys({ KEYTALLY_DATA_DIR: folder })).toThrow(/secret-key: must hold 32 bytes/);
    expect(() => loadSecretKeys({ KEYTALLY_DATA_DIR: folder })).not.toThrow(/CANARY/);
  });

  test('a folder that cannot be written names the variable to set', () => {
    const folder = testFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(() => loadSecretKeys({ KEYTALLY_DATA_DIR: join(folder, 'file') })).toThrow(
      /cannot be (read|written) \(ENOTDIR\)/,
    );
  });

  test.each([
    'CANARY',
    `${OLD.toString('base64')},CANARY`,
    [OLD, NEW, OLD].map((key) => key.toString('base64')).join(),
  ])('a bad variable is refused without showing it (%#)', (value) => {
    expect(() => parseConfig({ KEYTALLY_SECRET_KEY: value })).toThrow(
      /^KEYTALLY_SECRET_KEY: must be 32 bytes in base64/,
    );
    expect(() => parseConfig({ KEYTALLY_SECRET_KEY: value })).not.toThrow(
      new RegExp(`CANARY|${OLD.toString('base64')}`),
    );
  });

  test('uses have keys of their own, and the id tells nothing of the key', () => {
    const { newest } = old;
    expect(newest.derive('seal').equals(newest.derive('links'))).toBe(false);
    expect(newest.derive('seal').equals(OLD)).toBe(false);
    expect(newest.id).toMatch(/^[0-9a-f]{8}$/);
  });
});

describe('sealed secrets', () => {
  test('open again, and differ each time', () => {
    const sealed = sealSecrets(old, 'ch1', SECRETS);
    expect(openSecrets(old, 'ch1', sealed)).toEqual(SECRETS);
    expect(sealed).not.toContain('CANARY');
    expect(Buffer.from(sealed.split('.')[3]!, 'base64url').toString('latin1')).not.toContain('CANARY');
    expect(sealSecrets(old, 'ch1', SECRETS)).not.toBe(sealed);
    expect(openSecrets(old, 'ch1', '')).toEqual({});
  });

  test('rotation: the old key still opens, the new one seals', () => {
    const sealed = sealSecrets(old, 'ch1', SECRETS);
    expect(openSecrets(rotated, 'ch1', sealed)).toEqual(SECRETS);
    const again = sealSecrets(rotated, 'ch1', SECRETS);
    expect(() => openSecrets(old, 'ch1', again)).toThrow(SealError);
  });

  test('a wrong key is told by naming the variable and the id of the key', () => {
    expect(() => openSecrets(other, 'ch1', sealSecrets(old, 'ch1', SECRETS))).toThrow(
      new RegExp(`sealed with key ${old.newest.id}, which KEYTALLY_SECRET_KEY`),
    );
  });

  test('what was sealed for one channel does not open for another', () => {
    expect(() => openSecrets(old, 'ch2', sealSecrets(old, 'ch1', SECRETS))).toThrow(SealError);
  });

  test('a change of any byte is found', () => {
    const sealed = sealSecrets(old, 'ch1', SECRETS);
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom('A', 'B', '.', '~'), (at, character) => {
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
        fc.pre(changed !== sealed);
        // The last character of base64 holds bits that count for nothing.
        fc.pre(at !== sealed.length - 1 && at !== sealed.lastIndexOf('.') - 1);
        expect(() => openSecrets(old, 'ch1', changed)).toThrow(SealError);
      }),
    );
  });
});

describe('links', () => {
  test.each(ACTIONS)('$purpose is made and verified', (action) => {
    const token = createLinkToken(old, action, NOW + 1);
    expect(token).toMatch(/^[\w-]+\.[\w-]+$/);
    expect(verifyLinkToken(old, token, NOW)).toEqual({ valid: true, action, expiresAtMs: NOW + 1 });
    expect(verifyLinkToken(rotated, token, NOW)).toMatchObject({ valid: true });
    expect(verifyLinkToken(old, token, NOW + 1)).toEqual({ valid: false, reason: 'expired' });
    expect(verifyLinkToken(other, token, NOW)).toEqual({ valid: false, reason: 'wrong_signature' });
  });

  test('no other text passes under the signature of one', () => {
    const tokens = ACTIONS.map((action) => createLinkToken(old, action, NOW + 1));
    const [text] = tokens[0]!.split('.');
    const [, signature] = tokens[1]!.split('.');
    expect(verifyLinkToken(old, `${text}.${signature}`, NOW)).toEqual({ valid: false, reason: 'wrong_signature' });
  });

  test('a change of any letter is found', () => {
    const token = createLinkToken(old, ACTIONS[1]!, NOW + 1);
    fc.assert(
      fc.property(fc.nat(token.length - 2), fc.constantFrom('A', 'b', '7', '-'), (at, letter) => {
        const changed = token.slice(0, at) + letter + token.slice(at + 1);
        fc.pre(changed !== token);
        expect(verifyLinkToken(old, changed, NOW).valid).toBe(false);
      }),
    );
  });

  test.each(['', '.', 'a', 'a.b.c', `${'a'.repeat(5_000)}.b`, '\u0000.\uFFFF'])(
    '%j is malformed or unsigned',
    (token) => {
      expect(verifyLinkToken(old, token, NOW)).toMatchObject({ valid: false });
    },
  );

  test('a signed text of another shape is no action', () => {
    const odd = createLinkToken(old, { purpose: 'delete_everything' } as unknown as LinkAction, NOW + 1);
    expect(verifyLinkToken(old, odd, NOW)).toEqual({ valid: false, reason: 'malformed' });
  });

  test('the address stands below PUBLIC_URL', () => {
    expect(actionUrl('https://keys.example.com/base/', 'a.b')).toBe('https://keys.example.com/base/v1/actions/a.b');
  });
});
