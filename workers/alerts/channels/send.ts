import type { LookupFunction } from 'node:net';
import type { Config } from '../../../ingest/config.ts';
import type { Logger } from '../../../ingest/logger.ts';
import type { SecretKeys } from '../secret-key.ts';
import { allowedRanges } from './address-guard.ts';
import type {
  AlertMessage,
  ChannelSender,
  ChannelType,
  DeliveryOutcome,
  DeliveryProgress,
  OpenChannel,
} from './channel.ts';
import { discordPayload } from './discord.ts';
import { type MailConfig, type Mailer, messageFor, openMailer, recipientsOf, sendMails } from './email.ts';
import { type HttpChannelType, outcomeOfAnswer, outcomeOfError } from './http-outcome.ts';
import { mailMessage } from './mail-message.ts';
import { compose } from './message/compose.ts';
import { linkMaker, unsubscribeUrl } from './message/message-links.ts';
import type { MessageModel } from './message/model.ts';
import { PAGERDUTY_ENDPOINTS, pagerDutyEvents } from './pagerduty.ts';
import { type PostOptions, post } from './post.ts';
import { parseChannel, type SecretsOf, type SettingsOf } from './settings.ts';
import { slackPayload } from './slack.ts';
import { signedHeaders } from './standard-webhooks.ts';
import { teamsPayload } from './teams.ts';
import { webhookBody } from './webhook.ts';

export type SenderConfig = MailConfig & Pick<Config, 'PUBLIC_URL' | 'WEBHOOK_ALLOW_PRIVATE'>;

/** What tests replace. */
export interface SenderOptions {
  now?: () => number;
  lookup?: LookupFunction;
  /** Certificate authority of receivers. */
  ca?: string;
  timeoutMs?: number;
  pagerDutyEndpoint?: string;
}

/** Standard Webhooks asks for 15 to 30 s. */
const TIMEOUT_MS = 20_000;

/** What sending needs beside channel and message. */
interface Means {
  config: SenderConfig;
  keys: SecretKeys;
  mailer: Mailer | undefined;
  post: PostOptions;
  now: () => number;
  pagerDutyEndpoint: string | undefined;
}

interface Task<T extends ChannelType> {
  channel: OpenChannel;
  settings: SettingsOf<T>;
  secrets: SecretsOf<T>;
  message: AlertMessage;
  progress: DeliveryProgress | undefined;
}

/**
 * Sends messages to channels of every type. Connections to the mail server are kept until `close`.
 * @throws {ConfigError} naming the variable when the DKIM key cannot be read
 */
export function createSender(
  config: SenderConfig,
  log: Logger,
  keys: SecretKeys,
  options: SenderOptions = {},
): ChannelSender {
  const means: Means = {
    config,
    keys,
    mailer: openMailer(config),
    now: options.now ?? Date.now,
    pagerDutyEndpoint: options.pagerDutyEndpoint,
    post: {
      allowed: allowedRanges(config.WEBHOOK_ALLOW_PRIVATE),
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      ...(options.lookup ? { lookup: options.lookup } : {}),
      ...(options.ca ? { ca: options.ca } : {}),
    },
  };
  return {
    async send(channel, message, progress) {
      try {
        return await dispatch(means, channel, message, progress);
      } catch (error) {
        // A fault of ours: kept apart from the receiver's, repeated a few times and seen in the log. Its stack, not its fields:
        // those of some errors repeat what was given in.
        const { stack } = error as Error;
        log.error({ stack, channel_id: channel.channel_id, message_id: message.messageId }, 'sending failed');
        return { result: 'retry', responseStatus: 0, detail: 'an error of Keytally itself; its log says more' };
      }
    },
    async close() {
      means.mailer?.close();
    },
  };
}

const SENDERS: { [T in ChannelType]: (means: Means, task: Task<T>) => Promise<DeliveryOutcome> } = {
  email: sendEmail,
  webhook: sendWebhook,
  slack: sendChat('slack', slackPayload),
  teams: sendChat('teams', teamsPayload),
  discord: sendChat('discord', discordPayload),
  pagerduty: sendPagerDuty,
};

