import type { AddressInfo, LookupFunction } from 'node:net';
import { createServer } from 'node:net';
import { generate } from 'selfsigned';
import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { OpenChannel } from '../../../../workers/alerts/channels/channel.ts';
import { newSigningSecret } from '../../../../workers/alerts/channels/settings.ts';
import { signedHeaders } from '../../../../workers/alerts/channels/standard-webhooks.ts';
import { MAX_BODY_BYTES } from '../../../../workers/alerts/channels/webhook.ts';
import { currentSecrets, rotatedSecrets } from '../../../../workers/alerts/delivery/channels.ts';
import { HOSTILE_TEXTS, hostileNotice } from './hostile-text.ts';
import { startHttpReceiver } from './http-receiver.ts';
import { everyMessage, NOW_MS, sampleChannel, sampleMessage, sampleNotice } from './sample-messages.ts';
import { testSender } from './senders.ts';

const SECRET = newSigningSecret();
const LOOPBACK = { WEBHOOK_ALLOW_PRIVATE: '127.0.0.1' };
const message = sampleMessage([sampleNotice('error_rate')]);

const webhookTo = (url: string, signing: readonly string[] = [SECRET]): OpenChannel =>
  sampleChannel({ type: 'webhook', settings: { url }, secrets: { signing } });

/** A name server with one answer after the other; the last one stays. */
function answers(...addresses: string[]): LookupFunction & { asked: number } {
  const lookup = ((_host: string, _options: object, callback: (error: null, found: object[]) => void) => {
    const address = addresses[Math.min(lookup.asked++, addresses.length - 1)]!;
    callback(null, [{ address, family: 4 }]);
  }) as unknown as LookupFunction & { asked: number };
  lookup.asked = 0;
  return lookup;
}

