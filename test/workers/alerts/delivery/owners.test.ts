import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../../../ingest/logger.ts';
import type { AlertEvent } from '../../../../workers/alerts/alert.ts';
import { createSender } from '../../../../workers/alerts/channels/send.ts';
import type { Channel } from '../../../../workers/alerts/delivery/channels.ts';
import { sendDigests } from '../../../../workers/alerts/delivery/digest.ts';
import { replay } from '../../../../workers/alerts/delivery/replay.ts';
import { Registry } from '../../../../workers/keys/registry.ts';
import { alertEvent } from '../../../support/alert-events.ts';
import { type DeliveryStack, startDeliveryStack } from '../../../support/delivery-stack.ts';
import { testConfig } from '../../../support/stack.ts';
import { type MailReceiver, startMailReceiver } from '../channels/mail-receiver.ts';
import { SAMPLE_KEYS } from '../channels/sample-messages.ts';

/** Mail to the owners of keys, through the real sender to a real mail server. */
let stack: DeliveryStack;
let mails: MailReceiver;
let registry: Registry;
beforeAll(async () => {
  mails = await startMailReceiver();
  const config = testConfig({ SMTP_URL: mails.url, MAIL_FROM: 'alerts@keytally.example.com' });
  const sender = createSender(config, createLogger(config, 'test'), SAMPLE_KEYS);
  stack = await startDeliveryStack({ retryTableMs: [0, 300, 300, 300, 300, 300, 300, 300], random: () => 0 }, sender);
  registry = new Registry(stack.store, stack.redis);
});
afterAll(async () => {
  await stack.close();
  await mails.close();
});
afterEach(() => {
  mails.mails.length = 0;
  mails.refuse.clear();
});

const channelOf = (organization_id: string, to: string[] = []): Promise<Channel> =>
  stack.channel('/none', { organization_id, type: 'email', routing: { to_owner: true }, settings: { to } });

/** Gives a key to somebody. */
const own = (organization_id: string, name: string, owner_email: string) =>
  registry.update(`${organization_id}-${name}`, () => ({
    actor: 'test',
    reason: '',
    action: 'key.updated',
    fields: { organization_id, name, owner_email },
  }));

const alertOf = (organization: string, name: string, scope = ''): AlertEvent =>
  alertEvent({ organization, key: `${organization}-${name}`, scope, kind: 'latency' });

const rowsOf = async (channel: Channel) =>
  (await stack.deliveries()).filter((row) => row.channel_id === channel.channel_id);
const statuses = async (channel: Channel) =>
  (await rowsOf(channel)).map(({ key_id, status, reason }) => `${key_id.split('-')[1]} ${status} ${reason}`.trim());
const until = <Value>(read: () => Promise<Value> | Value, expected: Value) => expect.poll(read).toEqual(expected);

/** Who was written, and which of these keys the mail named. */
const readers = (...names: string[]) =>
  mails.mails.map(({ to, mail }) => [...to, ...names.filter((name) => mail.text!.includes(name))]).toSorted();

/** Alerts about other channels that gave something up. */
const givenUp = async (organization: string) =>
  stack.store.query("SELECT event_id FROM alert_events WHERE kind = 'platform' AND organization_id = {o:String}", {
    o: organization,
  });

