import type { Redis } from '../../../ingest/redis.ts';
import type { ChannelType } from '../channels/channel.ts';
import { DELIVERY_PREFIX } from '../outbox.ts';

const ASK_MS = 100;
const ASK_MS_EACH = 20;
const MAX_ASK_MS = 15_000;

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
  /** Messages turned away from a channel since its last free moment. */
  readonly #turnedAway = new Map<string, number>();

  constructor(redis: Redis, settings: SlotSettings) {
    this.#redis = redis;
    this.#settings = settings;
  }

  /**
   * @returns 0 when the message may go on; else milliseconds after which to ask again: the more ask, the longer, so that those
   *   who wait for a dead receiver cost next to nothing
   */
  take(channelId: string): number {
    const taken = this.#taken.get(channelId) ?? 0;
    if (taken >= (this.#failing.has(channelId) ? 1 : this.#settings.perChannel)) {
      const turnedAway = (this.#turnedAway.get(channelId) ?? 0) + 1;
      this.#turnedAway.set(channelId, turnedAway);
      return Math.min(MAX_ASK_MS, ASK_MS + turnedAway * ASK_MS_EACH);
    }
    this.#taken.set(channelId, taken + 1);
    return 0;
  }

  release(channelId: string): void {
    const taken = (this.#taken.get(channelId) ?? 1) - 1;
    // Who was turned away comes back one after another: as many as wait, as long as each takes.
    const turnedAway = (this.#turnedAway.get(channelId) ?? 0) - 1;
    if (turnedAway > 0) this.#turnedAway.set(channelId, turnedAway);
    else this.#turnedAway.delete(channelId);
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