describe('Standard Webhooks', () => {
  test('the test vector of the specification', () => {
    const headers = signedHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_999, '{"test": 2432232314}', [
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    ]);
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test('what arrives is verified by the library of the specification', async () => {
    const receiver = await startHttpReceiver();
    const sender = testSender(LOOPBACK);
    expect(await sender.send(webhookTo(`http://127.0.0.1:${receiver.port}/hook`), message)).toEqual({
      result: 'sent',
      responseStatus: 204,
    });
    const [post] = receiver.posts;
    expect(post).toMatchObject({ method: 'POST', path: '/hook' });
    expect(post!.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': message.messageId });
    const body = new Webhook(SECRET).verify(post!.body, post!.headers as Record<string, string>);
    expect(body).toMatchObject({
      type: 'alert.opened',
      timestamp: new Date(NOW_MS).toISOString(),
      data: {
        summary: '31% of the requests of key Billing sync have failed since 14:05 UTC; usually it is 0.4%.',
        alerts: [
          {
            kind: 'error_rate',
            severity: 'critical',
            opened_at: '2026-11-21T14:15:00.000Z',
            since: '2026-11-21T14:05:00.000Z',
            key: { key_id: 'key_billing_sync', name: 'Billing sync', owner: { email: 'ada@acme.example' } },
            value: 0.3128,
            expected: 0.004,
            window_minutes: 10,
            baseline: 'the last 28 days',
            contributions: [{ dimension: 'endpoint', usual_share: 0.11 }, {}, {}],
            links: { key: 'https://keytally.example.com/keys/key_billing_sync' },
          },
        ],
        omitted_alerts: 0,
      },
    });
    // A body changed on the way, and a secret of somebody else, do not verify.
    expect(() =>
      new Webhook(SECRET).verify(post!.body.replace('31%', '1%'), post!.headers as Record<string, string>),
    ).toThrow();
    expect(() => new Webhook(newSigningSecret()).verify(post!.body, post!.headers as Record<string, string>)).toThrow();
  });

  test('while a secret is replaced, receivers with either verify; then only the newest does; after the next replacement the first is gone', async () => {
    const receiver = await startHttpReceiver();
    const sender = testSender(LOOPBACK);
    const [second, third] = [newSigningSecret(), newSigningSecret()];
    const untilMs = NOW_MS + 60_000;
    const rotated = rotatedSecrets({ signing: [SECRET] }, second, untilMs);
    const rotatedTwice = rotatedSecrets(rotated, third, untilMs);
    for (const [sealed, nowMs] of [
      [rotated, untilMs - 1],
      [rotated, untilMs],
      [rotatedTwice, untilMs - 1],
    ] as const) {
      const { signing } = currentSecrets(sealed, nowMs) as { signing: string[] };
      await sender.send(webhookTo(`http://127.0.0.1:${receiver.port}/`, signing), message);
    }
    const verifies = (secret: string) =>
      receiver.posts.map(({ body, headers }) => {
        try {
          return Boolean(new Webhook(secret).verify(body, headers as Record<string, string>));
        } catch {
          return false;
        }
      });
    expect(verifies(SECRET)).toEqual([true, false, false]);
    expect(verifies(second)).toEqual([true, true, true]);
    expect(verifies(third)).toEqual([false, false, true]);
  });

  test('every attempt has the same id and body, and a timestamp of its own', async () => {
    const receiver = await startHttpReceiver((response) => void response.writeHead(500).end());
    let nowMs = Date.now();
    const sender = testSender(LOOPBACK, { now: () => nowMs });
    const channel = webhookTo(`http://127.0.0.1:${receiver.port}/`);
    await sender.send(channel, message);
    nowMs += 60_000;
    expect(await sender.send(channel, message)).toMatchObject({ result: 'retry', responseStatus: 500 });
    const [one, two] = receiver.posts;
    expect(two!.body).toBe(one!.body);
    expect(two!.headers['webhook-id']).toBe(one!.headers['webhook-id']);
    expect(Number(two!.headers['webhook-timestamp']) - Number(one!.headers['webhook-timestamp'])).toBe(60);
    new Webhook(SECRET).verify(two!.body, two!.headers as Record<string, string>);
  });

  test('every message of every kind is under 20 kB, and says what was left out', async () => {
    const receiver = await startHttpReceiver();
    const sender = testSender(LOOPBACK);
    const channel = webhookTo(`http://127.0.0.1:${receiver.port}/`);
    const hostile = HOSTILE_TEXTS.slice(-6).map((text) =>
      sampleMessage([1, 2, 3, 4].map(() => hostileNotice('error_rate', text))),
    );
    for (const one of [...everyMessage().map(([, each]) => each), ...hostile]) {
      expect(await sender.send(channel, one)).toMatchObject({ result: 'sent' });
      const { body } = receiver.posts.at(-1)!;
      expect(Buffer.byteLength(body)).toBeLessThan(MAX_BODY_BYTES);
      const { type, data } = JSON.parse(body);
      expect(type).toMatch(/^[A-Za-z0-9_.]+$/);
      if (one.notices.length === 0) continue;
      expect(data.alerts.length + data.omitted_alerts).toBe(one.notices.length + one.omitted);
      if (data.alerts.length < one.notices.length) expect(data.trimmed).toContain('contributions');
    }
    const digest = receiver.posts.map(({ body }) => JSON.parse(body)).find(({ type }) => type === 'alert.digest');
    expect(digest.data.trimmed).toEqual(['contributions', 'chart', 'key_fields', 'links']);
    expect(digest.data.omitted_alerts).toBeGreaterThan(200);
  });
});

describe('receivers that must not be called', () => {
  test.each([
    'https://127.0.0.1/',
    'http://127.0.0.1/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::1]/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://0.0.0.0/',
    'https://169.254.169.254/latest/meta-data/',
    'https://localhost/',
  ])('%s', async (url) => {
    const receiver = await startHttpReceiver();
    const target = url.replace(/\/(?=$|latest)/, `:${receiver.port}/`);
    const outcome = await testSender({}).send(webhookTo(target), message);
    expect(outcome).toMatchObject({ result: 'failed', responseStatus: 0 });
    expect(outcome.detail).toMatch(/private or reserved address/);
    expect(receiver.connections).toBe(0);
  });

  test('a name that answers well once and badly the next time', async () => {
    const receiver = await startHttpReceiver();
    const lookup = answers('127.0.0.1', '127.0.0.2');
    const sender = testSender(LOOPBACK, { lookup });
    const channel = webhookTo(`http://rebind.example:${receiver.port}/`);
    expect(await sender.send(channel, message)).toMatchObject({ result: 'sent' });
    // One look-up serves the judgement and the connection: there is no second one to answer otherwise.
    expect(lookup.asked).toBe(1);
    expect(await sender.send(channel, message)).toMatchObject({ result: 'failed' });
    expect([lookup.asked, receiver.connections]).toEqual([2, 1]);
  });

  test('a redirect to the inside is not followed', async () => {
    const inside = await startHttpReceiver();
    const outside = await startHttpReceiver((response) => {
      response.writeHead(302, { Location: `http://127.0.0.1:${inside.port}/admin` }).end();
    });
    const outcome = await testSender(LOOPBACK).send(webhookTo(`http://127.0.0.1:${outside.port}/`), message);
    expect(outcome).toMatchObject({ result: 'failed', responseStatus: 302 });
    expect(outcome.detail).toMatch(/redirect/);
    expect([outside.connections, inside.connections]).toEqual([1, 0]);
  });

  test('http and odd ports for the world', async () => {
    const lookup = answers('8.8.8.8');
    const sender = testSender({}, { lookup });
    for (const url of ['http://hooks.example/', 'https://hooks.example:22/']) {
      expect(await sender.send(webhookTo(url), message)).toMatchObject({ result: 'failed', responseStatus: 0 });
    }
  });

  test('what other schemes and settings name', async () => {
    const sender = testSender(LOOPBACK);
    for (const url of [
      'file:///etc/passwd',
      'ftp://hooks.example/',
      'nonsense',
      'https://user:CANARY@hooks.example/',
    ]) {
      const outcome = await sender.send(webhookTo(url), message);
      expect(outcome).toMatchObject({ result: 'failed', responseStatus: 0 });
      expect(outcome.detail).toMatch(/settings\.url/);
      expect(outcome.detail).not.toContain('CANARY');
    }
    const noSecret = await sender.send(webhookTo('https://hooks.example/', []), message);
    expect(noSecret).toMatchObject({ result: 'failed', detail: expect.stringMatching(/secrets\.signing/) });
  });
});

describe('receivers in trouble', () => {
  test('410 disables, 429 names its pause, and no answer text reaches anybody', async () => {
    const statuses = [410, 429, 503];
    const receiver = await startHttpReceiver((response) => {
      response.writeHead(statuses.shift()!, { 'Retry-After': '30' }).end('CANARY <script>');
    });
    const sender = testSender(LOOPBACK);
    const channel = webhookTo(`http://127.0.0.1:${receiver.port}/`);
    const outcomes = [1, 2, 3].map(() => sender.send(channel, message));
    const settled = await Promise.all(outcomes);
    expect(settled.map(({ result }) => result)).toEqual(['disable', 'retry', 'retry']);
    expect(settled[1]).toMatchObject({ afterMs: 30_000 });
    expect(JSON.stringify([settled, sender.log])).not.toContain('CANARY');
  });

  test('nobody there', async () => {
    const receiver = await startHttpReceiver();
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    expect(receiver.port).not.toBe(port);
    const outcome = await testSender(LOOPBACK).send(webhookTo(`http://127.0.0.1:${port}/`), message);
    expect(outcome).toMatchObject({ result: 'retry', detail: expect.stringMatching(/nothing listens/) });
  });

  /** A server that writes `text` bit by bit, for as long as it is let. */
  async function startDripping(text: string): Promise<{ port: number; closed: Promise<void> }> {
    let done = () => {};
    const closed = new Promise<void>((resolve) => {
      done = resolve;
    });
    const server = createServer((socket) => {
      let at = 0;
      const timer = setInterval(() => socket.write(text[at++ % text.length]!), 20);
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(timer);
        done();
      });
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return { port: (server.address() as AddressInfo).port, closed };
  }

  test('one that drips its head is left when the time is over', async () => {
    const { port, closed } = await startDripping(`HTTP/1.1 200 OK\r\nX-Long: ${'a'.repeat(10_000)}`);
    const sender = testSender(LOOPBACK, { timeoutMs: 300 });
    const outcome = await sender.send(webhookTo(`http://127.0.0.1:${port}/`), message);
    expect(outcome).toEqual({ result: 'retry', responseStatus: 0, detail: 'the receiver did not answer in time' });
    await closed;
  });

  test('one that drips its body has answered, and is left soon', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n';
    const { port, closed } = await startDripping(head);
    expect(await testSender(LOOPBACK).send(webhookTo(`http://127.0.0.1:${port}/`), message)).toMatchObject({
      result: 'sent',
    });
    await closed;
  });

  test('one that answers without end is cut off', async () => {
    let written = 0;
    let cut = () => {};
    const closed = new Promise<void>((resolve) => {
      cut = resolve;
    });
    const receiver = await startHttpReceiver((response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) written += 65_536;
      };
      response.on('drain', more);
      response.on('close', cut);
      more();
    });
    expect(await testSender(LOOPBACK).send(webhookTo(`http://127.0.0.1:${receiver.port}/`), message)).toMatchObject({
      result: 'sent',
    });
    await closed;
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  test('one with an endless head', async () => {
    const receiver = await startHttpReceiver((response) => {
      response.writeHead(200, { 'X-Long': 'a'.repeat(40_000) }).end();
    });
    const outcome = await testSender(LOOPBACK).send(webhookTo(`http://127.0.0.1:${receiver.port}/`), message);
    expect(outcome).toMatchObject({ result: 'retry', detail: expect.stringMatching(/head of its answer/) });
  });

  test('one that closes at once, and one that speaks no HTTP', async () => {
    const server = createServer((socket) => void socket.end('220 mail.example ESMTP\r\n'));
    const silent = createServer((socket) => void socket.destroy());
    for (const one of [server, silent]) {
      await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void one.close());
      const { port } = one.address() as AddressInfo;
      const outcome = await testSender(LOOPBACK).send(webhookTo(`http://127.0.0.1:${port}/`), message);
      expect(outcome).toMatchObject({ result: 'retry', responseStatus: 0 });
    }
  });
});

