import type {
  AlertMessage,
  ChannelSender,
  DeliveryOutcome,
  OpenChannel,
} from '../../workers/alerts/channels/channel.ts';
import type { SecretBox } from '../../workers/alerts/delivery/channels.ts';

const TIMEOUT_MS = 3_000;

/**
 * The least a sender can be: posts the message as JSON over real HTTP, also to loopback. For tests of what happens before and
 * after the sending; the channels themselves have tests of their own.
 */
export const plainSender: ChannelSender = {
  async send(channel: OpenChannel, message: AlertMessage): Promise<DeliveryOutcome> {
    try {
      const response = await fetch(String(channel.settings.url), {
        method: 'POST',
        redirect: 'manual',
        headers: { 'Content-Type': 'application/json', 'webhook-id': message.messageId },
        body: JSON.stringify(message),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      return outcomeOf(response);
    } catch {
      return { result: 'retry', responseStatus: 0, detail: 'no answer' };
    }
  },
  close: async () => undefined,
};

function outcomeOf({ status, headers }: Response): DeliveryOutcome {
  const detail = `answered ${status}`;
  if (status < 300) return { result: 'sent', responseStatus: status };
  if (status === 410) return { result: 'disable', responseStatus: status, detail };
  const after = Number(headers.get('retry-after') ?? Number.NaN);
  return { result: 'retry', responseStatus: status, detail, ...(after > 0 && { afterMs: after * 1_000 }) };
}

/** Seals nothing: for tests in which no secret matters. */
export const openBox: SecretBox = {
  seal: (_id, secrets) => JSON.stringify(secrets),
  open: (_id, sealed) => JSON.parse(sealed || '{}'),
};
