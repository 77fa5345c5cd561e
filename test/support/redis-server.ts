import { type ChildProcess, spawn } from 'node:child_process';
import { connectRedis } from '../../ingest/redis.ts';
import { ensureRedisServer, REDIS_ARGV0 } from '../../ingest/redis-install.ts';
import { fixedPort } from './fixed-port.ts';

/** A Redis of a platform team: somebody else starts and stops it, on an address that stays. */
export class RedisServer {
  readonly #folder: string;
  readonly #port: number;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  static async create(folder: string): Promise<RedisServer> {
    return new RedisServer(folder, await fixedPort());
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  async start(maxMemoryBytes: number): Promise<void> {
    const options = ['--bind', '127.0.0.1', '--port', String(this.#port), '--dir', this.#folder, '--appendonly', 'yes'];
    const limits = ['--maxmemory', String(maxMemoryBytes), '--maxmemory-policy', 'noeviction', '--save', ''];
    this.#child = spawn(await ensureRedisServer(() => {}), [...options, ...limits], {
      argv0: REDIS_ARGV0,
      stdio: 'ignore',
    });
    for (let attempt = 0; ; attempt++) {
      const redis = await connectRedis(this.url, 'producer', () => {}).catch(() => undefined);
      redis?.disconnect();
      if (redis) return;
      if (attempt === 100) throw new Error('the test’s Redis did not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** kill -9 by default: what it had answered must be there after the next start. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  }
}
