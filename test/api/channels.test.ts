import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis } from '../../ingest/redis.ts';
import { createLinkToken, type LinkAction } from '../../workers/alerts/links.ts';
import { handOver, openDeliveryQueue } from '../../workers/alerts/outbox.ts';
import { loadSecretKeys } from '../../workers/alerts/secret-key.ts';
import { alertEvent, writeAlertEvents } from '../support/alert-events.ts';
import { DeliveryReceiver } from '../support/delivery-receiver.ts';
import { type Stack, startStack } from '../support/stack.ts';

/** Channels through the API, sent by the real sender to a real receiver on an address that was allowed. */
let stack: Stack;
let receiver: DeliveryReceiver;

beforeAll(async () => {
  receiver = await DeliveryReceiver.start();
  stack = await startStack({ WEBHOOK_ALLOW_PRIVATE: '127.0.0.1', DELIVERY_GROUP_WAIT_SECONDS: '0' });
});
afterAll(async () => {
  await stack.stop();
  await receiver.close();
});

const post = (path: string, body: object = {}) => stack.call(path, { method: 'POST', body });
const webhook = (path: string, fields: object = {}) =>
  post('/v1/channels', { name: path, type: 'webhook', settings: { url: receiver.url + path }, ...fields });

async function tell(...events: ReturnType<typeof alertEvent>[]): Promise<void> {
  const connection = await connectRedis(stack.redisUrl, 'producer', () => {});
  const queue = openDeliveryQueue(connection);
  await writeAlertEvents(stack.store, events);
  await handOver(queue, events);
  await queue.close();
  connection.disconnect();
}

const audit = async (subject: string) =>
  (
    await stack.store.query<{ action: string }>(
      'SELECT action FROM audit WHERE subject = {subject:String} ORDER BY at',
      {
        subject,
      },
    )
  ).map((row) => row.action);

describe('a webhook', () => {
  test('shows its secret once; messages carry a signature that the library of the standard accepts', async () => {
    const { json: made } = await webhook('/signed?token=hidden');
    expect(made.secret).toMatch(/^whsec_/);
    const shown = await stack.call(`/v1/channels/${made.channel_id}`);
    expect(shown.text).not.toContain(made.secret);
    expect(shown.json.settings).toEqual({ url_host: new URL(receiver.url).host, secrets: { signing: '1 configured' } });
    const { json: outcome } = await post(`/v1/channels/${made.channel_id}/test`);
    expect(outcome).toMatchObject({ result: 'sent', response_status: 200 });
    const [message] = receiver.accepted('/signed?token=hidden');
    const verified = new Webhook(made.secret).verify(message!.text, message!.headers as Record<string, string>);
    expect(verified).toMatchObject({ type: 'channel.test' });
    const stored = await stack.store.query<{ secrets: string }>('SELECT secrets FROM channels FINAL');
    expect(JSON.stringify(stored)).not.toContain(made.secret.slice(6));
  });

  test('after a rotation both secrets hold, and settings that are left out stay', async () => {
    const { json: made } = await webhook('/rotated');
    const path = `/v1/channels/${made.channel_id}`;
    const { json: rotated } = await post(`${path}/rotate-secret`);
    expect(Date.parse(rotated.previous_until) - Date.now()).toBeGreaterThan(23 * 3_600_000);
    const changed = await stack.call(path, { method: 'PUT', body: { name: 'renamed', type: 'webhook' } });
    expect(changed.json).toMatchObject({ name: 'renamed', settings: { secrets: { signing: '2 configured' } } });
    await post(`${path}/test`);
    const [message] = receiver.accepted('/rotated');
    for (const secret of [made.secret, rotated.secret]) {
      expect(() => new Webhook(secret).verify(message!.text, message!.headers as Record<string, string>)).not.toThrow();
    }
    expect(await audit(made.channel_id)).toEqual(['channel.created', 'channel.secret_rotated', 'channel.updated']);
  });

  test('it stays with its organization unless a token of the platform says otherwise', async () => {
    const { json: made } = await webhook('/moved', { organization_id: 'movers' });
    const path = `/v1/channels/${made.channel_id}`;
    const put = async (fields: object) =>
      (await stack.call(path, { method: 'PUT', body: { name: 'moved', type: 'webhook', ...fields } })).json;
    expect(await put({})).toMatchObject({ organization_id: 'movers' });
    expect(await put({ organization_id: '' })).toMatchObject({ organization_id: '' });
    expect(await put({ organization_id: 'movers' })).toMatchObject({ organization_id: 'movers' });
    const own = await stack.token({ name: 'movers', scopes: ['manage'], organization_id: 'movers' });
    const body = { name: 'kept', type: 'webhook' };
    const kept = await stack.call(path, { method: 'PUT', token: own, body });
    expect(kept.json).toMatchObject({ name: 'kept', organization_id: 'movers' });
    const elsewhere = await stack.call(path, { method: 'PUT', token: own, body: { ...body, organization_id: 'x' } });
    expect(elsewhere.status).toBe(403);
    await stack.call(path, { method: 'DELETE' });
  });

  test('what a receiver answers is not shown', async () => {
    receiver.answer('/rude', (_message, res) => res.writeHead(500).end('INTERNAL SECRET'));
    const { json: made } = await webhook('/rude');
    const { text, json } = await post(`/v1/channels/${made.channel_id}/test`);
    expect(json).toMatchObject({ result: 'retry', response_status: 500 });
    expect(text).not.toContain('INTERNAL');
  });
});

