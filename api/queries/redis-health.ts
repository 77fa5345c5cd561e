import { mastersOf, type Redis } from '../../ingest/redis.ts';
import { memoryRatio } from '../../ingest/redis-headroom.ts';

export interface RedisHealth {
  version: string;
  /** Of all masters of a cluster together, as the next. */
  used_memory_bytes: number;
  /** 0 = no limit, or a node without one. */
  max_memory_bytes: number;
  /** Share that is used of the fullest node; 0 when it has no limit. */
  used_ratio: number;
  /** Whether every node writes a log of its changes. */
  appendonly: boolean;
}

/** What the texts of `INFO` of all masters say of memory and durability; Valkey answers in the same words. */
export function redisHealthOf(infos: readonly string[]): RedisHealth {
  const read = (info: string, name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
  const numbers = (name: string) => infos.map((info) => Number(read(info, name) || 0));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const limits = numbers('maxmemory');
  const versions = infos.map((info) => read(info, 'valkey_version') || read(info, 'redis_version'));
  return {
    version: [...new Set(versions)].join(', '),
    used_memory_bytes: sum(numbers('used_memory')),
    max_memory_bytes: limits.includes(0) ? 0 : sum(limits),
    used_ratio: Math.max(0, ...infos.map(memoryRatio)),
    appendonly: infos.length > 0 && infos.every((info) => read(info, 'aof_enabled') === '1'),
  };
}

export async function readRedisHealth(redis: Redis): Promise<RedisHealth> {
  return redisHealthOf(await Promise.all(mastersOf(redis).map((node) => node.info())));
}
