import type { Redis } from '../../../ingest/redis.ts';
import { lockKeys } from '../../keys/key-locks.ts';
import type { Channel, ChannelFields, Channels } from './channels.ts';

/** Another request changes the channel at this moment. */
export class ChannelBusy extends Error {}

const PATIENCE_MS = 2_000;

/**
 * Changes a channel as it stands now, one writer at a time.
 * @param decide what to change; undefined = nothing
 * @returns the channel before and after; undefined when there is no such channel
 * @throws {ChannelBusy}
 */
export async function changeChannel(
  { redis, channels }: { redis: Redis; channels: Channels },
  channelId: string,
  decide: (present: Channel) => Partial<ChannelFields> | undefined,
): Promise<{ before: Channel; after: Channel } | undefined> {
  const locks = await lockKeys(redis, [`channel ${channelId}`], PATIENCE_MS);
  try {
    if (locks.keyIds.length === 0) throw new ChannelBusy('the channel is being changed by another request');
    const before = await channels.find(channelId);
    if (!before) return undefined;
    const fields = decide(before);
    return { before, after: fields ? await channels.change(before, fields) : before };
  } finally {
    await locks.release();
  }
}
