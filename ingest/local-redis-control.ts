import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { ServerConfig } from './local-redis-config.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const COMMAND_TIMEOUT_MS = 5_000;

/** The few things the parent asks of its server, each over a connection of its own: it idles for days in between. */
export interface RedisControl {
  /** Process number and folder as the server knows them; undefined when nobody (or somebody else) answers. */
  identify(): Promise<{ pid: number; dir: string } | undefined>;
  /** 'ready', 'loading' (reads its log back), or 'silent'. */
  state(): Promise<'ready' | 'loading' | 'silent'>;
  setMaxMemory(bytes: number): Promise<void>;
  /** Asks the server to write everything down and end. Returns the refusal, '' when it went. */
  shutdown(): Promise<string>;
}

/** Speaks to the server behind this configuration. No call throws for a server that is away. */
export function controlOf(config: ServerConfig): RedisControl {
  return {
    async identify() {
      return ask(config, async (redis) => {
        const dir = (await redis.call('CONFIG', 'GET', 'dir')) as string[] | Record<string, string>;
        const pid = /process_id:(\d+)/.exec(await redis.info('server'))?.[1];
        return { pid: Number(pid), dir: (Array.isArray(dir) ? dir[1] : dir.dir) ?? '' };
      }).catch(() => undefined);
    },
    async state() {
      return ask(config, async (redis) => {
        await redis.ping();
        return 'ready' as const;
      }).catch((error: unknown) => (/LOADING/.test(String(error)) ? 'loading' : 'silent'));
    },
    async setMaxMemory(bytes) {
      await ask(config, (redis) => redis.config('SET', 'maxmemory', String(bytes))).catch(() => undefined);
    },
    async shutdown() {
      // The server ends without an answer: the broken connection is the success.
      return ask(config, (redis) => redis.shutdown()).then(
        () => '',
        (error: Error) => (/^(ERR|MISCONF)/.test(error.message) ? error.message : ''),
      );
    },
  };
}

async function ask<T>(config: ServerConfig, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({
    host: '127.0.0.1',
    port: config.port,
    password: config.password,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    // A server that reads its log back answers; waiting for it is up to the caller.
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

/** Waits until the server answers, however long it reads its log back; false once `gone()` says it ended. */
export async function waitUntilReady(
  control: RedisControl,
  gone: () => boolean,
  onLoading: () => void,
  silentLimitMs: number,
): Promise<boolean> {
  let silentSince = Date.now();
  let told = false;
  for (;;) {
    if (gone()) return false;
    const state = await control.state();
    if (state === 'ready') return true;
    if (state === 'loading') {
      silentSince = Date.now();
      if (!told) onLoading();
      told = true;
    } else if (Date.now() - silentSince > silentLimitMs) return false;
    await sleep(state === 'loading' ? 200 : 20);
  }
}
