import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keytallyGuard } from '../../ingest/sender.ts';
import { type Stack, startStack } from '../support/stack.ts';

/**
 * A key expiring live, as its platform sees it: the reminder, the deactivation, the signed webhooks and the gateway's refusal.
 * The times are printed, for the record.
 */
const SECRET = 'sk_live_that_will_expire';
const LIVES_MS = 9_000;
const SOON = { timeout: 30_000, interval: 20 };

let stack: Stack;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  stack = await startStack({
    WEBHOOK_ALLOW_PRIVATE: '127.0.0.0/8',
    DELIVERY_GROUP_WAIT_SECONDS: '1',
    KEY_SWEEP_CRON: '*/2 * * * * *',
  });
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await stack.stop();
});

/** The owning platform's endpoint: notes what came, and refuses what is not signed with its secret. */
async function platform() {
  const came: { type: string; at: number; data: Record<string, unknown> }[] = [];
  let secret = '';
  const app = express();
  app.post('/', express.raw({ type: '*/*' }), (req, res) => {
    const body = req.body.toString('utf8');
    const { type, data } = new Webhook(secret).verify(body, req.headers as Record<string, string>) as never;
    came.push({ type, data, at: Date.now() });
    res.status(204).end();
  });
  return { url: await listen(app), came, use: (given: string) => (secret = given) };
}

async function listen(app: express.Express): Promise<string> {
  const server = createServer(app);
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('tells its platform before and at the end, and the gateway refuses it', async () => {
  const owner = await platform();
  const channel = await stack.call('/v1/channels', {
    method: 'POST',
    body: { name: 'platform', type: 'webhook', purpose: 'key_events', settings: { url: owner.url } },
  });
  expect(channel.status, channel.text).toBe(200);
  owner.use(channel.json.secret);
  const guard = keytallyGuard({ url: stack.url, token: await stack.token({ name: 'gateway', scopes: ['read'] }) });
  closing.push(() => guard.close());
  const gateway = express();
  gateway.use(guard);
  gateway.get('/', (_req, res) => void res.send('ok'));
  const gatewayUrl = await listen(gateway);
  const ask = async () => (await fetch(gatewayUrl, { headers: { 'x-api-key': SECRET } })).status;

  const madeAt = Date.now();
  const expiresAt = madeAt + LIVES_MS;
  const body = {
    name: 'Nightly export',
    sha256: createHash('sha256').update(SECRET).digest('hex'),
    expires_at: new Date(expiresAt).toISOString(),
    created_at: new Date(madeAt - 60 * 86_400_000).toISOString(),
  };
  expect((await stack.call('/v1/keys/nightly', { method: 'PUT', body })).status).toBe(200);
  await expect.poll(() => guard.stats().confirmedAt, SOON).not.toBeNull();
  expect(await ask()).toBe(200);

  const webhook = async (type: string) => {
    await expect.poll(() => owner.came.map((one) => one.type), SOON).toContain(type);
    return owner.came.find((one) => one.type === type)!;
  };
  const reminder = await webhook('key.expiring');
  expect(reminder.at).toBeLessThan(expiresAt);
  await expect.poll(ask, SOON).toBe(401);
  const refusedAt = Date.now();
  const deactivated = (await stack.call('/v1/keys/nightly')).json;
  expect(deactivated.status).toBe('expired');
  const told = await webhook('key.expired');
  expect(told.data).toMatchObject({ event: { key_id: 'nightly', status: 'expired' } });

  const seconds = (at: number) => `${((at - expiresAt) / 1000).toFixed(2).padStart(7)} s`;
  const timeline = [
    [madeAt, 'registered, expiring soon'],
    [reminder.at, 'platform told: key.expiring'],
    [Date.parse(deactivated.status_changed_at), 'deactivated: expired'],
    [refusedAt, 'gateway refuses it'],
    [told.at, 'platform told: key.expired'],
  ] as const;
  console.log(['seen from the expiry:', ...timeline.map(([at, what]) => `${seconds(at)}  ${what}`)].join('\n'));
  expect(owner.came.map((one) => one.type).sort(), 'each once').toEqual(['key.expired', 'key.expiring']);
});