describe('TLS', () => {
  let tls: { key: string; cert: string };
  beforeAll(async () => {
    const made = await generate([{ name: 'commonName', value: 'hooks.example' }], {
      algorithm: 'sha256',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'hooks.example' }] }],
    });
    tls = { key: made.private, cert: made.cert };
  });

  test('a certificate of a known authority is accepted, of an unknown one not', async () => {
    const receiver = await startHttpReceiver(undefined, tls);
    const lookup = answers('127.0.0.1');
    const channel = webhookTo(`https://hooks.example:${receiver.port}/`);
    expect(await testSender(LOOPBACK, { lookup, ca: tls.cert }).send(channel, message)).toMatchObject({
      result: 'sent',
    });
    const outcome = await testSender(LOOPBACK, { lookup }).send(channel, message);
    expect(outcome).toMatchObject({ result: 'retry', detail: expect.stringMatching(/certificate/) });
    expect(receiver.posts.length).toBe(1);
  });

  test('a certificate of another name is not accepted', async () => {
    const receiver = await startHttpReceiver(undefined, tls);
    const sender = testSender(LOOPBACK, { lookup: answers('127.0.0.1'), ca: tls.cert });
    const outcome = await sender.send(webhookTo(`https://other.example:${receiver.port}/`), message);
    expect(outcome).toMatchObject({ result: 'retry', detail: expect.stringMatching(/another name/) });
  });

  test('a receiver that speaks plain HTTP there', async () => {
    const receiver = await startHttpReceiver();
    const outcome = await testSender(LOOPBACK).send(webhookTo(`https://127.0.0.1:${receiver.port}/`), message);
    expect(outcome).toMatchObject({ result: 'retry', responseStatus: 0 });
  });
});
