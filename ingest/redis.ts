import { Redis, type RedisOptions } from 'ioredis';
import { ConfigError } from './config.ts';

/**
 * How a connection behaves while Redis is away.
 * - `producer`: commands fail at once, so that the collector can answer 503 instead of holding requests
 * - `worker`: commands wait for the reconnection, as BullMQ workers need
 */
export type ConnectionRole = 'producer' | 'worker';

const CONNECT_TIMEOUT_MS = 5_000;
const MAX_RECONNECT_DELAY_MS = 2_000;

export function redisOptions(role: ConnectionRole): RedisOptions {
  return {
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), MAX_RECONNECT_DELAY_MS),
    enableOfflineQueue: role === 'worker',
    maxRetriesPerRequest: role === 'worker' ? null : 1,
    lazyConnect: true,
  };
}

/**
 * Opens a connection and waits until Redis answers.
 * @throws {ConfigError} when it does not; the address is named without its password
 */
export async function connectRedis(url: string, role: ConnectionRole, onError: (error: Error) => void): Promise<Redis> {
  const redis = new Redis(url, { ...redisOptions(role), retryStrategy: () => null });
  redis.on('error', onError);
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    throw new ConfigError(`REDIS_URL: cannot reach Redis at ${withoutSecret(url)}: ${reasonOf(error)}`);
  }
  redis.options.retryStrategy = redisOptions(role).retryStrategy!;
  return redis;
}

/** The URL as it may be shown: without user and password. */
export function withoutSecret(url: string): string {
  const parsed = new URL(url);
  return `${parsed.protocol}//${parsed.host}${parsed.pathname === '/' ? '' : parsed.pathname}`;
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message || (error as { code?: string }).code || 'no answer';
}