async function dispatch<T extends ChannelType>(
  means: Means,
  channel: OpenChannel & { type: T },
  message: AlertMessage,
  progress: DeliveryProgress | undefined,
): Promise<DeliveryOutcome> {
  const parsed = parseChannel<T>(channel.type, channel.settings, channel.secrets, 'ignore');
  if ('problems' in parsed) {
    const detail = parsed.problems.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
    return { result: 'failed', responseStatus: 0, detail: `the channel cannot be used: ${detail}` };
  }
  return SENDERS[channel.type](means, { channel, message, progress, ...parsed });
}

/** The message as one reader gets it. */
function modelFor(
  means: Means,
  { channel, settings }: Task<ChannelType>,
  message: AlertMessage,
  by: string,
): MessageModel {
  const nowMs = means.now();
  return compose(message, {
    links: linkMaker(means.keys, means.config.PUBLIC_URL, by, timeOf(message, nowMs)),
    timezone: settings.timezone,
    channelName: channel.name,
    nowMs,
  });
}

/** Time of the message itself: a repeat makes the same links. */
function timeOf(message: AlertMessage, nowMs: number): number {
  const ms = Date.parse(message.notices[0]?.event.at ?? message.keyEvent?.at ?? '');
  return Number.isNaN(ms) ? nowMs : ms;
}

const byChannel = (channel: OpenChannel): string => `channel:${channel.channel_id}`;

async function sendEmail(means: Means, task: Task<'email'>): Promise<DeliveryOutcome> {
  const { config, mailer } = means;
  if (!mailer) {
    const missing = config.SMTP_URL ? 'MAIL_FROM' : 'SMTP_URL';
    return { result: 'not_configured', responseStatus: 0, detail: `${missing} is not set: no mail can be sent` };
  }
  const { channel, message } = task;
  const atMs = timeOf(message, means.now());
  return sendMails(
    mailer,
    recipientsOf(task.settings, message),
    (recipient) => {
      const part = messageFor(recipient, task.settings, message);
      return mailMessage({
        message: part,
        recipient,
        model: modelFor(means, task, part, `email:${recipient}`),
        from: config.MAIL_FROM!,
        channelName: channel.name,
        unsubscribe: unsubscribeUrl(means.keys, config.PUBLIC_URL, channel.channel_id, recipient, atMs),
        sentAtMs: means.now(),
      });
    },
    task.progress,
  );
}

async function sendWebhook(means: Means, task: Task<'webhook'>): Promise<DeliveryOutcome> {
  const { message, channel } = task;
  const by = byChannel(channel);
  const links = linkMaker(means.keys, means.config.PUBLIC_URL, by, timeOf(message, means.now()));
  const body = webhookBody(message, modelFor(means, task, message, by), links);
  const headers = signedHeaders(message.messageId, means.now(), body, task.secrets.signing);
  return postTo(means, 'webhook', task.settings.url, headers, body);
}

function sendChat(type: 'slack' | 'teams' | 'discord', payload: (model: MessageModel) => object) {
  return async (means: Means, task: Task<'slack' | 'teams' | 'discord'>): Promise<DeliveryOutcome> => {
    const model = modelFor(means, task, task.message, byChannel(task.channel));
    return postTo(means, type, task.secrets.url, {}, JSON.stringify(payload(model)));
  };
}

async function sendPagerDuty(means: Means, task: Task<'pagerduty'>): Promise<DeliveryOutcome> {
  const { message, settings, secrets, progress } = task;
  const url = means.pagerDutyEndpoint ?? PAGERDUTY_ENDPOINTS[settings.region];
  const events = pagerDutyEvents(message, secrets.routing_key, (notice) =>
    modelFor(means, task, { ...message, notices: notice ? [notice] : [], omitted: 0 }, byChannel(task.channel)),
  );
  if (events.length === 0)
    return { result: 'sent', responseStatus: 0, detail: 'left out: PagerDuty is sent alerts only' };
  let outcome: DeliveryOutcome = { result: 'sent', responseStatus: 202 };
  for (const { part, body } of events) {
    if (progress?.delivered.has(part)) continue;
    outcome = await postTo(means, 'pagerduty', url, {}, JSON.stringify(body));
    if (outcome.result !== 'sent') return outcome;
    await progress?.onDelivered?.(part);
  }
  return outcome;
}

async function postTo(
  means: Means,
  type: HttpChannelType,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<DeliveryOutcome> {
  try {
    return outcomeOfAnswer(type, await post(url, headers, body, means.post), means.now());
  } catch (error) {
    return outcomeOfError(error);
  }
}
