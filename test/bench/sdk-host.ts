import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import autocannon from 'autocannon';
import { packageRoot } from '../../ingest/package-root.ts';
import type { SenderStats } from '../../ingest/sender.ts';

const CONNECTIONS = 20;
/** Of every request of the load. */
export const HEADERS = {
  'x-api-key': 'secret-of-a-customer',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
};

/** `empty` is an Express middleware that does nothing, which no other can fall below; `watching` is the SDK told by the server instead. */
export const VARIANTS = ['without', 'empty', 'with', 'watching'] as const;
export type Variant = (typeof VARIANTS)[number];
/** Slices of a round: to and fro, so that a drift of the machine's speed hits all alike. */
export const SLICE_ORDER: readonly Variant[] = [
  'without',
  'empty',
  'with',
  'watching',
  'watching',
  'with',
  'empty',
  'without',
];

/** Some requests in a row that one variant of the host answered. CPU is of all its threads. */
export interface Slice {
  variant: Variant;
  requests: number;
  seconds: number;
  cpuMicros: number;
  longestDelayMs: number;
}

interface State {
  stats: SenderStats;
  /** Since the last look, or the last slice. */
  longestDelayMs: number;
}

/** A part of the benchmark in a process of its own; it tells its address in its first line. */
export class Part {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(program: string, args: readonly string[], pin: readonly string[]): Promise<Part> {
    const path = join(packageRoot(), 'dist/test/bench', program);
    const command = [...pin, process.execPath, path, ...args];
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
    return new Part(child, (JSON.parse(line) as { url: string }).url);
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

/** As many requests as the host can answer, and how it did. */
export async function load(host: Part, path: string, seconds: number): Promise<Slice[]> {
  await autocannon({ url: host.url + path, connections: CONNECTIONS, duration: seconds, headers: HEADERS });
  return (await (await fetch(`${host.url}/slices`)).json()) as Slice[];
}

export async function stateOf(host: Part): Promise<State> {
  return (await (await fetch(`${host.url}/state`)).json()) as State;
}

/**
 * The command that keeps a process on the last processor, so that the host's own is what limits it, and what keeps
 * the load off it. Empty where the system has no `taskset`.
 */
export function pinHost(): string[] {
  const cores = availableParallelism();
  if (cores < 2 || spawnSync('taskset', ['--version']).status !== 0) return [];
  spawnSync('taskset', ['-a', '-c', '-p', `0-${cores - 2}`, String(process.pid)]);
  return ['taskset', '-c', String(cores - 1)];
}
