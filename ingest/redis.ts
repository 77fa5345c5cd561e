import { Cluster, type ClusterOptions, type RedisOptions, Redis as Single } from 'ioredis';
import { ConfigError } from './config-error.ts';
import { parseRedisUrl, type RedisAddress, shownAddress } from './redis-address.ts';
import { OLDEST_REDIS_MAJOR, outdatedVersion } from './redis-version.ts';

/** One Redis or a Redis Cluster. All keys of one command, script or pipeline must share a hash tag (`{keytally}…`). */
export type Redis = Single | Cluster;

/**
 * How a connection behaves while Redis is away.
 * - `producer`: commands fail at once, so that the collector can answer 503 instead of holding requests
 * - `worker`: commands wait for the reconnection, as BullMQ workers need
 */
export type ConnectionRole = 'producer' | 'worker';

/** As ioredis words it; it has no code. */
const CONNECTION_CLOSED = 'Connection is closed.';
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_RECONNECT_DELAY_MS = 2_000;
/**
 * A single Redis that sends nothing for this long while an answer is due is taken for gone: a host that vanishes closes no connection. A worker's
 * blocking reads are silent for up to 10 s.
 */
const SILENCE_TIMEOUT_MS: Record<ConnectionRole, number> = { producer: 10_000, worker: 30_000 };
/** As ioredis knows them. */
const RECONNECT = 1;
const RECONNECT_AND_SEND_AGAIN = 2;
/**
 * A command whose node is away is tried again this often, this long apart, while the cluster elects another: 3 s for
 * a producer, who answers 503 after it, and about an hour for a worker, who has nothing else to do.
 */
const FAILOVER_DELAY_MS = 100;
const FAILOVER_TRIES: Record<ConnectionRole, number> = { producer: 30, worker: 36_000 };
const SLOTS_REFRESH_INTERVAL_MS = 5_000;
const SLOTS_REFRESH_TIMEOUT_MS = 2_000;

const reconnectDelayMs = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), MAX_RECONNECT_DELAY_MS);

function redisOptions(role: ConnectionRole): RedisOptions {
  return {
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: reconnectDelayMs,
    enableOfflineQueue: role === 'worker',
    maxRetriesPerRequest: role === 'worker' ? null : 1,
    socketTimeout: SILENCE_TIMEOUT_MS[role],
    // A primary that became a replica keeps its connections; its address may lead to the new one meanwhile. A producer answers 503 for this once.
    reconnectOnError: ({ message }) =>
      message.startsWith('READONLY') && (role === 'worker' ? RECONNECT_AND_SEND_AGAIN : RECONNECT),
    lazyConnect: true,
  };
}

function clusterOptions(role: ConnectionRole, { isTls, username, password }: RedisAddress): ClusterOptions {
  return {
    lazyConnect: true,
    enableOfflineQueue: role === 'worker',
    maxRedirections: FAILOVER_TRIES[role],
    retryDelayOnFailover: FAILOVER_DELAY_MS,
    retryDelayOnClusterDown: FAILOVER_DELAY_MS,
    slotsRefreshInterval: SLOTS_REFRESH_INTERVAL_MS,
    slotsRefreshTimeout: SLOTS_REFRESH_TIMEOUT_MS,
    // The name in a certificate is lost when it is resolved to an address first.
    ...(isTls ? { dnsLookup: (address, callback) => callback(null, address) } : {}),
    redisOptions: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxRetriesPerRequest: role === 'worker' ? null : 1,
      ...(username === '' ? {} : { username }),
      ...(password === '' ? {} : { password }),
      ...(isTls ? { tls: {} } : {}),
    },
  };
}

/**
 * Opens a connection and waits until Redis answers.
 * @throws {ConfigError} when it does not, or is too old; the address is named without its password
 */
export async function connectRedis(url: string, role: ConnectionRole, onError: (error: Error) => void): Promise<Redis> {
  const address = parseRedisUrl(url);
  const redis = address.isCluster ? openCluster(address, role) : openSingle(url, role);
  redis.on('error', onError);
  let told: Error | undefined;
  const note = (error: Error) => (told ??= error);
  redis.on('error', note);
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    throw new ConfigError(`REDIS_URL: cannot reach Redis at ${shownAddress(address)}: ${reasonOf(error, told)}`);
  } finally {
    redis.off('error', note);
  }
  await refuseOutdated(redis, address);
  // From now on it may go away and come back: only the first try ends at once.
  if (redis instanceof Cluster) redis.options.clusterRetryStrategy = reconnectDelayMs;
  else redis.options.retryStrategy = reconnectDelayMs;
  return redis;
}

/** Hosted services may refuse INFO: their version is then left to their operator. */
async function refuseOutdated(redis: Redis, address: RedisAddress): Promise<void> {
  const infos = await Promise.all(mastersOf(redis).map((node) => node.info('server').catch(() => '')));
  const version = infos.map(outdatedVersion).find((outdated) => outdated !== undefined);
  if (version === undefined) return;
  redis.disconnect();
  throw new ConfigError(
    `REDIS_URL: Redis at ${shownAddress(address)} has version ${version}; Redis or Valkey ${OLDEST_REDIS_MAJOR} or newer is needed`,
  );
}

function openSingle(url: string, role: ConnectionRole): Single {
  return new Single(url, { ...redisOptions(role), retryStrategy: () => null });
}

function openCluster(address: RedisAddress, role: ConnectionRole): Cluster {
  return new Cluster([...address.nodes], { ...clusterOptions(role, address), clusterRetryStrategy: () => null });
}

/** A second connection for listening to channels, which waits while Redis is away. */
export function subscriberOf(redis: Redis): Redis {
  if (redis instanceof Cluster) return redis.duplicate([], { enableOfflineQueue: true });
  return redis.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
}

/**
 * A readiness check: a write that changes nothing, which needs no memory. A primary that became a replica still answers PING; that it refuses this has
 * the connection made again.
 */
export async function checkWrites(redis: Redis): Promise<undefined> {
  await redis.del('{keytally}:readiness');
}

/** The nodes that hold data and take writes. */
export function mastersOf(redis: Redis): Single[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis];
}

/** The URL as it may be shown: without user and password. */
export function withoutSecret(url: string): string {
  const parsed = new URL(url);
  return `${parsed.protocol}//${parsed.host}${parsed.pathname === '/' ? '' : parsed.pathname}`;
}

/** @param told what the connection said before: of a refused password the command itself hears only that the connection is closed */
function reasonOf(error: unknown, told: Error | undefined): string {
  if (told !== undefined && (error as Error).message === CONNECTION_CLOSED) return reasonOf(told, undefined);
  const { message, code, lastNodeError } = error as { message?: string; code?: string; lastNodeError?: Error };
  return lastNodeError?.message || message || code || 'no answer';
}
