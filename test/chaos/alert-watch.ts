import { Webhook } from 'standardwebhooks';
import { DeliveryReceiver, type ReceivedMessage } from '../support/delivery-receiver.ts';

/** Paths of the receiver: alerts for people, and changes of keys for the platform that owns them. */
export const ALERTS_PATH = '/alerts';
export const KEY_EVENTS_PATH = '/keys';

/** Kinds that the ledger can foretell without code of the product; the others have tests of their own. */
export const WATCHED_KINDS = ['key_deactivated', 'key_expired', 'near_limit'] as const;
const WATCHED_EVENTS = ['key.deactivated', 'key.reactivated', 'key.expired'] as const;

/** Of so many messages one is answered with 500 at its first attempt, although it was taken in. */
const REFUSED_ONE_IN = 6;

/**
 * The receiver of a run: two webhook channels of the program lead here. It keeps every request, and at times says no after it
 * has taken a message in, as receivers do whose answer gets lost: the sender must repeat it under the same id.
 */
export class AlertWatch {
  readonly receiver: DeliveryReceiver;
  /** Requests whose signature was wrong. */
  readonly forged: string[] = [];
  #refused = 0;
  readonly #seen = new Set<string>();

  private constructor(receiver: DeliveryReceiver) {
    this.receiver = receiver;
  }

  /** Makes the channels by the api, before anything is broken. */
  static async start(apiUrl: string, token: string): Promise<AlertWatch> {
    const watch = new AlertWatch(await DeliveryReceiver.start());
    const routing = { kinds: WATCHED_KINDS, min_severity: 'info' };
    await watch.#channel(apiUrl, token, ALERTS_PATH, { routing });
    await watch.#channel(apiUrl, token, KEY_EVENTS_PATH, {
      purpose: 'key_events',
      routing: { event_types: WATCHED_EVENTS },
    });
    return watch;
  }

  /** Messages of a path, repeats included. Also one that was answered with 500 had arrived. */
  arrived(path: string): ReceivedMessage[] {
    return this.receiver.requests.filter((message) => message.path === path);
  }

  get requests(): number {
    return this.receiver.requests.length;
  }

  /** Requests that repeat a message. */
  get repeats(): number {
    return this.requests - new Set(this.receiver.requests.map(({ path, id }) => `${path} ${id}`)).size;
  }

  close(): Promise<void> {
    return this.receiver.close();
  }

  async #channel(apiUrl: string, token: string, path: string, fields: object): Promise<void> {
    const settings = { url: this.receiver.url + path };
    const response = await fetch(`${apiUrl}/v1/channels`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: path, type: 'webhook', settings, ...fields }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`no channel for ${path}: ${response.status} ${text}`);
    const webhook = new Webhook((JSON.parse(text) as { secret: string }).secret);
    this.receiver.answer(path, (message, res) => {
      res.writeHead(this.#verdict(webhook, message)).end();
    });
  }

  #verdict(webhook: Webhook, message: ReceivedMessage): number {
    try {
      webhook.verify(message.text, message.headers as Record<string, string>);
    } catch (error) {
      this.forged.push(`${message.path} ${message.id}: ${(error as Error).message}`);
    }
    const name = `${message.path} ${message.id}`;
    if (this.#seen.has(name)) return 200;
    this.#seen.add(name);
    return this.#refused++ % REFUSED_ONE_IN === 0 ? 500 : 200;
  }
}