test.each([
  [{ type: 'webhook', settings: {} }, 'settings.url'],
  [{ type: 'webhook', settings: { url: 'ftp://a' } }, 'settings.url'],
  [{ type: 'webhook', settings: { url: 'https://a.example' }, secrets: { signing: ['x'] } }, 'secrets.signing'],
  [{ type: 'slack' }, 'secrets.url'],
  [{ type: 'slack', purpose: 'key_events', secrets: { url: 'https://a.example' } }, 'purpose'],
  [{ type: 'email', settings: { to: ['no address'] } }, 'settings.to.0'],
  [{ type: 'email', routing: { timezone: 'Mars' } }, 'routing.timezone'],
  [{ type: 'email', routing: { quiet_hours: { from: '25:00', to: '07:00' } } }, 'routing.quiet_hours.from'],
  [{ type: 'email', routing: { kinds: ['nothing'] } }, 'routing.kinds.0'],
])('a channel that cannot be used is refused by field: %j', async (fields, field) => {
  const { status, json } = await post('/v1/channels', { name: 'bad', ...fields });
  expect([status, json.errors?.[0]?.field]).toEqual([400, field]);
});

test('an address inside the network is refused when it was not allowed', async () => {
  const { json: made } = await post('/v1/channels', {
    name: 'in',
    type: 'webhook',
    settings: { url: 'https://127.0.0.2/' },
  });
  const { json } = await post(`/v1/channels/${made.channel_id}/test`);
  expect(json).toMatchObject({ result: 'failed', response_status: 0 });
  await stack.call(`/v1/channels/${made.channel_id}`, { method: 'DELETE' });
  expect((await stack.call(`/v1/channels/${made.channel_id}`)).status).toBe(404);
});

test('mail without a mail server: failed as not configured, shown with the channel, and logged once', async () => {
  const { json: made } = await post('/v1/channels', {
    name: 'mail',
    type: 'email',
    organization_id: 'mailers',
    settings: { to: ['ops@example.com'] },
  });
  await tell(
    alertEvent({ organization: 'mailers', kind: 'key_leaked', key: 'm1' }),
    alertEvent({ organization: 'mailers', kind: 'key_expired', key: 'm2' }),
  );
  const listed = async () =>
    (await stack.call(`/v1/deliveries?channel_id=${made.channel_id}`)).json.data.map(
      (row: { status: string; reason: string }) => `${row.status}: ${row.reason}`,
    );
  const reason = 'failed: not configured: SMTP_URL is not set: no mail can be sent';
  await expect.poll(listed).toEqual([reason, reason]);
  const { json } = await stack.call(`/v1/channels/${made.channel_id}`);
  expect(json).toMatchObject({ enabled: true, problem: reason.slice('failed: '.length) });
});

test('deliveries are listed page by page, and replayed under their old ids', async () => {
  let up = false;
  receiver.answer('/replayed', (_message, res) => res.writeHead(up ? 200 : 302).end());
  const { json: made } = await webhook('/replayed', { organization_id: 'replay' });
  const since = new Date(Date.now() - 1_000).toISOString();
  await tell(
    alertEvent({ organization: 'replay', kind: 'key_leaked', key: 'r1' }),
    alertEvent({ organization: 'replay', kind: 'key_expired', key: 'r2' }),
  );
  const list = async (query = '') => (await stack.call(`/v1/deliveries?channel_id=${made.channel_id}${query}`)).json;
  const statuses = async () => (await list()).data.map((row: { status: string }) => row.status);
  await expect.poll(statuses).toEqual(['failed', 'failed']);
  const first = await list('&limit=1');
  const second = await list(`&limit=1&cursor=${first.next_cursor}`);
  expect(new Set([first.data[0].key_id, second.data[0].key_id])).toEqual(new Set(['r1', 'r2']));
  expect(second.next_cursor).toBeNull();
  up = true;
  const { json: replayed } = await post(`/v1/deliveries/${first.data[0].delivery_id}/replay`);
  expect(replayed).toEqual({ messages: 1, deliveries: 1 });
  expect((await post('/v1/deliveries/replay', { since, channel_id: made.channel_id })).json.messages).toBeGreaterThan(
    0,
  );
  await expect.poll(statuses).toEqual(['sent', 'sent']);
  const ids = receiver.requests.filter(({ path }) => path === '/replayed').map(({ id }) => id);
  expect(new Set(ids).size).toBe(2);
  expect(receiver.accepted('/replayed').length).toBe(2);
  const dropped = await stack.call('/v1/deliveries/nothing/replay', { method: 'POST' });
  expect(dropped.status).toBe(404);
});

