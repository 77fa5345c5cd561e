import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ensureRedisServer, REDIS_ARGV0 } from '../../ingest/redis-install.ts';
import { fixedPort } from './fixed-port.ts';

const SLOTS = 16_384;
/** A master that is silent for so long is replaced by its replica. */
const NODE_TIMEOUT_MS = 1_500;
const POLL_MS = 50;
const PATIENCE_MS = 20_000;

interface Node {
  port: number;
  busPort: number;
  child: ChildProcess;
  redis: Redis;
}

/** A Redis Cluster on loopback: masters with one replica each, all of them real servers. */
export class RedisCluster {
  readonly #masters: Node[];
  readonly #replicas: Node[];

  private constructor(masters: Node[], replicas: Node[]) {
    this.#masters = masters;
    this.#replicas = replicas;
  }

  /** As `REDIS_URL` names it. */
  get url(): string {
    return `redis://${this.#masters.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  static async start(folder: string, masters: number): Promise<RedisCluster> {
    const program = await ensureRedisServer(() => {});
    const start = (at: number) => startNode(program, join(folder, String(at)));
    const nodes = await Promise.all(Array.from({ length: masters * 2 }, (_, at) => start(at)));
    const cluster = new RedisCluster(nodes.slice(0, masters), nodes.slice(masters));
    await cluster.#join();
    return cluster;
  }

  async #join(): Promise<void> {
    const nodes = [...this.#masters, ...this.#replicas];
    for (const [at, { redis }] of this.#masters.entries()) {
      const first = Math.ceil((at * SLOTS) / this.#masters.length);
      const end = Math.ceil(((at + 1) * SLOTS) / this.#masters.length);
      await redis.cluster('ADDSLOTSRANGE', first, end - 1);
    }
    for (const { port, busPort } of nodes) {
      await nodes[0]!.redis.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort));
    }
    const isKnown = async () => {
      const lists = await Promise.all(nodes.map(({ redis }) => redis.cluster('NODES') as Promise<string>));
      return lists.every((list) => list.trim().split('\n').length === nodes.length && !list.includes('handshake'));
    };
    await until('the nodes know each other', isKnown);
    for (const [at, { redis }] of this.#replicas.entries()) {
      await redis.cluster('REPLICATE', (await this.#masters[at]!.redis.cluster('MYID')) as string);
    }
    await until('all slots are served and every replica follows', async () => {
      const states = await Promise.all(nodes.map(({ redis }) => redis.cluster('INFO') as Promise<string>));
      const links = await Promise.all(this.#replicas.map(({ redis }) => redis.info('replication')));
      return (
        states.every((state) => state.includes('cluster_state:ok')) &&
        links.every((link) => link.includes('master_link_status:up'))
      );
    });
  }

  /** kill -9 of the master that serves this share of the slots; its replica takes over by itself. */
  async killMaster(at: number): Promise<void> {
    const { child, redis } = this.#masters[at]!;
    redis.disconnect();
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }

  /** Whether the replica of this master has become a master. */
  async hasTakenOver(at: number): Promise<boolean> {
    return (await this.#replicas[at]!.redis.info('replication')).includes('role:master');
  }

  /** Keys on each master, by its place. */
  async keysPerMaster(): Promise<number[]> {
    return Promise.all(this.#masters.map(({ redis }) => redis.dbsize()));
  }

  async stop(): Promise<void> {
    for (const { child, redis } of [...this.#masters, ...this.#replicas]) {
      redis.disconnect();
      child.kill('SIGKILL');
    }
  }
}

async function startNode(program: string, dir: string): Promise<Node> {
  const [port, busPort] = [await fixedPort(), await fixedPort()];
  mkdirSync(dir, { recursive: true });
  const basic = ['--bind', '127.0.0.1', '--port', String(port), '--dir', dir, '--appendonly', 'yes', '--save', ''];
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  const timing = ['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--repl-diskless-sync-delay', '0'];
  const limits = ['--maxmemory', '268435456', '--maxmemory-policy', 'noeviction'];
  const options = [...basic, ...cluster, ...timing, ...limits];
  const child = spawn(program, options, { argv0: REDIS_ARGV0, stdio: 'ignore' });
  const endWithParent = () => child.kill('SIGKILL');
  process.once('exit', endWithParent);
  child.once('exit', () => process.off('exit', endWithParent));
  const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  await redis.ping();
  return { port, busPort, child, redis };
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const startedAt = Date.now();
  while (!(await isSo())) {
    if (Date.now() - startedAt > PATIENCE_MS) throw new Error(`the cluster did not get there: ${what}`);
    await sleep(POLL_MS);
  }
}
