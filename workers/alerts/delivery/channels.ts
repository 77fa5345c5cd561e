import type { Store } from '../../clickhouse/store.ts';
import type { ChannelType, OpenChannel } from '../channels/channel.ts';
import type { RoutedChannel } from './channel-routing.ts';

/** Channels of one store at most: each event is compared with all of them. */
export const MAX_CHANNELS = 2_000;

/** Seals secrets for storing, and opens them for sending. */
export interface SecretBox {
  seal(text: string): string;
  /** @throws Error when it was sealed with another key */
  open(sealed: string): string;
}

/** Secrets of a channel as they are sealed. */
export interface ChannelSecrets {
  [name: string]: string | readonly string[] | undefined;
  /** webhook: newest first. */
  signing?: readonly string[];
  /** webhook: the second of them holds until then. */
  previous_until?: string;
}

/** A stored channel. */
export interface Channel extends RoutedChannel {
  name: string;
  settings: Readonly<Record<string, unknown>>;
  /** Sealed. */
  secrets: string;
  disabled_reason: string;
  created_at: string;
  updated_at: string;
  version: number;
}

export type ChannelFields = Omit<Channel, 'channel_id' | 'created_at' | 'updated_at' | 'version'>;

interface ChannelRow extends Omit<Channel, 'settings' | 'routing' | 'type'> {
  type: ChannelType;
  settings: string;
  routing: string;
}

/** The stored channels. */
export class Channels {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** @param organizationId only those of this organization; '' = all */
  async list(organizationId = ''): Promise<Channel[]> {
    const rows = await this.#store.queryWriter<ChannelRow>(
      `SELECT * EXCEPT deleted FROM channels FINAL
       WHERE NOT deleted AND ({organization_id:String} = '' OR organization_id = {organization_id:String})
       ORDER BY created_at, channel_id LIMIT ${MAX_CHANNELS}`,
      { organization_id: organizationId },
    );
    return rows.map((row) => ({ ...row, settings: JSON.parse(row.settings), routing: JSON.parse(row.routing) }));
  }

  async find(channelId: string): Promise<Channel | undefined> {
    return (await this.list()).find((channel) => channel.channel_id === channelId);
  }

  async create(channelId: string, fields: ChannelFields): Promise<Channel> {
    const now = new Date().toISOString();
    const channel: Channel = { ...fields, channel_id: channelId, created_at: now, updated_at: now, version: 1 };
    await this.#write(channel, false);
    return channel;
  }

  async change(present: Channel, fields: Partial<ChannelFields>): Promise<Channel> {
    const channel = { ...present, ...fields, updated_at: new Date().toISOString(), version: present.version + 1 };
    await this.#write(channel, false);
    return channel;
  }

  async remove(present: Channel): Promise<void> {
    await this.#write({ ...present, secrets: '', version: present.version + 1 }, true);
  }

  async #write(channel: Channel, deleted: boolean): Promise<void> {
    const { settings, routing, ...plain } = channel;
    const row = { ...plain, settings: JSON.stringify(settings), routing: JSON.stringify(routing), deleted };
    await this.#store.insertRows('channels', [row]);
  }
}

/** A channel with its secrets opened, ready for sending. Who unsubscribed is no recipient any more. */
export function openChannel(channel: Channel, box: SecretBox, nowMs: number): OpenChannel {
  const { previous_until: until, signing, ...rest } = secretsOf(channel, box);
  const previousHolds = until !== undefined && Date.parse(until) > nowMs;
  const secrets: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) secrets[name] = value;
  if (signing) secrets.signing = previousHolds ? signing.slice(0, 2) : signing.slice(0, 1);
  const { channel_id, organization_id, name, type } = channel;
  return { channel_id, organization_id, name, type, settings: withoutUnsubscribed(channel), secrets };
}

export function secretsOf(channel: Pick<Channel, 'secrets'>, box: SecretBox): ChannelSecrets {
  return channel.secrets === '' ? {} : (JSON.parse(box.open(channel.secrets)) as ChannelSecrets);
}

function withoutUnsubscribed({ settings, unsubscribed }: Channel): Readonly<Record<string, unknown>> {
  if (!Array.isArray(settings.to) || unsubscribed.length === 0) return settings;
  return { ...settings, to: settings.to.filter((address) => !unsubscribed.includes(String(address).toLowerCase())) };
}
