import type { Redis } from 'ioredis';
import type { ChannelType } from '../channels/channel.ts';
import { DELIVERY_PREFIX } from '../outbox.ts';

export interface SlotSettings {
  perChannel: number;
  paceMs: Partial<Record<ChannelType, number>>;
}

/**
 * Keeps a slow or dead receiver from taking the whole process: only so many messages of one channel are under way, one while its
 * last attempt failed. The others make room and come back a little later.
 */
export class ChannelSlots {
  readonly #redis: Redis;
  readonly #settings: SlotSettings;
  readonly #taken = new Map<string, number>();
  readonly #failing = new Set<string>();

  constructor(redis: Redis, settings: SlotSettings) {
    this.#redis = redis;
    this.#settings = settings;
  }

  /** @returns false when the channel has enough under way */
  take(channelId: string): boolean {
    const taken = this.#taken.get(channelId) ?? 0;
    if (taken >= (this.#failing.has(channelId) ? 1 : this.#settings.perChannel)) return false;
    this.#taken.set(channelId, taken + 1);
    return true;
  }

  release(channelId: string): void {
    const taken = (this.#taken.get(channelId) ?? 1) - 1;
    if (taken === 0) this.#taken.delete(channelId);
    else this.#taken.set(channelId, taken);
  }

  noteOutcome(channelId: string, delivered: boolean): void {
    if (delivered) this.#failing.delete(channelId);
    else this.#failing.add(channelId);
  }

  /** Milliseconds until this channel may be written to, over all processes; 0 = now, and the turn is taken. */
  async turn(channelId: string, type: ChannelType): Promise<number> {
    const paceMs = this.#settings.paceMs[type] ?? 0;
    if (paceMs === 0) return 0;
    const key = `${DELIVERY_PREFIX}:pace:${channelId}`;
    if ((await this.#redis.set(key, '1', 'PX', paceMs, 'NX')) === 'OK') return 0;
    return Math.max(1, await this.#redis.pttl(key));
  }
}
