import type { Queue } from 'bullmq';
import type { Config } from '../../../ingest/config.ts';
import type { Logger } from '../../../ingest/logger.ts';
import type { Redis } from '../../../ingest/redis.ts';
import type { Store } from '../../clickhouse/store.ts';
import type { ChannelSender, ChannelType } from '../channels/channel.ts';
import type { DeliveryJob } from '../outbox.ts';
import { ChannelSlots } from './channel-slots.ts';
import { Channels, type SecretBox } from './channels.ts';
import { Deliveries } from './deliveries.ts';
import type { GroupWaits } from './grouping.ts';
import { OpenGroups } from './open-groups.ts';
import { RETRY_TABLE_MS } from './retry-table.ts';
import { Silences } from './silences.ts';

/** How delivery paces itself; tests use shorter times. */
export interface DeliverySettings {
  waits: GroupWaits;
  retryTableMs: readonly number[];
  /** Events and deliveries younger than this are still on their ordinary way: the relay leaves them alone. */
  settleMs: number;
  relayCron: string;
  digestCron: string;
  digestHour: number;
  /** Jobs that a process has under way. */
  concurrency: number;
  /** Messages to one channel that a process has under way. */
  perChannel: number;
  /** A job of a dead process is taken over after one and a half of this. */
  lockMs: number;
  /** Shortest time between two messages to one channel, where the receiver asks for one. */
  paceMs: Partial<Record<ChannelType, number>>;
  random: () => number;
}

export function deliverySettings(config: Config): DeliverySettings {
  return {
    waits: { normalMs: config.DELIVERY_GROUP_WAIT_SECONDS * 1_000, soonMs: 2_000, urgentMs: 1_000 },
    retryTableMs: RETRY_TABLE_MS,
    settleMs: 10_000,
    relayCron: '*/15 * * * * *',
    digestCron: '* * * * *',
    digestHour: config.DIGEST_HOUR,
    concurrency: 100,
    perChannel: 4,
    lockMs: 10_000,
    // Slack takes one message per second, Teams throttles above four, Discord above five in two seconds.
    paceMs: { slack: 1_000, teams: 300, discord: 450 },
    random: Math.random,
  };
}

export interface DeliveryOptions {
  store: Store;
  redis: Redis;
  queue: Queue<DeliveryJob>;
  sender: ChannelSender;
  box: SecretBox;
  log: Logger;
  settings: DeliverySettings;
}

/** What the steps of delivery work with. */
export interface DeliveryParts extends DeliveryOptions {
  deliveries: Deliveries;
  channels: Channels;
  silences: Silences;
  groups: OpenGroups;
  slots: ChannelSlots;
}

export function deliveryParts(options: DeliveryOptions): DeliveryParts {
  return {
    ...options,
    deliveries: new Deliveries(options.store),
    channels: new Channels(options.store),
    silences: new Silences(options.store),
    groups: new OpenGroups(options.redis),
    slots: new ChannelSlots(options.redis, options.settings),
  };
}
