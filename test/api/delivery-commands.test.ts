import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../ingest/package-root.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { handOver, openDeliveryQueue } from '../../workers/alerts/outbox.ts';
import { alertEvent, writeAlertEvents } from '../support/alert-events.ts';
import { DeliveryReceiver } from '../support/delivery-receiver.ts';
import { ADMIN_TOKEN, type Stack, startStack } from '../support/stack.ts';

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

/** Runs `keytally` as a process of its own against the stack. */
async function run(args: string[], stdin = '') {
  const child = spawn(process.execPath, ['dist/main.js', ...args, '--url', stack.url], {
    cwd: packageRoot(),
    env: { PATH: process.env.PATH, KEYTALLY_TOKEN: ADMIN_TOKEN },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk));
  child.stdin.on('error', () => undefined).end(stdin);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

test('channels: made, tested, rotated, listed, removed', async () => {
  expect((await run(['channels', 'list'])).out).toMatch(/there are no channels/);
  const flags = [
    '--name',
    'Team',
    '--webhook-url',
    `${receiver.url}/team`,
    '--quiet',
    '22:00-07:00',
    '--kinds',
    'latency,platform',
  ];
  const made = await run(['channels', 'add', 'webhook', ...flags]);
  expect(made.out).toMatch(/^secret +whsec_\S+$/m);
  const id = /^channel +(\S+)$/m.exec(made.out)![1]!;
  const { json } = await stack.call(`/v1/channels/${id}`);
  expect(json.routing).toEqual({ kinds: ['latency', 'platform'], quiet_hours: { from: '22:00', to: '07:00' } });
  expect(await run(['channels', 'test', id])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^sent, answered 200/),
  });
  expect((await run(['channels', 'rotate-secret', id])).out).toMatch(/whsec_.*\n.*holds until/);
  receiver.answer('/team', (_message, res) => res.writeHead(500).end());
  expect(await run(['channels', 'test', id])).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^not sent: .*answered 500/),
  });
  expect((await run(['channels', 'list'])).out).toMatch(new RegExp(`${id} +Team +webhook +on`));
  expect((await run(['channels', 'remove', id])).out).toBe('removed\n');
  expect((await run(['channels', 'remove', id])).err).toMatch(/no such channel/);
});

test('the address of a chat comes from standard input and is shown nowhere', async () => {
  const made = await run(
    ['channels', 'add', 'slack', '--name', 'Chat', '--secret', '-'],
    'https://hooks.example/T0/secret\n',
  );
  const id = /^channel +(\S+)$/m.exec(made.out)![1]!;
  expect(made.out + (await run(['channels', 'list', '--json'])).out).not.toContain('/T0/');
  expect((await run(['channels', 'add', 'slack', '--name', 'Chat'])).err).toMatch(/secrets\.url/);
  await run(['channels', 'remove', id]);
});

test('silences: made for two hours, listed, ended', async () => {
  const made = await run([
    'silences',
    'add',
    '--until',
    '2h',
    '--reason',
    'upgrade',
    '--kinds',
    'latency',
    '--keys',
    'a,b',
  ]);
  const id = /^silence +(\S+)$/m.exec(made.out)![1]!;
  expect((await run(['silences', 'list'])).out).toMatch(new RegExp(`${id}.*latency; keys a, b +upgrade`));
  expect((await run(['silences', 'end', id])).out).toBe('ended\n');
  expect((await run(['silences', 'list'])).out).toBe('nothing is silenced\n');
  expect((await run(['silences', 'list', '--all'])).out).toContain(id);
  expect((await run(['silences', 'add', '--until', 'soon', '--reason', 'x'])).err).toMatch(/--until: "soon"/);
});

test('deliveries: listed and sent again', async () => {
  receiver.answer('/again', (_message, res) => res.writeHead(302).end());
  const { json: channel } = await stack.call('/v1/channels', {
    method: 'POST',
    body: { name: 'again', type: 'webhook', settings: { url: `${receiver.url}/again` } },
  });
  const connection = await connectRedis(stack.redisUrl, 'producer', () => {});
  const queue = openDeliveryQueue(connection);
  const event = alertEvent({ kind: 'key_leaked', key: 'leaked' });
  await writeAlertEvents(stack.store, [event]);
  await handOver(queue, [event]);
  const list = async () => (await run(['deliveries', 'list', '--channel', channel.channel_id])).out;
  await expect.poll(list).toMatch(/key_leaked +opened +leaked .* failed +1 +the receiver answered 302/);
  receiver.answer('/again', (_message, res) => res.end());
  const since = new Date(Date.now() - 60_000).toISOString();
  expect((await run(['deliveries', 'replay', '--failed-since', since])).out).toBe(
    'messages that are sent again: 1, with alerts in them: 1\n',
  );
  await expect.poll(list).toMatch(/leaked .* sent +1/);
  expect((await run(['deliveries', 'replay'])).err).toMatch(/give the id of one delivery/);
  await queue.close();
  connection.disconnect();
});
