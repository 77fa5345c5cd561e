import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CollectorPart } from '../ingest/collector-part.ts';
import type { Config } from '../ingest/config.ts';
import { ConfigError } from '../ingest/config-error.ts';
import { lockDataFolder } from '../ingest/data-folder.ts';
import { createApp, type Listening, listen, type ReadinessChecks } from '../ingest/http-server.ts';
import { startLocalRedis } from '../ingest/local-redis.ts';
import type { Logger } from '../ingest/logger.ts';
import { startTracing } from '../ingest/tracing.ts';
import type { Store } from '../workers/clickhouse/store.ts';
import type { WorkerPart } from '../workers/worker-part.ts';
import type { ApiPart } from './api-part.ts';
import { startError } from './start-error.ts';
import { StartStopped, UndoStack } from './undo-stack.ts';

export type PartName = 'collector' | 'worker' | 'api';

export interface Running {
  url: string;
  /** Token of the first administrator, when this start made it. */
  firstToken: string | undefined;
  redisUrl: string;
  store: Store | undefined;
  config: Config;
  /** Stops in the order in which nothing is lost; never rejects. */
  stop(): Promise<void>;
}

/** What is being started when a stop comes gets this long to come up and be stopped; a store that is waited for would take longer. */
const LATE_LIMIT_MS = 3_000;

/**
 * Starts the parts of one process. Each start adds its own undoing; they run in reverse, which is the order
 * of a loss-free stop: HTTP, consumers, ClickHouse, Redis, the folder's lock.
 *
 * @param signal ends a start that has not come to its end; what was started is stopped again
 * @throws {ConfigError} for anything that configuration can mend; what was started is stopped again
 * @throws {StartStopped} when the signal ended it
 */
export async function startParts(
  names: readonly PartName[],
  config: Config,
  log: Logger,
  onCrash: (error: unknown) => void,
  signal?: AbortSignal,
): Promise<Running> {
  const undo = new UndoStack(log);
  const starting = start(new Set(names), config, log, onCrash, undo);
  try {
    return { ...(await Promise.race([starting, aborted(signal)])), stop: () => undo.undo() };
  } catch (error) {
    await undo.undo();
    if (!(error instanceof StartStopped)) throw startError(error, config.CLICKHOUSE_URL !== undefined);
    await Promise.race([starting.catch(() => undefined), sleep(LATE_LIMIT_MS)]);
    await undo.undo();
    throw error;
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new StartStopped()), { once: true });
  });
}

async function start(
  names: ReadonlySet<PartName>,
  config: Config,
  log: Logger,
  onCrash: (error: unknown) => void,
  undo: UndoStack,
): Promise<Omit<Running, 'stop'>> {
  const needsStore = names.has('worker') || names.has('api');
  if (needsStore && !config.PUBLIC_URL)
    log.warn('PUBLIC_URL is not set: messages carry no links and mails cannot be unsubscribed');
  const tracing = await startTracing(config, [...names].join(','), log);
  undo.push(() => tracing.close());
  const folder = await takeFolder(config, needsStore, undo);
  const redisUrl = config.REDIS_URL ?? (await ownRedis(names, folder, config, log, onCrash, undo));
  const store = needsStore ? await loadAndOpenStore(config, folder) : undefined;
  if (store) undo.push(() => store.close());
  // A part is loaded when it is started: a collector alone needs neither engine nor pages.
  let worker: WorkerPart | undefined;
  if (names.has('worker')) {
    const { startWorker } = await import('../workers/worker-part.ts');
    worker = await startWorker({ config, redisUrl, store: store!, log, onCrash });
    undo.push(() => worker!.close());
  }
  let collector: CollectorPart | undefined;
  if (names.has('collector')) {
    const { startCollector } = await import('../ingest/collector-part.ts');
    collector = await startCollector(config, redisUrl, log, onCrash);
    undo.push(() => collector!.close());
  }
  let api: ApiPart | undefined;
  if (names.has('api')) {
    const { startApi } = await import('./api-part.ts');
    api = await startApi({ config, redisUrl, store: store!, log, geoBuiltAt: () => worker?.geoBuiltAt() });
    undo.push(() => api!.close());
  }
  const http = await serve(config, log, { worker, collector, api }, undo);
  const url = config.PUBLIC_URL ?? `http://${config.HOST === '0.0.0.0' ? '127.0.0.1' : config.HOST}:${http.port}`;
  log.info({ url, parts: [...names] }, 'ready');
  return { url, firstToken: worker?.firstToken, redisUrl, store, config };
}

async function loadAndOpenStore(config: Config, folder: string): Promise<Store> {
  const { openStore } = await import('../workers/clickhouse/store.ts');
  return openStore(config, join(folder, 'clickhouse'));
}

/** The data folder, locked when something of this process lives in it. */
async function takeFolder(config: Config, needsStore: boolean, undo: UndoStack): Promise<string> {
  const folder = resolve(config.KEYTALLY_DATA_DIR);
  if (config.REDIS_URL && (config.CLICKHOUSE_URL || !needsStore)) return folder;
  const lock = await lockDataFolder(folder);
  undo.push(() => lock.release());
  return folder;
}

async function ownRedis(
  names: ReadonlySet<PartName>,
  folder: string,
  config: Config,
  log: Logger,
  onCrash: (error: unknown) => void,
  undo: UndoStack,
): Promise<string> {
  if (!names.has('collector') || !names.has('worker')) {
    throw new ConfigError('REDIS_URL: is required when the parts run as separate processes');
  }
  const redis = await startLocalRedis({
    dataDir: folder,
    log: (line) => log.info(line),
    maxMemoryBytes: config.REDIS_MAX_MEMORY_BYTES,
    onExit: (reason) => onCrash(new Error(`the own Redis ended: ${reason}`)),
  });
  undo.push(() => redis.stop());
  return redis.url;
}

/**
 * The stores alone, for commands that work on the data of a system: the configured servers, or the own Redis and the
 * embedded engine of the data folder, which no running Keytally may hold.
 */
export async function withStores<T>(
  config: Config,
  log: Logger,
  act: (stores: { redisUrl: string; store: Store }) => Promise<T>,
): Promise<T> {
  const undo = new UndoStack(log);
  try {
    const folder = await takeFolder(config, true, undo);
    const ends = (error: unknown) => log.fatal({ err: error }, 'Redis ended');
    const redisUrl =
      config.REDIS_URL ?? (await ownRedis(new Set(['collector', 'worker']), folder, config, log, ends, undo));
    const store = await loadAndOpenStore(config, folder);
    undo.push(() => store.close());
    return await act({ redisUrl, store });
  } finally {
    await undo.undo();
  }
}

interface StartedParts {
  worker: WorkerPart | undefined;
  collector: CollectorPart | undefined;
  api: ApiPart | undefined;
}

async function serve(
  config: Config,
  log: Logger,
  { worker, collector, api }: StartedParts,
  undo: UndoStack,
): Promise<Listening> {
  const checks: ReadinessChecks = { ...worker?.checks, ...collector?.checks, ...api?.checks };
  const routers = [api?.first, collector?.router, api?.router].filter((router) => router !== undefined);
  const app = createApp({ log, checks, routers, fallback: api?.fallback, trustedProxies: config.TRUSTED_PROXIES });
  const http = await listen(app, config.HOST, config.PORT);
  undo.push(async () => {
    app.drain();
    api?.drain();
    await http.close();
  });
  return http;
}
