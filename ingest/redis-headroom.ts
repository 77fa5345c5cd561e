import { redisMemory } from './metrics.ts';
import { mastersOf, type Redis } from './redis.ts';

/** Above this share of maxmemory no more records are taken: Redis needs room to finish the jobs it has. */
export const REFUSE_ABOVE_RATIO = 0.85;
const POLL_MS = 1_000;

/** used / max of the text of `INFO memory`; 0 when Redis has no limit. */
export function memoryRatio(info: string): number {
  const used = Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0);
  const max = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
  return max === 0 ? 0 : used / max;
}

/** Watches the memory of Redis, so that the collector says 503 before Redis itself refuses a write. */
export class RedisHeadroom {
  readonly #redis: Redis;
  readonly #timer: NodeJS.Timeout;
  #ratio = 0;

  constructor(redis: Redis) {
    this.#redis = redis;
    this.#timer = setInterval(() => void this.refresh(), POLL_MS);
    this.#timer.unref();
  }

  get hasRoom(): boolean {
    return this.#ratio < REFUSE_ABOVE_RATIO;
  }

  async refresh(): Promise<void> {
    try {
      const nodes = await Promise.all(mastersOf(this.#redis).map((node) => node.info('memory')));
      // The fullest node counts: a batch cannot choose where the keys it needs live.
      this.#ratio = Math.max(0, ...nodes.map(memoryRatio));
      redisMemory.set(this.#ratio);
    } catch {
      // Redis is away: adding a job will say so itself. The last known ratio stays.
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
