import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { SendMailOptions } from 'nodemailer';
import { type Config, unescapeLines } from '../../../ingest/config.ts';
import { ConfigError } from '../../../ingest/config-error.ts';
import type { AlertMessage, DeliveryOutcome, DeliveryProgress } from './channel.ts';
import { DKIM_HEADERS } from './mail-message.ts';
import { classifyMailError, type MailError, type MailVerdict } from './mail-outcome.ts';
import { isMailAddress, type SettingsOf } from './settings.ts';

export type MailConfig = Pick<
  Config,
  'SMTP_URL' | 'MAIL_FROM' | 'DKIM_DOMAIN' | 'DKIM_SELECTOR' | 'DKIM_PRIVATE_KEY' | 'DKIM_PRIVATE_KEY_FILE'
>;

/** Hands mails to the server of SMTP_URL over a few kept connections. */
export interface Mailer {
  send(mail: SendMailOptions): Promise<MailVerdict>;
  close(): void;
}

const CONNECTIONS = 3;
const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;
/** One mail with all its waiting; a server that drips its answers is left then. */
const MAIL_MS = 60_000;
/** Addresses of one message: the channel's and the owners'. */
const MAX_ADDRESSES = 50;

/** Only where mails are sent. */
const loadNodemailer = () => createRequire(import.meta.url)('nodemailer') as typeof import('nodemailer');

/** @throws {ConfigError} naming the variable when the DKIM key cannot be read */
export function openMailer(config: MailConfig, mailMs = MAIL_MS): Mailer | undefined {
  if (!config.SMTP_URL || !config.MAIL_FROM) return undefined;
  const nodemailer = loadNodemailer();
  const transport = nodemailer.createTransport({
    url: config.SMTP_URL,
    pool: true,
    maxConnections: CONNECTIONS,
    // Only a connection that died before the mail was handed over is replaced silently; the queue repeats the rest.
    maxRequeues: 1,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    dnsTimeout: CONNECT_MS,
    ...dkimOf(config),
  });
  return {
    async send(mail) {
      try {
        await transport.sendMail({ ...mail, signal: AbortSignal.timeout(mailMs) });
        return { result: 'sent' };
      } catch (error) {
        return classifyMailError(error as MailError);
      }
    },
    close: () => transport.close(),
  };
}

function dkimOf(config: MailConfig): object {
  if (!config.DKIM_DOMAIN || !config.DKIM_SELECTOR) return {};
  return {
    dkim: {
      domainName: config.DKIM_DOMAIN,
      keySelector: config.DKIM_SELECTOR,
      privateKey: dkimKey(config),
      headerFieldNames: DKIM_HEADERS,
    },
  };
}

function dkimKey(config: MailConfig): string {
  if (config.DKIM_PRIVATE_KEY) return unescapeLines(config.DKIM_PRIVATE_KEY);
  const path = config.DKIM_PRIVATE_KEY_FILE ?? '';
  try {
    const pem = readFileSync(path, 'utf8');
    if (createPrivateKey(pem).asymmetricKeyType === 'rsa') return pem;
  } catch {
    // Told below: the text of the error may hold a part of the key.
  }
  throw new ConfigError('DKIM_PRIVATE_KEY_FILE: must be a readable file with an RSA private key in PEM');
}

/** Who is written to: the channel's addresses and the owners', each once, without those that asked not to be. */
export function recipientsOf(settings: SettingsOf<'email'>, message: AlertMessage): { good: string[]; bad: number } {
  const left = new Set(settings.unsubscribed.map((one) => one.toLowerCase()));
  const seen = new Map<string, string>();
  for (const one of [...settings.to, ...message.owners.map(({ email }) => email)]) {
    const address = one.trim();
    if (address !== '' && !seen.has(address.toLowerCase())) seen.set(address.toLowerCase(), address);
  }
  const wanted = [...seen].filter(([lower]) => !left.has(lower)).map(([, address]) => address);
  const good = wanted.filter(isMailAddress);
  return { good: good.slice(0, MAX_ADDRESSES), bad: wanted.length - Math.min(good.length, MAX_ADDRESSES) };
}

/** What one recipient is written: the channel's own all of it, an owner only what concerns their keys. */
export function messageFor(recipient: string, settings: SettingsOf<'email'>, message: AlertMessage): AlertMessage {
  const isRecipient = (address: string) => address.trim().toLowerCase() === recipient.toLowerCase();
  const part = settings.to.some(isRecipient) ? undefined : message.owners.find(({ email }) => isRecipient(email));
  if (!part) return message;
  const { reason, notices, omitted } = part;
  return { ...message, reason, notices, omitted };
}

/**
 * One mail to each recipient that has none yet, one after the other, so that what arrived is known at any moment. Trouble of the
 * server ends the attempt; trouble with one recipient does not touch the others.
 */
export async function sendMails(
  mailer: Mailer,
  recipients: { good: readonly string[]; bad: number },
  mailFor: (recipient: string) => SendMailOptions,
  progress: DeliveryProgress | undefined,
): Promise<DeliveryOutcome> {
  const results = new Map<string, MailVerdict>();
  for (const recipient of recipients.good) {
    if (progress?.delivered.has(recipient)) {
      results.set(recipient, { result: 'sent' });
      continue;
    }
    const verdict = await mailer.send(mailFor(recipient));
    results.set(recipient, verdict);
    if (verdict.result === 'server_trouble') break;
    if (verdict.result === 'sent') await progress?.onDelivered?.(recipient);
  }
  return mailOutcome(results, recipients);
}

const OK = 250;

/** What the answers for all recipients mean together. Pure. */
export function mailOutcome(
  results: ReadonlyMap<string, MailVerdict>,
  { good, bad }: { good: readonly string[]; bad: number },
): DeliveryOutcome {
  const entries = [...results];
  const trouble = entries.find(([, verdict]) => verdict.result === 'server_trouble')?.[1];
  if (trouble && trouble.result !== 'sent') return { result: 'retry', ...statusOf(trouble) };
  const waiting = entries.filter(([, verdict]) => verdict.result === 'retry');
  if (waiting.length > 0) return { result: 'retry', responseStatus: codeOf(waiting[0]![1]), detail: namesOf(waiting) };
  const refused = entries.filter(([, verdict]) => verdict.result === 'refused');
  const unusable = bad > 0 ? [`${bad} of the addresses cannot be written to`] : [];
  const detail = [...(refused.length > 0 ? [namesOf(refused)] : []), ...unusable].join('; ');
  if (good.length > refused.length) return { result: 'sent', responseStatus: OK, ...(detail === '' ? {} : { detail }) };
  const responseStatus = refused.length > 0 ? codeOf(refused[0]![1]) : 0;
  return { result: 'failed', responseStatus, detail: detail === '' ? 'nobody is left to write to' : detail };
}

function namesOf(entries: readonly (readonly [string, MailVerdict])[]): string {
  return entries
    .map(([address, verdict]) => (verdict.result === 'sent' ? address : `${address}: ${verdict.detail}`))
    .join('; ');
}

const statusOf = ({ responseStatus, detail }: Exclude<MailVerdict, { result: 'sent' }>) => ({ responseStatus, detail });
const codeOf = (verdict: MailVerdict): number => (verdict.result === 'sent' ? OK : verdict.responseStatus);