describe('links in messages', () => {
  const linkTo = (action: LinkAction, days = 1) =>
    `/v1/actions/${createLinkToken(loadSecretKeys(stack.config), action, Date.now() + days * 86_400_000)}`;
  const open = (path: string, method = 'GET') =>
    stack.call(path, { method, token: '', ...(method === 'POST' && { body: 'List-Unsubscribe=One-Click' }) });

  test('muting: looking changes nothing, pressing twice makes one silence', async () => {
    const by = 'email:ops@example.com';
    const path = linkTo({ purpose: 'mute', kind: 'latency', key_id: '<b>k', organization_id: 'acme', days: 7, by });
    const page = await open(path);
    expect(page.status).toBe(200);
    expect(page.text).toContain('&lt;b&gt;k');
    expect(page.text).not.toMatch(/<b>|<script/);
    expect((await stack.call('/v1/silences')).json.data).toEqual([]);
    await open(path, 'POST');
    expect((await open(path, 'POST')).text).toContain('Muted until');
    const { json } = await stack.call('/v1/silences');
    expect(json.data).toMatchObject([
      { matchers: { kinds: ['latency'], key_ids: ['<b>k'] }, organization_id: 'acme', created_by: by, active: true },
    ]);
    expect(await audit(json.data[0].silence_id)).toEqual(['silence.created']);
    await stack.call(`/v1/silences/${json.data[0].silence_id}`, { method: 'DELETE' });
    expect((await stack.call('/v1/silences')).json.data).toEqual([]);
    expect((await stack.call('/v1/silences?state=all')).json.data.length).toBe(1);
  });

  test('unsubscribing by one POST, as RFC 8058 has it', async () => {
    const { json: made } = await post('/v1/channels', {
      name: 'letters',
      type: 'email',
      settings: { to: ['Ada@example.com', 'ben@example.com'] },
    });
    const path = linkTo({ purpose: 'unsubscribe', channel_id: made.channel_id, email: 'Ada@example.com' });
    await open(path);
    const settings = async () => (await stack.call(`/v1/channels/${made.channel_id}`)).json.settings;
    expect((await settings()).unsubscribed).toEqual([]);
    expect((await open(path, 'POST')).status).toBe(200);
    await open(path, 'POST');
    expect(await settings()).toMatchObject({ unsubscribed: ['ada@example.com'] });
    expect(await audit(made.channel_id)).toEqual(['channel.created', 'channel.unsubscribed']);
  });

  test('the list of those who left is bounded where it is written, and says so', async () => {
    const left = (count: number) => Array.from({ length: count }, (_, i) => `left${i}@example.com`);
    const letters = (unsubscribed: string[]) => ({ name: 'crowd', type: 'email', settings: { unsubscribed } });
    const { json: made } = await post('/v1/channels', letters(left(1_000)));
    const put = (body: object) => stack.call(`/v1/channels/${made.channel_id}`, { method: 'PUT', body });
    const link = (email: string) => linkTo({ purpose: 'unsubscribe', channel_id: made.channel_id, email });
    expect((await open(link('ada@example.com'), 'POST')).status).toBe(200);
    expect((await put({ name: 'crowd again', type: 'email' })).json.settings.unsubscribed.length).toBe(1_001);
    const tooLong = await put(letters(left(20_001)));
    expect([tooLong.status, tooLong.json.errors]).toEqual([
      400,
      [{ field: 'settings.unsubscribed', message: 'holds at most 20000 addresses' }],
    ]);
    expect((await put(letters(left(20_000)))).status).toBe(200);
    const full = await open(link('ben@example.com'), 'POST');
    expect([full.status, full.text]).toEqual([409, expect.stringContaining('cannot note more')]);
    expect((await open(link('left7@example.com'), 'POST')).status).toBe(200);
  });

  test('acknowledging an open alert; one that is over says so', async () => {
    const opened = alertEvent({ key: 'seen' });
    await writeAlertEvents(stack.store, [{ ...opened, notify: '' }]);
    const link = (alert_id: string) => linkTo({ purpose: 'acknowledge', alert_id, by: 'channel:c' });
    expect((await open(link(opened.alert_id))).text).toContain('Acknowledge this alert');
    expect((await open(link(opened.alert_id), 'POST')).text).toContain('Acknowledged.');
    const rows = await stack.store.query<{ actor: string }>(
      "SELECT actor FROM alert_events WHERE transition = 'acknowledged'",
    );
    expect(rows).toEqual([{ actor: 'channel:c' }]);
    expect((await open(link('nothing'), 'POST')).text).toContain('nothing to acknowledge');
  });

  test('expired, cut or forged links do nothing', async () => {
    const action: LinkAction = { purpose: 'unsubscribe', channel_id: 'c', email: 'a@example.com' };
    expect((await open(linkTo(action, -1), 'POST')).status).toBe(410);
    expect((await open(linkTo(action).slice(0, -4), 'POST')).status).toBe(404);
    expect((await open('/v1/actions/nothing')).status).toBe(404);
  });
});
