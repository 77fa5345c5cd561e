import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { packageRoot } from '../../ingest/package-root.ts';
import { ensureRedisServer, REDIS_ARGV0 } from '../../ingest/redis-install.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { fixedPort } from '../support/fixed-port.ts';
import type { Target } from './schedule.ts';
import { type Service, Supervised } from './supervisor.ts';

export const CHAOS_TOKEN = 'kt_chaoschaoschaoschaoschaoschaoschaos00';
/** Enough for the run; `redis_full` lowers it for a while. */
const REDIS_MEMORY = 256 * 2 ** 20;
const DISK_BYTES = 192 * 2 ** 20;
const CHUNK_BYTES = 2 ** 20;

/** Every process of a deployment, each supervised, on ports that stay. */
export class ChaosSystem {
  readonly folder: string;
  readonly proxy: FaultProxy;
  readonly parts: Record<Target, Supervised>;
  readonly ports: Record<Target, number>;
  /** Whether Redis writes to a small disk of its own, which can be filled. */
  readonly ownDisk: boolean;

  private constructor(
    folder: string,
    proxy: FaultProxy,
    parts: Record<Target, Supervised>,
    ports: Record<Target, number>,
    ownDisk: boolean,
  ) {
    this.folder = folder;
    this.proxy = proxy;
    this.parts = parts;
    this.ports = ports;
    this.ownDisk = ownDisk;
  }

  static async start(folder: string, fsync: 'always' | 'everysec', smallDisk: boolean): Promise<ChaosSystem> {
    const ports = {} as Record<Target, number>;
    for (const name of ['collector-0', 'collector-1', 'worker-0', 'worker-1', 'api', 'redis', 'store'] as const) {
      ports[name] = await fixedPort();
    }
    for (const name of ['redis', 'store', 'clocks']) mkdirSync(join(folder, name));
    const ownDisk = smallDisk && mountSmallDisk(join(folder, 'redis'));
    const proxy = new FaultProxy(() => ports.store);
    await proxy.start();
    const env = {
      REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
      CLICKHOUSE_URL: proxy.url,
      KEYTALLY_ADMIN_TOKEN: CHAOS_TOKEN,
      KEYTALLY_DATA_DIR: join(folder, 'data'),
      KEYTALLY_SECRET_KEY: Buffer.alloc(32, 'chaos').toString('base64'),
      WEBHOOK_ALLOW_PRIVATE: '127.0.0.1',
      INGEST_LINGER_MS: '50',
    };
    const supervise = (service: Service) => new Supervised(service, folder);
    const redis = supervise(await redisService(folder, ports.redis, fsync));
    const store = supervise(storeService(folder, ports.store));
    await Promise.all([redis.untilAlive(), store.untilAlive()]);
    const part = (name: Target, command: string) => supervise(partService(folder, name, command, ports[name], env));
    // The first worker makes the schema; the others find it.
    const first = part('worker-0', 'worker');
    await first.untilAlive();
    const parts = {
      ...{ redis, store, 'worker-0': first, 'worker-1': part('worker-1', 'worker') },
      'collector-0': part('collector-0', 'ingest'),
      'collector-1': part('collector-1', 'ingest'),
      api: part('api', 'api'),
    };
    await Promise.all(Object.values(parts).map((supervised) => supervised.untilAlive()));
    return new ChaosSystem(folder, proxy, parts, ports, ownDisk);
  }

  get collectorUrls(): string[] {
    return [`http://127.0.0.1:${this.ports['collector-0']}`, `http://127.0.0.1:${this.ports['collector-1']}`];
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.ports.api}`;
  }

  setClock(target: Target, offsetMs: number): void {
    writeFileSync(clockFile(this.folder, target), String(offsetMs));
  }

  /** Redis refuses writes for want of memory, or takes them again. */
  async redisFull(full: boolean): Promise<void> {
    const redis = new Redis(this.ports.redis, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      await redis.config('SET', 'maxmemory', full ? '1mb' : String(REDIS_MEMORY));
    } finally {
      redis.disconnect();
    }
  }

  /** Fills the disk that Redis writes its log to, or empties it. */
  diskFull(full: boolean): void {
    const ballast = join(this.folder, 'redis', 'ballast');
    if (!full) {
      rmSync(ballast, { force: true });
      return;
    }
    const chunk = Buffer.alloc(CHUNK_BYTES);
    try {
      for (let written = 0; written < DISK_BYTES; written += CHUNK_BYTES) writeFileSync(ballast, chunk, { flag: 'a' });
    } catch {
      // Full: that was the wish.
    }
  }

  async stop(): Promise<void> {
    const { redis, store, ...parts } = this.parts;
    await Promise.all(Object.values(parts).map((part) => part.stop('SIGTERM')));
    await Promise.all([redis.stop('SIGKILL'), store.stop('SIGKILL'), this.proxy.stop()]);
    if (this.ownDisk) spawnSync('umount', [join(this.folder, 'redis')]);
  }
}

/** A file system of its own needs the right to mount; without it the disk is never filled. */
function mountSmallDisk(folder: string): boolean {
  const size = `size=${DISK_BYTES}`;
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', folder], { stdio: 'ignore' });
  return mounted.status === 0;
}

const clockFile = (folder: string, name: string) => join(folder, 'clocks', name);

async function redisService(folder: string, port: number, fsync: string): Promise<Service> {
  const dir = join(folder, 'redis');
  const options = { bind: '127.0.0.1', port, dir, appendonly: 'yes', appendfsync: fsync, save: '' };
  const limits = { maxmemory: REDIS_MEMORY, 'maxmemory-policy': 'noeviction' };
  return {
    name: 'redis',
    command: await ensureRedisServer(() => {}),
    args: Object.entries({ ...options, ...limits }).flatMap(([name, value]) => [`--${name}`, String(value)]),
    argv0: REDIS_ARGV0,
    alive: async () => {
      const redis = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
      redis.on('error', () => undefined);
      try {
        await redis.connect();
        return (await redis.ping()) === 'PONG';
      } finally {
        redis.disconnect();
      }
    },
  };
}

function storeService(folder: string, port: number): Service {
  const program = join(packageRoot(), 'dist/test/chaos/store-process.js');
  if (!existsSync(program)) throw new Error(`${program} is missing: npm run build`);
  return {
    name: 'store',
    command: process.execPath,
    args: [program, join(folder, 'store'), String(port)],
    alive: async () => (await fetch(`http://127.0.0.1:${port}/ping`)).ok,
  };
}

function partService(
  folder: string,
  name: string,
  command: string,
  port: number,
  env: Record<string, string>,
): Service {
  const root = packageRoot();
  writeFileSync(clockFile(folder, name), '0');
  return {
    name,
    command: process.execPath,
    args: [
      '--max-semi-space-size=64',
      '--import',
      join(root, 'dist/test/chaos/clock-step.js'),
      join(root, 'dist/main.js'),
      command,
    ],
    env: { ...env, PORT: String(port), CHAOS_CLOCK_FILE: clockFile(folder, name), LOG_LEVEL: 'info' },
    alive: async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok,
  };
}
