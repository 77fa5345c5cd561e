import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** What the own Redis runs with. It is kept in `redis.conf` (0600) only: never in arguments, environment or logs. */
export interface ServerConfig {
  dir: string;
  port: number;
  password: string;
  maxMemoryBytes: number;
}

const CONFIG_FILE = 'redis.conf';
const PASSWORD_BYTES = 24;

/** A password for a new data folder; hexadecimal, so that it needs no quoting in the file and the URL. */
export function newPassword(): string {
  return randomBytes(PASSWORD_BYTES).toString('hex');
}

/** Writes the configuration and returns its path. Renamed into place: a reader never sees half of it. */
export function writeConfig(config: ServerConfig): string {
  const path = join(config.dir, CONFIG_FILE);
  const lines = [
    '# Written by Keytally at every start; changes are lost.',
    'bind 127.0.0.1',
    `port ${config.port}`,
    'protected-mode yes',
    `requirepass ${config.password}`,
    'daemonize no',
    'supervised no',
    `dir ${quoted(config.dir)}`,
    'logfile redis.log',
    'pidfile redis.pid',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    `maxmemory ${config.maxMemoryBytes}`,
  ];
  writeFileSync(`${path}.new`, lines.join('\n') + '\n', { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return path;
}

/** Configuration of the last start in this folder; undefined when there was none or it cannot be read. */
export function readConfig(dir: string): ServerConfig | undefined {
  let text: string;
  try {
    text = readFileSync(join(dir, CONFIG_FILE), 'utf8');
  } catch {
    return undefined;
  }
  const value = (name: string) => new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1] ?? '';
  const port = Number(value('port'));
  const password = value('requirepass');
  if (!Number.isInteger(port) || port <= 0 || password === '') return undefined;
  return { dir, port, password, maxMemoryBytes: Number(value('maxmemory')) || 0 };
}

/** Process number the server wrote down at its last start; 0 when it wrote none. It may be long gone. */
export function lastPid(dir: string): number {
  try {
    return Number(readFileSync(join(dir, 'redis.pid'), 'utf8').trim()) || 0;
  } catch {
    return 0;
  }
}

/** Last line of the server's own log, for an error message. */
export function lastLogLine(dir: string): string {
  try {
    return readFileSync(join(dir, 'redis.log'), 'utf8').trimEnd().split('\n').at(-1) ?? '';
  } catch {
    return '';
  }
}

/** A loopback port nobody uses at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}
