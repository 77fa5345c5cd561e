import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { commandOf, identityOf } from '../../ingest/process-identity.ts';
import { builtModule } from '../support/built-module.ts';
import { untilPasses } from '../support/until-passes.ts';

let dataDir: string;
let lines: string[];
const log = (line: string) => void lines.push(line);
const running: LocalRedis[] = [];

beforeEach(() => {
  // A blank and a quote in the path: they go through Redis' own configuration syntax.
  dataDir = mkdtempSync(join(tmpdir(), 'keytally "redis" '));
  lines = [];
});

afterEach(async () => {
  for (const redis of running.splice(0)) await redis.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(options: { onExit?: (reason: string) => void } = {}): Promise<LocalRedis> {
  const redis = await startLocalRedis({ dataDir, log, ...options });
  running.push(redis);
  return redis;
}

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

async function setting(url: string, name: string): Promise<string> {
  const reply = (await withClient(url, (client) => client.config('GET', name))) as string[] | Record<string, string>;
  return (Array.isArray(reply) ? reply[1] : reply[name]) ?? '';
}

describe('startLocalRedis', () => {
  it('runs append-only, without eviction, on loopback, behind a password that only its owner can read', async () => {
    const redis = await start();
    expect(await setting(redis.url, 'appendonly')).toBe('yes');
    expect(await setting(redis.url, 'appendfsync')).toBe('everysec');
    expect(await setting(redis.url, 'save')).toBe('');
    expect(await setting(redis.url, 'maxmemory-policy')).toBe('noeviction');
    expect(Number(await setting(redis.url, 'maxmemory'))).toBeGreaterThanOrEqual(256 * 2 ** 20);
    expect(await setting(redis.url, 'bind')).toBe('127.0.0.1');

    const { password, port } = new URL(redis.url);
    expect(password.length).toBeGreaterThanOrEqual(32);
    await expect(withClient(`redis://127.0.0.1:${port}`, (client) => client.get('a'))).rejects.toThrow();
    expect(commandOf(redis.pid)).not.toContain(password);
    expect(lines.join('\n')).not.toContain(password);
    expect(readFileSync(join(dataDir, 'redis/redis.log'), 'utf8')).not.toContain(password);
    expect(statSync(join(dataDir, 'redis')).mode & 0o777).toBe(0o700);
    expect(statSync(join(dataDir, 'redis/redis.conf')).mode & 0o777).toBe(0o600);
  });

  it('keeps the data and the password over stop and start, and is gone after stop', async () => {
    const first = await start();
    await withClient(first.url, (client) => client.set('kept', 'yes'));
    await first.stop();
    await first.stop();
    expect(identityOf(first.pid)).toBeUndefined();
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(new URL(second.url).password).toBe(new URL(first.url).password);
    expect(await withClient(second.url, (client) => client.get('kept'))).toBe('yes');
  });

  it('has its own process group, so that Ctrl-C in the terminal does not reach it', async () => {
    const redis = await start();
    const stat = readFileSync(`/proc/${redis.pid}/stat`, 'utf8');
    const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
    expect(group).toBe(redis.pid);
  });

  it('reports that the server ended by itself, and starts again with what was written', async () => {
    const onExit = vi.fn();
    const redis = await start({ onExit });
    await withClient(redis.url, (client) => client.set('kept', 'yes'));
    process.kill(redis.pid, 'SIGKILL');
    await untilPasses(() => expect(onExit).toHaveBeenCalledOnce());
    expect(onExit.mock.calls[0]?.[0]).toContain(`process ${redis.pid}`);
    await redis.stop();
    const again = await start();
    expect(await withClient(again.url, (client) => client.get('kept'))).toBe('yes');
  });

  it('does not report an end that was asked for', async () => {
    const onExit = vi.fn();
    const redis = await start({ onExit });
    await redis.stop();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(onExit).not.toHaveBeenCalled();
  });

  it('says in one line why it cannot start', async () => {
    const redis = await start();
    await redis.stop();
    rmSync(join(dataDir, 'redis/appendonlydir'), { recursive: true, force: true });
    writeFileSync(join(dataDir, 'redis/appendonlydir'), 'a file in the way');
    await expect(start()).rejects.toThrow(/^redis-server did not start on .*[^\n]+$/);
  });
});

describe('a server whose parent was killed', () => {
  it('is adopted with its data instead of being started twice', async () => {
    const pid = await startedByKilledParent();
    expect(identityOf(pid)).toBeDefined();
    const redis = await start();
    expect(redis).toMatchObject({ pid, adopted: true });
    expect(lines.join('\n')).toContain(`process ${pid}`);
    expect(await withClient(redis.url, (client) => client.get('from'))).toBe('killed parent');
    await redis.stop();
    expect(identityOf(pid)).toBeUndefined();
    expect(readdirSync(join(dataDir, 'redis'))).toContain('appendonlydir');
  });
});

/** Starts a server from another process, kills that process with SIGKILL, and returns the server's number. */
async function startedByKilledParent(): Promise<number> {
  const module = pathToFileURL(builtModule('ingest/local-redis.ts')).href;
  const source = `
    import { Redis } from 'ioredis';
    import { startLocalRedis } from ${JSON.stringify(module)};
    const redis = await startLocalRedis({ dataDir: process.argv[1], log: () => {} });
    await new Redis(redis.url).set('from', 'killed parent');
    console.log(redis.pid);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = await new Promise<number>((resolve) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
  });
  await new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGKILL');
  });
  return pid;
}
