import { generateKeyPairSync, verify as verifySignature } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../../../ingest/config.ts';
import { ConfigError } from '../../../../ingest/config-error.ts';
import type { AlertNotice, DeliveryProgress } from '../../../../workers/alerts/channels/channel.ts';
import { openMailer } from '../../../../workers/alerts/channels/email.ts';
import { MAX_SUBJECT_LENGTH } from '../../../../workers/alerts/channels/message/compose.ts';
import { verifyLinkToken } from '../../../../workers/alerts/links.ts';
import { testFolder } from '../../../support/temp-folder.ts';
import { HOSTILE_TEXTS, hostileNotice } from './hostile-text.ts';
import { headerOf, type MailReceiver, startMailReceiver } from './mail-receiver.ts';
import {
  everyMessage,
  NOW_MS,
  resolvedEvent,
  SAMPLE_KEYS,
  sampleChannel,
  sampleMessage,
  sampleNotice,
} from './sample-messages.ts';
import { testSender } from './senders.ts';

const FROM = 'Keytally <alerts@keytally.example.com>';
const message = sampleMessage([sampleNotice('error_rate')]);
const mailTo = (...to: string[]) => sampleChannel({ type: 'email', settings: { to } });

let receiver: MailReceiver;
beforeEach(async () => {
  receiver = await startMailReceiver();
});
afterEach(() => receiver.close());

const sender = (env: Record<string, string> = {}) => testSender({ SMTP_URL: receiver.url, MAIL_FROM: FROM, ...env });

function keeping(): DeliveryProgress & { delivered: Set<string> } {
  const delivered = new Set<string>();
  return { delivered, onDelivered: (part) => void delivered.add(part) };
}

