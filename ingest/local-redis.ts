import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, realpathSync, renameSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from './config-error.ts';
import {
  freePort,
  lastLogLine,
  lastPid,
  newPassword,
  readConfig,
  type ServerConfig,
  writeConfig,
} from './local-redis-config.ts';
import { controlOf, type RedisControl, waitUntilReady } from './local-redis-control.ts';
import { commandOf, identityOf, isRunning, type ProcessIdentity } from './process-identity.ts';
import { ensureRedisServer, REDIS_ARGV0 } from './redis-install.ts';
import type { LogLine } from './system-package.ts';

export interface LocalRedisOptions {
  /** Data folder of this Keytally; the server's files go to `redis/` in it. The caller holds its lock. */
  dataDir: string;
  log: LogLine;
  /** Default: a quarter of the machine's or container's memory, 256 MiB to 4 GiB. */
  maxMemoryBytes?: number;
  /** The server ended without `stop()`. */
  onExit?: (reason: string) => void;
}

/** A running server of our own. */
export interface LocalRedis {
  /** Holds the password: not for logs. */
  url: string;
  pid: number;
  /** Whether a server left by a killed process was found and kept. */
  adopted: boolean;
  /** Lets the server save and end; returns when it is gone. May be called more than once. */
  stop(): Promise<void>;
}

interface RunningServer {
  identity: ProcessIdentity;
  control: RedisControl;
  config: ServerConfig;
}

/** A free port can be taken by somebody else before the server binds it. */
const START_ATTEMPTS = 5;
/** Time without any answer. A server that reads its log back does answer, and is waited for as long as it takes. */
const SILENT_LIMIT_MS = 15_000;
/** Each of the three ways to end a server gets this long; a fork or a slow disk can hold it up. */
const STOP_STEP_MS = 10_000;
const WATCH_INTERVAL_MS = 500;
const LOG_LIMIT_BYTES = 5_000_000;

/**
 * Starts Keytally's own Redis on a private loopback port: append-only log, no eviction, generated password.
 * A server that outlived its killed parent on the same files is adopted, because a second one would corrupt them.
 *
 * @throws {ConfigError} of one line when no server can be installed or started
 */
export async function startLocalRedis(options: LocalRedisOptions): Promise<LocalRedis> {
  const dir = serverFolder(options.dataDir);
  const maxMemoryBytes = options.maxMemoryBytes ?? defaultMaxMemoryBytes();
  const previous = readConfig(dir);
  const orphan = previous && (await findOrphan(previous, options.log));
  if (orphan) {
    await orphan.control.setMaxMemory(maxMemoryBytes);
    options.log(`keeping the redis-server that still runs on this data folder (process ${orphan.identity.pid})`);
    return supervise(orphan, true, options);
  }
  const program = await ensureRedisServer(options.log);
  for (let attempt = 1; ; attempt++) {
    const config = { dir, maxMemoryBytes, port: await freePort(), password: previous?.password ?? newPassword() };
    const started = await launch(program, config, options.log);
    if (typeof started !== 'string') return supervise(started, false, options);
    if (attempt === START_ATTEMPTS || !/address already in use/i.test(started)) {
      throw new ConfigError(`redis-server did not start on ${dir}: ${started}`);
    }
  }
}

function serverFolder(dataDir: string): string {
  const dir = join(resolve(dataDir), 'redis');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
  const log = join(dir, 'redis.log');
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) renameSync(log, `${log}.1`);
  return realpathSync(dir);
}

function defaultMaxMemoryBytes(): number {
  // Without a container limit constrainedMemory() is 0 or larger than any machine.
  const available = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
  return Math.round(Math.min(4 * 2 ** 30, Math.max(256 * 2 ** 20, available / 4)));
}

/** The server of an earlier, killed parent. One that is just ending is waited for: its files are not free yet. */
async function findOrphan(config: ServerConfig, log: LogLine): Promise<RunningServer | undefined> {
  const control = controlOf(config);
  const found = await control.identify();
  const identity = found === undefined ? undefined : identityOf(found.pid);
  if (found !== undefined && identity !== undefined && realpathSync(found.dir) === config.dir) {
    const ready = await waitUntilReady(control, () => !isRunning(identity), loadingNotice(log), SILENT_LIMIT_MS);
    if (ready) return { identity, control, config };
  }
  const last = identityOf(lastPid(config.dir));
  if (last === undefined || !commandOf(last.pid).includes(`:${config.port}`)) return undefined;
  if (await ended(last, STOP_STEP_MS)) return undefined;
  throw new ConfigError(`a redis-server (process ${last.pid}) holds ${config.dir} and does not answer: end it first`);
}

async function launch(program: string, config: ServerConfig, log: LogLine): Promise<RunningServer | string> {
  // Its own process group: Ctrl-C in the terminal must reach the parent only, which stops the server last.
  const child = spawn(program, [writeConfig(config)], { argv0: REDIS_ARGV0, detached: true, stdio: 'ignore' });
  let reason = '';
  child.once('error', (error) => (reason = error.message));
  child.once('exit', (code, signal) => (reason = lastLogLine(config.dir) || `it ended with ${signal ?? code}`));
  child.unref();
  const control = controlOf(config);
  const ready = await waitUntilReady(control, () => reason !== '', loadingNotice(log), SILENT_LIMIT_MS);
  const identity = child.pid === undefined ? undefined : identityOf(child.pid);
  if (ready && identity !== undefined) return { identity, control, config };
  child.kill('SIGKILL');
  return reason || 'it does not answer';
}

function loadingNotice(log: LogLine): () => void {
  return () => log('redis-server is reading its log back, which takes longer the more it holds');
}

function supervise(server: RunningServer, adopted: boolean, options: LocalRedisOptions): LocalRedis {
  const { identity, config } = server;
  let stopping: Promise<void> | undefined;
  // An adopted server is nobody's child, so both kinds are watched by their number.
  const watch = setInterval(() => {
    if (isRunning(identity)) return;
    release();
    options.onExit?.(`redis-server (process ${identity.pid}) ended: ${lastLogLine(config.dir)}`);
  }, WATCH_INTERVAL_MS).unref();
  // A parent that crashes still lets it save; only kill -9 leaves it running, to be adopted.
  const endWithParent = () => signalTo(identity, 'SIGTERM');
  process.once('exit', endWithParent);
  const release = () => {
    clearInterval(watch);
    process.off('exit', endWithParent);
  };
  return {
    url: `redis://:${config.password}@127.0.0.1:${config.port}`,
    pid: identity.pid,
    adopted,
    stop() {
      release();
      stopping ??= stopServer(server, options.log);
      return stopping;
    },
  };
}

async function stopServer({ identity, control }: RunningServer, log: LogLine): Promise<void> {
  const refusal = await control.shutdown();
  if (refusal !== '') log(`redis-server refuses to end: ${refusal}`);
  else if (await ended(identity, STOP_STEP_MS)) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isRunning(identity)) return;
    log(`redis-server (process ${identity.pid}) did not end by itself, sending ${signal}`);
    signalTo(identity, signal);
    if (await ended(identity, STOP_STEP_MS)) return;
  }
}

function signalTo(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (isRunning(identity)) process.kill(identity.pid, signal);
  } catch {
    // It ended between the two calls.
  }
}

async function ended(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (isRunning(identity)) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}
