import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSignedBy, parseLeakKeys } from '../../api/leak-signature.ts';
import { parseConfig } from '../../ingest/config.ts';
import { type Stack, startStack } from '../support/stack.ts';

const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const keysJson = (key: string) => JSON.stringify({ public_keys: [{ key_identifier: 'test', key, is_current: true }] });
const PEM = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ LEAK_PUBLIC_KEYS: keysJson(PEM) });
  for (const [keyId, organization] of [
    ['leak_loose', 'loose'],
    ['leak_strict', 'strict'],
    ['leak_hand', 'strict'],
  ]) {
    const body = { organization_id: organization, sha256: sha(`secret of ${keyId}`) };
    await stack.call(`/v1/keys/${keyId}`, { method: 'PUT', body });
  }
  const policy = { name: 'leaks', kind: 'leaked', enabled: true, organization_id: 'strict' };
  await stack.call('/v1/policies', { method: 'POST', body: policy });
});
afterAll(() => stack.stop());

function report(body: string, signer = pair, identifier = 'test') {
  return stack.call('/v1/leaks', {
    method: 'POST',
    token: '',
    body,
    headers: {
      'Content-Type': 'application/json',
      'Github-Public-Key-Identifier': identifier,
      'Github-Public-Key-Signature': sign('sha256', Buffer.from(body), signer.privateKey).toString('base64'),
    },
  });
}
const leak = (token: string) => ({
  token,
  type: 'acme_key',
  url: `https://github.com/x/y/blob/${token}`,
  source: 'content',
});

describe('a signed report', () => {
  test('flags the key, deactivates it by policy, labels each token, keeps no secret', async () => {
    const tokens = ['secret of leak_loose', 'secret of leak_strict', 'nobody knows this'];
    const { status, json } = await report(JSON.stringify(tokens.map(leak)));
    expect(status).toBe(200);
    expect(json).toEqual(
      tokens.map((token, at) => ({
        token_hash: sha(token),
        token_type: 'acme_key',
        label: at < 2 ? 'true_positive' : 'false_positive',
      })),
    );
    const loose = (await stack.call('/v1/keys/leak_loose')).json;
    const strict = (await stack.call('/v1/keys/leak_strict')).json;
    expect(loose).toMatchObject({ status: 'active', leaked_at: expect.any(String) });
    expect(strict).toMatchObject({ status: 'inactive', leaked_at: expect.any(String) });
    expect(strict.status_reason).toBe(
      'policy "leaks": leaked, reported by GitHub: https://github.com/x/y/blob/… (content)',
    );
    await report(JSON.stringify(tokens.map(leak)));
    const { json: history } = await stack.call('/v1/keys/leak_strict/history');
    expect(history.data.map((entry: { action: string }) => entry.action)).toEqual([
      'key.deactivated',
      'key.leaked',
      'key.registered',
    ]);
    expect(JSON.stringify([loose, strict, history])).not.toContain('secret of');
  });

  test('a regenerated key is no longer leaked', async () => {
    const body = { sha256: sha('fresh secret') };
    const { json } = await stack.call('/v1/keys/leak_loose/regenerate', { method: 'POST', body });
    expect(json.leaked_at).toBeNull();
  });

  test('nor is one that gets a new secret by PUT or by an import; a leak of that one is told again', async () => {
    const put = (secret: string) => stack.call('/v1/keys/leak_loose', { method: 'PUT', body: { sha256: sha(secret) } });
    const imported = async (secret: string) => {
      const body = JSON.stringify({ key_id: 'leak_loose', sha256: sha(secret) });
      await stack.call('/v1/keys/import', {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/x-ndjson' },
      });
    };
    for (const [renew, secret] of [
      [put, 'secret by PUT'],
      [imported, 'secret by import'],
    ] as const) {
      const { json: before } = await stack.call('/v1/keys/leak_loose/report-leak', {
        method: 'POST',
        body: { reason: 'in a ticket' },
      });
      expect(before.leaked_at).not.toBeNull();
      await renew(secret);
      const { json } = await stack.call('/v1/keys/leak_loose');
      expect([json.leaked_at, json.rotated_at > before.rotated_at]).toEqual([null, true]);
    }
    await report(JSON.stringify([leak('secret by import')]));
    expect((await stack.call('/v1/keys/leak_loose')).json.leaked_at).not.toBeNull();
  });
});

describe('refused', () => {
  const body = JSON.stringify([leak('secret of leak_hand')]);
  test.each([
    ['another signer', () => report(body, stranger)],
    ['an unknown key', () => report(body, pair, 'unknown')],
    ['no signature', () => stack.call('/v1/leaks', { method: 'POST', token: '', body })],
  ])('%s', async (_name, send) => {
    expect((await send()).status).toBe(403);
    expect((await stack.call('/v1/keys/leak_hand')).json.leaked_at).toBeNull();
  });

  test.each(['{}', '[]', 'x', '[{"token":""}]'])('signed, but not a report: %s', async (text) => {
    expect((await report(text)).status).toBe(400);
  });

  test('keys that cannot be used are named at the start', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' });
    for (const value of ['x', '{}', keysJson('nonsense'), keysJson(rsa.toString())]) {
      expect(() => parseConfig({ LEAK_PUBLIC_KEYS: value })).toThrow('LEAK_PUBLIC_KEYS: must be');
    }
  });
});

test('a report by hand', async () => {
  const { json } = await stack.call('/v1/keys/leak_hand/report-leak', {
    method: 'POST',
    body: { reason: 'in a ticket' },
  });
  expect(json).toMatchObject({ status: 'inactive', status_reason: 'policy "leaks": in a ticket' });
});

test("GitHub's published example of a signature", () => {
  const key =
    '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsz9ugWDj5jK5ELBK42ynytbo38gP\nHzZFI03Exwz8Lh/tCfL3YxwMdLjB+bMznsanlhK0RwcGP3IDb34kQDIo3Q==\n-----END PUBLIC KEY-----';
  const signature = 'MEUCIFLZzeK++IhS+y276SRk2Pe5LfDrfvTXu6iwKKcFGCrvAiEAhHN2kDOhy2I6eGkOFmxNkOJ+L2y8oQ9A2T9GGJo6WJY=';
  const payload = '[{"token":"some_token","type":"some_type","url":"some_url","source":"some_source"}]';
  const keys = parseLeakKeys(keysJson(key));
  expect(isSignedBy(keys, 'test', signature, Buffer.from(payload))).toBe(true);
  expect(isSignedBy(keys, 'test', signature, Buffer.from(`${payload} `))).toBe(false);
});