describe('a mail', () => {
  test('has plain text, HTML and a chart inside, and loads nothing', async () => {
    expect(await sender().send(mailTo('ops@acme.example'), message)).toEqual({ result: 'sent', responseStatus: 250 });
    const [received] = receiver.mails;
    const { mail } = received!;
    expect(received).toMatchObject({ from: 'alerts@keytally.example.com', to: ['ops@acme.example'] });
    expect(mail.subject).toBe('Billing sync: requests are failing');
    expect(mail.text).toContain(
      '31% of the requests of key Billing sync have failed since 14:05 UTC; usually it is 0.4%.',
    );
    expect(mail.text).toMatch(/[▁▂▃▄▅▆▇█]{20,}/);
    expect(mail.text).toContain('POST /v1/invoices/{id}/payments (usually 11%)');
    expect(mail.attachments.map(({ mimeType, disposition, related }) => [mimeType, disposition, related])).toEqual([
      ['image/png', 'inline', true],
    ]);
    expect(mail.html).toContain(`cid:${mail.attachments[0]!.contentId!.slice(1, -1)}`);
    // Nothing but links of our own leads out; pictures come from inside.
    const sources = [...mail.html!.matchAll(/(?:src|background)="([^"]*)"/g)].map(([, source]) => source);
    expect(sources.every((source) => source!.startsWith('cid:'))).toBe(true);
    expect(mail.html).not.toMatch(/url\(|@import|<link|<script/);
    expect(Buffer.byteLength(received!.raw)).toBeLessThan(102_400);
  });

  test('of one opening share a root that was never sent, and have ids of their own', async () => {
    const resolved = sampleMessage([sampleNotice('error_rate', resolvedEvent)], {
      messageId: 'msg_other',
      reason: 'resolved',
      threadId: message.threadId,
    });
    const here = sender();
    await here.send(mailTo('ops@acme.example', 'boss@acme.example'), message);
    await here.send(mailTo('ops@acme.example'), resolved);
    const ids = receiver.mails.map((mail) => headerOf(mail, 'message-id'));
    expect(new Set(ids).size).toBe(3);
    for (const mail of receiver.mails) {
      const root = `<thread.${message.threadId}@keytally.example.com>`;
      expect([headerOf(mail, 'references'), headerOf(mail, 'in-reply-to')]).toEqual([root, root]);
      expect(ids).not.toContain(root);
    }
    expect(receiver.mails[2]!.mail.subject).toBe('Resolved: Billing sync: requests are failing');
    // A repeat of the same message has the same id, so that the receiver's side can tell.
    await here.send(mailTo('ops@acme.example'), message);
    expect(headerOf(receiver.mails[3]!, 'message-id')).toBe(ids[0]);
  });

  test('says that a machine wrote it, and can be left by one POST that only its reader holds', async () => {
    await sender().send(mailTo('ops@acme.example', 'boss@acme.example'), message);
    const urls = receiver.mails.map((mail) => {
      expect(headerOf(mail, 'auto-submitted')).toBe('auto-generated');
      expect(headerOf(mail, 'list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
      return /^<(https:\/\/keytally\.example\.com\/v1\/actions\/([\w.-]+))>$/.exec(
        headerOf(mail, 'list-unsubscribe')!,
      )!;
    });
    const actions = urls.map(([, , token]) => verifyLinkToken(SAMPLE_KEYS, token!, NOW_MS));
    expect(actions).toMatchObject([
      { valid: true, action: { purpose: 'unsubscribe', channel_id: 'ch_ops', email: 'ops@acme.example' } },
      { valid: true, action: { purpose: 'unsubscribe', channel_id: 'ch_ops', email: 'boss@acme.example' } },
    ]);
    expect(receiver.mails[0]!.mail.html).not.toContain('boss@acme.example');
    expect(receiver.mails[0]!.raw.toString()).not.toContain(urls[1]![2]!);
  });

  test('links to acknowledge and to mute name who followed them', async () => {
    await sender().send(mailTo('ops@acme.example'), message);
    const tokens = [...receiver.mails[0]!.mail.text!.matchAll(/\/v1\/actions\/([\w.-]+)/g)].map(([, token]) => token!);
    const actions = tokens.map((token) => {
      const verdict = verifyLinkToken(SAMPLE_KEYS, token, NOW_MS);
      return verdict.valid ? verdict.action : verdict;
    });
    const by = 'email:ops@acme.example';
    expect(actions).toEqual([
      { purpose: 'acknowledge', alert_id: message.notices[0]!.event.alert_id, by },
      ...[1, 7, 30].map((days) => ({
        purpose: 'mute',
        kind: 'error_rate',
        key_id: 'key_billing_sync',
        organization_id: 'acme',
        days,
        by,
      })),
      { purpose: 'unsubscribe', channel_id: 'ch_ops', email: 'ops@acme.example' },
    ]);
  });

  test('is dated when it is sent, also when it was held back for hours', async () => {
    const sentAt = '2026-11-22T06:00:00.000Z';
    const env = { SMTP_URL: receiver.url, MAIL_FROM: FROM };
    await testSender(env, { now: () => Date.parse(sentAt) }).send(mailTo('ops@acme.example'), message);
    expect(receiver.mails[0]!.mail.date).toBe(sentAt);
    expect(receiver.mails[0]!.mail.text).toContain('since 14:05 UTC');
  });

  test('without PUBLIC_URL has no links and does not pretend to', async () => {
    const plainSender = sender({ PUBLIC_URL: '' });
    await plainSender.send(mailTo('ops@acme.example'), message);
    const [received] = receiver.mails;
    expect(received!.mail.html).not.toContain('href');
    expect(headerOf(received!, 'list-unsubscribe')).toBeUndefined();
  });

  test('goes to channel and owner, once each, and not to who left', async () => {
    const channel = sampleChannel({
      type: 'email',
      settings: { to: ['ops@acme.example', 'Left@acme.example'], unsubscribed: ['left@acme.example'] },
    });
    const { reason, notices, omitted } = message;
    const owners = ['OPS@acme.example', 'ada@acme.example', 'no address', 'a@b\r\nBcc: c@d'];
    const owned = { ...message, owners: owners.map((email) => ({ email, reason, notices, omitted })) };
    expect(await sender().send(channel, owned)).toEqual({
      result: 'sent',
      responseStatus: 250,
      detail: '2 of the addresses cannot be written to',
    });
    expect(receiver.mails.map(({ to }) => to)).toEqual([['ops@acme.example'], ['ada@acme.example']]);
  });

  test('shows an owner nothing of the keys of others, and all of it to who is a recipient of the channel', async () => {
    const keyOf = (name: string) => ({ ...message.notices[0]!, key: { ...message.notices[0]!.key!, name } });
    const [own, foreign] = [keyOf('OWN KEY'), keyOf('FOREIGN KEY')];
    const part = (email: string, notices: AlertNotice[]) => ({
      email,
      reason: 'resolved' as const,
      notices: notices.map((notice) => ({ ...notice, reason: 'resolved' as const })),
      omitted: 0,
    });
    const channel = sampleChannel({ type: 'email', settings: { to: ['ops@acme.example'] } });
    await sender().send(channel, {
      ...message,
      notices: [own, foreign],
      owners: [part('Ada@acme.example', [own]), part('OPS@acme.example', [foreign])],
    });
    const [ops, ada] = receiver.mails.map(({ raw, mail }) => ({ raw: raw.toString(), text: mail.text, mail }));
    expect(ops!.text).toContain('OWN KEY');
    expect(ops!.text).toContain('FOREIGN KEY');
    expect(ada!.mail.subject).toMatch(/^Resolved: OWN KEY/);
    expect(ada!.text).toContain('OWN KEY');
    expect(`${ada!.raw} ${ada!.mail.html} ${ada!.text} ${ada!.mail.subject}`).not.toContain('FOREIGN');
  });
});

describe('DKIM', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const dkim = { DKIM_DOMAIN: 'keytally.example.com', DKIM_SELECTOR: 'kt1' };

  test.each(['text', 'text in one line', 'file'])('signs, with the key as %s', async (how) => {
    const file = join(testFolder(), 'dkim.pem');
    writeFileSync(file, pem);
    const key: Record<string, string> =
      how === 'file'
        ? { DKIM_PRIVATE_KEY_FILE: file }
        : { DKIM_PRIVATE_KEY: how === 'text' ? pem : pem.replaceAll('\n', '\\n') };
    await sender({ ...dkim, ...key }).send(mailTo('ops@acme.example'), message);
    const raw = receiver.mails[0]!.raw.toString('latin1');
    const headers = raw.slice(0, raw.indexOf('\r\n\r\n')).split(/\r\n(?![ \t])/);
    const signature = headers.find((line) => /^dkim-signature:/i.test(line))!;
    const tags = new Map(
      signature
        .slice(15)
        .replace(/\s+/g, '')
        .split(';')
        .map((tag) => [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]),
    );
    expect(tags.get('d')).toBe('keytally.example.com');
    expect(tags.get('s')).toBe('kt1');
    const signed = tags.get('h')!.toLowerCase().split(':');
    expect(signed).toEqual(
      expect.arrayContaining(['from', 'subject', 'list-unsubscribe', 'list-unsubscribe-post', 'auto-submitted']),
    );
    // Relaxed canonical form of RFC 6376, section 3.4.2, written out here, and the signature over it.
    const relaxed = (line: string) => {
      const colon = line.indexOf(':');
      return `${line.slice(0, colon).toLowerCase().trim()}:${line
        .slice(colon + 1)
        .replace(/\s+/g, ' ')
        .trim()}`;
    };
    const lines = signed.flatMap((name) =>
      headers.filter((line) => line.toLowerCase().startsWith(`${name}:`)).map(relaxed),
    );
    const own = relaxed(signature.replace(/b=[^;]*$/, 'b='));
    const text = [...lines, own].join('\r\n');
    expect(
      verifySignature('RSA-SHA256', Buffer.from(text, 'latin1'), publicKey, Buffer.from(tags.get('b')!, 'base64')),
    ).toBe(true);
  });

  test.each([
    [{ ...dkim, DKIM_PRIVATE_KEY: 'CANARY' }, /^DKIM_PRIVATE_KEY: must be an RSA private key/],
    [{ DKIM_DOMAIN: 'keytally.example.com' }, /^DKIM_DOMAIN: needs DKIM_SELECTOR/],
    [{ DKIM_DOMAIN: 'no domain' }, /^DKIM_DOMAIN: must be a domain name/],
    [{ ...dkim, DKIM_PRIVATE_KEY: pem, DKIM_PRIVATE_KEY_FILE: '/x' }, /not both/],
  ])('a half or bad configuration ends the start (%#)', (env, reason) => {
    expect(() => parseConfig(env)).toThrow(reason);
    expect(() => parseConfig(env)).not.toThrow(/CANARY/);
  });

  test('a key file that cannot be read is named', () => {
    const config = parseConfig({
      SMTP_URL: receiver.url,
      MAIL_FROM: FROM,
      ...dkim,
      DKIM_PRIVATE_KEY_FILE: '/nowhere/key.pem',
    });
    expect(() => openMailer(config)).toThrow(ConfigError);
    expect(() => openMailer(config)).toThrow(/^DKIM_PRIVATE_KEY_FILE: must be a readable file/);
  });
});

describe('trouble', () => {
  test('one of two refused for now: the other has exactly one mail, and only the refused one is tried again', async () => {
    const here = sender();
    const channel = mailTo('ops@acme.example', 'boss@acme.example');
    const progress = keeping();
    receiver.refuse.set('ops@acme.example', [450, 'CANARY try later']);
    const first = await here.send(channel, message, progress);
    expect(first).toEqual({
      result: 'retry',
      responseStatus: 450,
      detail: 'ops@acme.example: refused for now with 450',
    });
    expect([...progress.delivered]).toEqual(['boss@acme.example']);
    receiver.refuse.clear();
    expect(await here.send(channel, message, progress)).toEqual({ result: 'sent', responseStatus: 250 });
    expect(receiver.mails.map(({ to }) => to)).toEqual([['boss@acme.example'], ['ops@acme.example']]);
    // All have it: one more attempt sends nothing.
    expect(await here.send(channel, message, progress)).toMatchObject({ result: 'sent' });
    expect(receiver.mails.length).toBe(2);
  });

  test('one of two refused for good: the other has exactly one mail, and the detail names the refused', async () => {
    receiver.refuse.set('gone@acme.example', [550, 'CANARY no such user']);
    const outcome = await sender().send(mailTo('gone@acme.example', 'ops@acme.example'), message, keeping());
    expect(outcome).toEqual({ result: 'sent', responseStatus: 250, detail: 'gone@acme.example: refused with 550' });
    expect(receiver.mails.map(({ to }) => to)).toEqual([['ops@acme.example']]);
    expect(await sender().send(mailTo('gone@acme.example'), message)).toMatchObject({
      result: 'failed',
      responseStatus: 550,
    });
  });

  test('a wrong login is repeated and says what to correct', async () => {
    const closed = await startMailReceiver({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(new Error('CANARY')),
    });
    onTestFinished(() => closed.close());
    const env = { SMTP_URL: closed.url.replace('//', '//user:SECRETPASSWORD@'), MAIL_FROM: FROM };
    const here = testSender(env);
    const outcome = await here.send(mailTo('ops@acme.example'), message);
    expect(outcome).toMatchObject({ result: 'retry', detail: 'the mail server refuses the login of SMTP_URL' });
    expect(JSON.stringify([outcome, here.log])).not.toMatch(/CANARY|SECRETPASSWORD/);
    const noLogin = testSender({ SMTP_URL: closed.url, MAIL_FROM: FROM });
    expect(await noLogin.send(mailTo('ops@acme.example'), message)).toMatchObject({ result: 'retry', detail: /login/ });
  });

  test('a server that is away: the others are not tried in the same attempt', async () => {
    const { url } = receiver;
    await receiver.close();
    const outcome = await testSender({ SMTP_URL: url, MAIL_FROM: FROM }).send(
      mailTo('a@acme.example', 'b@acme.example'),
      message,
    );
    expect(outcome).toEqual({ result: 'retry', responseStatus: 0, detail: 'the mail server could not be reached' });
    receiver = await startMailReceiver();
  });

  test('a server whose certificate nobody signed', async () => {
    const tls = await startMailReceiver({ secure: true, disabledCommands: [] });
    onTestFinished(() => tls.close());
    const here = testSender({ SMTP_URL: tls.url.replace('smtp:', 'smtps:'), MAIL_FROM: FROM });
    const outcome = await here.send(mailTo('ops@acme.example'), message);
    expect(outcome).toMatchObject({ result: 'retry', detail: 'the TLS certificate of the mail server is not trusted' });
    expect(tls.mails).toEqual([]);
  });

  test('a server that drips its answers is left', async () => {
    const server = createServer((socket) => {
      const timer = setInterval(() => socket.write('2'), 20);
      socket.on('error', () => {});
      socket.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const mailer = openMailer(parseConfig({ SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: FROM }), 300)!;
    onTestFinished(() => mailer.close());
    expect(await mailer.send({ from: FROM, to: 'ops@acme.example', text: 'x' })).toMatchObject({
      result: 'server_trouble',
      detail: 'the mail server did not answer in time',
    });
  });

  test.each([
    [{}, 'SMTP_URL is not set: no mail can be sent'],
    [{ SMTP_URL: 'smtp://127.0.0.1:1' }, 'MAIL_FROM is not set: no mail can be sent'],
  ])('not configured (%#)', async (env, detail) => {
    const outcome = await testSender(env).send(mailTo('ops@acme.example'), message);
    expect(outcome).toEqual({ result: 'not_configured', responseStatus: 0, detail });
  });

  test('a progress that cannot be kept is no rejection', async () => {
    const here = sender();
    const broken: DeliveryProgress = {
      delivered: new Set(),
      onDelivered: () => {
        throw new Error('Redis is away');
      },
    };
    expect(await here.send(mailTo('ops@acme.example'), message, broken)).toMatchObject({ result: 'retry' });
    expect(here.log.join('')).toContain('Redis is away');
  });
});

test('hostile texts stay in their place: one subject, one recipient, known headers, a bounded size', async () => {
  const here = sender();
  for (const text of HOSTILE_TEXTS) {
    await here.send(
      mailTo('ops@acme.example'),
      sampleMessage([hostileNotice('error_rate', text), hostileNotice('key_leaked', text)]),
    );
  }
  for (const [, one] of everyMessage((kind) => hostileNotice(kind))) await here.send(mailTo('ops@acme.example'), one);
  const names = new Set(receiver.mails.flatMap(({ mail }) => mail.headers.map(({ key }) => key)));
  const known =
    'from to subject message-id in-reply-to references date mime-version content-type auto-submitted ' +
    'x-auto-response-suppress list-unsubscribe list-unsubscribe-post received';
  expect([...names].filter((name) => !known.split(' ').includes(name))).toEqual([]);
  for (const { mail, to, raw } of receiver.mails) {
    expect(to).toEqual(['ops@acme.example']);
    expect(mail.headers.filter(({ key }) => key === 'subject').length).toBe(1);
    expect(mail.headers.some(({ key }) => key === 'bcc' || key === 'cc')).toBe(false);
    expect(mail.subject!.length).toBeLessThanOrEqual(MAX_SUBJECT_LENGTH);
    expect(mail.subject).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u);
    expect(raw.length).toBeLessThan(200_000);
  }
});
