import type { Redis } from '../../ingest/redis.ts';

export interface RedisHealth {
  version: string;
  used_memory_bytes: number;
  /** 0 = no limit. */
  max_memory_bytes: number;
  appendonly: boolean;
}

/** What the text of `INFO` says of memory and durability; Valkey answers in the same words. */
export function redisHealthOf(info: string): RedisHealth {
  const read = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
  return {
    version: read('valkey_version') || read('redis_version'),
    used_memory_bytes: Number(read('used_memory') || 0),
    max_memory_bytes: Number(read('maxmemory') || 0),
    appendonly: read('aof_enabled') === '1',
  };
}

export async function readRedisHealth(redis: Redis): Promise<RedisHealth> {
  return redisHealthOf(await redis.info());
}