describe('the digest of a channel without recipients of its own', () => {
  test('is one for each owner, of their keys only; what has no owner is dropped, and no failure', async () => {
    const channel = await channelOf('digests');
    for (const name of ['ALPHA', 'BETA', 'GAMMA']) await own('digests', name, `${name.toLowerCase()}@acme.example`);
    const scopes = ['1', '2', '3', '4', '5'];
    const names = ['ALPHA', 'BETA', 'GAMMA'];
    await stack.tell(names.flatMap((name) => scopes.map((scope) => alertOf('digests', name, scope))));
    const waiting = async () => (await rowsOf(channel)).filter(({ status }) => status === 'digest').length;
    await until(waiting, 6);
    await until(async () => (await rowsOf(channel)).filter(({ status }) => status === 'sent').length, 9);
    mails.mails.length = 0;
    await own('digests', 'GAMMA', '');
    const tomorrow = Date.now() + 86_400_000;
    await Promise.all([sendDigests(stack.parts, tomorrow), sendDigests(stack.parts, tomorrow)]);
    await sendDigests(stack.parts, tomorrow + 60_000);
    const lost = ['GAMMA dropped nobody is left to write to', 'GAMMA dropped nobody is left to write to'];
    const over = async () => (await statuses(channel)).filter((one) => !one.endsWith('sent')).toSorted();
    await until(over, lost);
    await until(
      () => readers(...names),
      [
        ['alpha@acme.example', 'ALPHA'],
        ['beta@acme.example', 'BETA'],
      ],
    );
    expect(mails.mails.map(({ mail }) => mail.subject)).toEqual(['Digest: 2 alerts', 'Digest: 2 alerts']);
    expect(await givenUp('digests')).toEqual([]);
  });

  test('one with recipients of its own sends them all of it', async () => {
    const channel = await channelOf('whole', ['ops@acme.example']);
    await own('whole', 'ALPHA', 'alpha@acme.example');
    await stack.tell(['1', '2', '3', '4', '5'].map((scope) => alertOf('whole', 'ALPHA', scope)));
    await until(
      async () => (await statuses(channel)).toSorted().map((one) => one.split(' ')[1]),
      [...['digest', 'digest'], ...['sent', 'sent', 'sent']],
    );
    mails.mails.length = 0;
    await sendDigests(stack.parts, Date.now() + 86_400_000);
    await until(() => readers('ALPHA'), [['ops@acme.example', 'ALPHA']]);
  });
});

describe('a key that changes its owner', () => {
  test('while a mail is tried: each owner reads of their own keys only', async () => {
    const channel = await channelOf('moved');
    for (const name of ['ALPHA', 'BETA']) await own('moved', name, 'old@acme.example');
    mails.refuse.set('old@acme.example', [450, 'not now']);
    await stack.tell([alertOf('moved', 'ALPHA'), alertOf('moved', 'BETA')]);
    await until(async () => (await rowsOf(channel)).map(({ status }) => status), ['retrying', 'retrying']);
    expect(new Set((await rowsOf(channel)).map((row) => row.message_id)).size).toBe(1);
    await own('moved', 'BETA', 'new@acme.example');
    mails.refuse.clear();
    await until(async () => (await rowsOf(channel)).map(({ status }) => status), ['sent', 'sent']);
    expect(readers('ALPHA', 'BETA')).toEqual([
      ['new@acme.example', 'BETA'],
      ['old@acme.example', 'ALPHA'],
    ]);
  });

  test('before a replay: its former owner reads nothing of it', async () => {
    const channel = await channelOf('replayed');
    for (const name of ['ALPHA', 'BETA']) await own('replayed', name, 'old@acme.example');
    await stack.tell([alertOf('replayed', 'ALPHA'), alertOf('replayed', 'BETA')]);
    await until(() => readers('ALPHA', 'BETA'), [['old@acme.example', 'ALPHA', 'BETA']]);
    await until(async () => (await rowsOf(channel)).map(({ status }) => status), ['sent', 'sent']);
    await own('replayed', 'ALPHA', 'new@acme.example');
    await own('replayed', 'BETA', '');
    mails.mails.length = 0;
    await replay(stack.parts, await rowsOf(channel));
    await until(
      async () => (await statuses(channel)).toSorted(),
      ['ALPHA sent', 'BETA dropped nobody is left to write to'],
    );
    expect(readers('ALPHA', 'BETA')).toEqual([['new@acme.example', 'ALPHA']]);
    expect(await givenUp('replayed')).toEqual([]);
  });
});
