import type { Queue } from 'bullmq';
import type { Redis } from '../ingest/redis.ts';
import type { ChannelSender } from '../workers/alerts/channels/channel.ts';
import type { SecretBox } from '../workers/alerts/delivery/channels.ts';
import type { DeliveryJob } from '../workers/alerts/outbox.ts';
import type { SecretKeys } from '../workers/alerts/secret-key.ts';

/** What routes about channels and messages work with. */
export interface DeliveryDesk {
  redis: Redis;
  queue: Queue<DeliveryJob>;
  /** For test messages, which are sent while the caller waits. */
  sender: ChannelSender;
  box: SecretBox;
  keys: SecretKeys;
}
