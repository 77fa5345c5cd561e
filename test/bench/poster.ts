import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { packageRoot } from '../../ingest/package-root.ts';

export interface PosterOptions {
  url: string;
  records: number;
  recordsPerPost: number;
  posters?: number;
  seed?: number;
  withUuid?: boolean;
}

/** A process that sends records and is not measured: see poster-part.ts. */
export class Poster {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! });
  }

  static async start({
    url,
    records,
    recordsPerPost,
    posters = 12,
    seed = 1,
    withUuid = false,
  }: PosterOptions): Promise<Poster> {
    const program = join(packageRoot(), 'dist/test/bench/poster-part.js');
    const args = [records, recordsPerPost, posters, seed, withUuid ? 1 : 0].map(String);
    const child = spawn(process.execPath, ['--max-semi-space-size=64', program, url, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const poster = new Poster(child);
    await poster.#line();
    return poster;
  }

  /** Sends everything once. */
  async post(): Promise<void> {
    this.#child.stdin!.write('all\n');
    await this.#line();
  }

  /** Sends at a steady rate. Ask what `stopped` tells: records a second that were taken. */
  steadily(perSecond: number): { stopped: () => Promise<number> } {
    const startedAt = performance.now();
    this.#child.stdin!.write(`steady ${perSecond}\n`);
    const line = this.#line();
    return {
      stopped: async () => {
        this.#child.stdin!.write('stop\n');
        const sent = Number((await line).split(' ')[1]);
        return Math.round((sent * 1000) / (performance.now() - startedAt));
      },
    };
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async #line(): Promise<string> {
    const gone = once(this.#child, 'exit').then((): never => {
      throw new Error('the sending process ended');
    });
    const [line] = await Promise.race([once(this.#lines, 'line'), gone]);
    return String(line);
  }
}
