import type { Redis } from '../../../ingest/redis.ts';
import { underLock } from '../../locks.ts';
import type { Channel, ChannelFields, Channels } from './channels.ts';

/**
 * Changes a channel as it stands now, one writer at a time.
 * @param decide what to change; undefined = nothing
 * @returns the channel before and after; undefined when there is no such channel
 * @throws {Problem} 409 when another request changes it at this moment
 */
export async function changeChannel(
  { redis, channels }: { redis: Redis; channels: Channels },
  channelId: string,
  decide: (present: Channel) => Partial<ChannelFields> | undefined,
): Promise<{ before: Channel; after: Channel } | undefined> {
  return underLock(redis, 'channel', channelId, async () => {
    const before = await channels.find(channelId);
    if (!before) return undefined;
    const fields = decide(before);
    return { before, after: fields ? await channels.change(before, fields) : before };
  });
}
