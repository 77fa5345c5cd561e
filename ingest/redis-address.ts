/** One Redis, or some nodes of a Redis Cluster from which the others are found. */
export interface RedisAddress {
  isCluster: boolean;
  nodes: readonly { host: string; port: number }[];
  isTls: boolean;
  /** '' = the default user. */
  username: string;
  /** '' = none. */
  password: string;
  /** Always 0 on a cluster, which has no others. */
  database: number;
}

const DEFAULT_PORT = 6379;
const FORM = 'redis://[user:password@]host[:port][,host[:port]…][/database][?cluster]';

/**
 * Reads `REDIS_URL`. Several addresses with commas between them mean a cluster; `?cluster` says so for a single one, such
 * as the configuration endpoint of a hosted cluster. `rediss://` is TLS. A full URL after a comma is accepted as well.
 *
 * @throws {Error} saying what is wrong, without showing any of the text, which may hold a password
 */
export function parseRedisUrl(text: string): RedisAddress {
  const parts = text.split(',').map((part) => part.trim());
  const first = urlOf(parts[0]!);
  if (!first || !/^rediss?:$/.test(first.protocol)) throw new Error(`must be a URL like ${FORM}`);
  const last = parts.length > 1 ? urlOf(withScheme(parts.at(-1)!, first.protocol)) : first;
  const nodes = parts.map((part) => urlOf(withScheme(part, first.protocol)));
  if (!last || nodes.some((node) => !node || node.hostname === '')) throw new Error(`must be a URL like ${FORM}`);
  const isCluster = parts.length > 1 || isOn(last.searchParams.get('cluster'));
  const database = Number(last.pathname.slice(1) || 0);
  if (!Number.isInteger(database) || database < 0) throw new Error('its database must be a whole number');
  if (isCluster && database !== 0) throw new Error('a cluster has database 0 only');
  return {
    isCluster,
    nodes: nodes.map((node) => ({ host: hostOf(node!), port: Number(node!.port) || DEFAULT_PORT })),
    isTls: first.protocol === 'rediss:',
    username: decodeURIComponent(first.username),
    password: decodeURIComponent(first.password),
    database,
  };
}

/** The addresses as they may be shown: without user and password. */
export function shownAddress({ nodes, isTls, database, isCluster }: RedisAddress): string {
  const hosts = nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  const path = database === 0 ? '' : `/${database}`;
  return `${isTls ? 'rediss' : 'redis'}://${hosts}${path}${isCluster && nodes.length === 1 ? '?cluster' : ''}`;
}

function withScheme(part: string, protocol: string): string {
  return part.includes('://') ? part : `${protocol}//${part}`;
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** ioredis wants IPv6 addresses without brackets. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function isOn(value: string | null): boolean {
  return value !== null && !['0', 'false', 'no'].includes(value);
}
