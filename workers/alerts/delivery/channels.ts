import type { Store } from '../../clickhouse/store.ts';
import type { ChannelType, OpenChannel } from '../channels/channel.ts';
import { openSecrets, sealSecrets } from '../channels/sealed.ts';
import type { SecretKeys } from '../secret-key.ts';
import type { RoutedChannel } from './channel-routing.ts';

/** Channels of one store at most: each event is compared with all of them. */
export const MAX_CHANNELS = 2_000;

const RECENT_MS = 1_000;

/** Seals the secrets of a channel for storing, and opens them for sending. */
export interface SecretBox {
  seal(channelId: string, secrets: OpenChannel['secrets']): string;
  /** @throws Error when they were sealed with another key or for another channel */
  open(channelId: string, sealed: string): OpenChannel['secrets'];
}

export function secretBox(keys: SecretKeys): SecretBox {
  return {
    seal: (channelId, secrets) => sealSecrets(keys, channelId, secrets),
    open: (channelId, sealed) => openSecrets(keys, channelId, sealed),
  };
}

/** A stored channel. */
export interface Channel extends RoutedChannel {
  name: string;
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
  #recent: { atMs: number; channels: Promise<Channel[]> } | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** A channel as it was a second ago at most: for sending, which asks with every message. One that is off is asked for anew. */
  async findRecent(channelId: string): Promise<Channel | undefined> {
    const recent = (await this.#listRecent()).find((channel) => channel.channel_id === channelId);
    return recent?.enabled ? recent : this.find(channelId);
  }

  async #listRecent(): Promise<Channel[]> {
    if (this.#recent && Date.now() - this.#recent.atMs < RECENT_MS) return this.#recent.channels;
    const recent = { atMs: Date.now(), channels: this.list() };
    this.#recent = recent;
    // What failed is asked again at once.
    recent.channels.catch(() => {
      if (this.#recent === recent) this.#recent = undefined;
    });
    return recent.channels;
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

/** A channel with its secrets opened, ready for sending. */
export function openChannel(channel: Channel, box: SecretBox, nowMs: number): OpenChannel {
  const { channel_id, organization_id, name, type, settings } = channel;
  const secrets = currentSecrets(box.open(channel_id, channel.secrets), nowMs);
  return { channel_id, organization_id, name, type, settings, secrets };
}

/** Until then (RFC 3339) the former of two signing secrets holds; sealed beside them. */
const PREVIOUS_UNTIL = 'previous_until';

/** Secrets with a new one that signs, before the present one, which holds until a given time. */
export function rotatedSecrets(
  present: OpenChannel['secrets'],
  newest: string,
  previousUntilMs: number,
): OpenChannel['secrets'] {
  const [former] = present.signing ?? [];
  return {
    ...present,
    signing: former === undefined ? [newest] : [newest, former],
    [PREVIOUS_UNTIL]: new Date(previousUntilMs).toISOString(),
  };
}

/** The secrets that hold at a time. */
export function currentSecrets(sealed: OpenChannel['secrets'], nowMs: number): OpenChannel['secrets'] {
  const { [PREVIOUS_UNTIL]: until, signing, ...rest } = sealed;
  if (!Array.isArray(signing)) return rest;
  const both = typeof until === 'string' && Date.parse(until) > nowMs;
  return { ...rest, signing: signing.slice(0, both ? 2 : 1) };
}
