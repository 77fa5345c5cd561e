import { spawnSync } from 'node:child_process';
import { ConfigError } from './config-error.ts';
import { OLDEST_REDIS_MAJOR } from './redis-version.ts';
import { findProgram, installSystemPackage, type LogLine, run } from './system-package.ts';

/**
 * Redis decides by the name it is started under whether it is the server or its file checker (they are one binary).
 * Every start of the path from {@link ensureRedisServer} passes this as `argv0`.
 */
export const REDIS_ARGV0 = 'redis-server';

/**
 * Path of a `redis-server` or `valkey-server`, installed through the machine's package manager where it is missing.
 * Start it with `argv0: REDIS_ARGV0`.
 *
 * @throws {ConfigError} of one line, naming `REDIS_URL` and the compose file, when there is none and none can be installed
 */
export async function ensureRedisServer(log: LogLine): Promise<string> {
  const present = findServer();
  if (present !== undefined) return present;
  const reason = await install(log);
  const installed = findServer();
  if (installed !== undefined) {
    log(`installed ${installed}`);
    return installed;
  }
  throw new ConfigError(
    `REDIS_URL: is not set, and no redis-server could be installed (${reason || `the package brought none of version ${OLDEST_REDIS_MAJOR} or newer`}): ` +
      `install Redis or Valkey ${OLDEST_REDIS_MAJOR} or newer, or set REDIS_URL to a running Redis, for example the one of \`docker compose up redis\``,
  );
}

/**
 * Debian and Ubuntu ship the server's binary in `redis-tools`; their `redis-server` package adds a system service on
 * port 6379, started at once and at every boot. Only the binary is wanted, so the tools come first; where a
 * distribution packs them otherwise the service is switched off again after the install.
 */
async function install(log: LogLine): Promise<string> {
  const tools = await installSystemPackage({ apt: 'redis-tools', brew: 'redis' }, log);
  if (process.platform === 'darwin' || findServer() !== undefined) return tools;
  const server = await installSystemPackage({ apt: 'redis-server' }, log);
  if (server === '') await switchServiceOff(log);
  return server;
}

async function switchServiceOff(log: LogLine): Promise<void> {
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (findProgram(['systemctl']) !== undefined) await run([...prefix, 'systemctl', 'disable', '--now', 'redis-server']);
  else await run([...prefix, 'service', 'redis-server', 'stop']);
  log('switched off the redis-server system service that the package brought; Keytally runs its own');
}

function findServer(): string | undefined {
  const names = ['redis-server', 'valkey-server', 'redis-check-rdb', 'valkey-check-rdb'];
  for (const name of names) {
    const path = findProgram([name]);
    if (path !== undefined && serverMajor(path) >= OLDEST_REDIS_MAJOR) return path;
  }
  return undefined;
}

/** Major version of the server behind `path`; -1 when it is no server or does not run. */
function serverMajor(path: string): number {
  const result = spawnSync(path, ['--version'], { argv0: REDIS_ARGV0, encoding: 'utf8', timeout: 10_000 });
  const version = /server v=(\d+)\./i.exec(result.stdout ?? '');
  return version === null ? -1 : Number(version[1]);
}
