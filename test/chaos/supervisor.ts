import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Service {
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  argv0?: string;
  /** Whether it answers. */
  alive(): Promise<boolean>;
}

/** An end that no fault asked for. */
export interface UnaskedExit {
  name: string;
  code: number | string;
  lastLine: string;
}

const RESTART_MS = 300;
/** A store that works off a backlog on a busy machine answers reads late; a part that is stuck never does. */
const START_TIMEOUT_MS = 300_000;

/** Runs one process as an init system does: it is started again whenever it ends, whatever ended it. */
export class Supervised {
  readonly service: Service;
  readonly #logPath: string;
  #child: ChildProcess | undefined;
  #wanted = true;
  #asked = false;
  #awayMs = 0;
  #loop: Promise<void>;
  readonly unasked: UnaskedExit[] = [];

  constructor(service: Service, folder: string) {
    this.service = service;
    this.#logPath = join(folder, `${service.name}.log`);
    this.#loop = this.#run();
  }

  /** Waits until it answers. */
  async untilAlive(timeoutMs = START_TIMEOUT_MS): Promise<void> {
    for (const startedAt = Date.now(); !(await this.service.alive().catch(() => false)); await sleep(50)) {
      if (Date.now() - startedAt > timeoutMs) throw new Error(`${this.service.name} does not answer, ${this.#logPath}`);
    }
  }

  /** kill -9, now; it stays away for a while. @returns whether there was a process to kill */
  kill(awayMs: number): boolean {
    if (!this.#child || this.#child.exitCode !== null) return false;
    this.#asked = true;
    this.#awayMs = awayMs;
    return this.#child.kill('SIGKILL');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    this.#wanted = false;
    this.#asked = true;
    this.#child?.kill('SIGCONT');
    this.#child?.kill(signal);
    const hard = setTimeout(() => this.#child?.kill('SIGKILL'), 20_000);
    await this.#loop;
    clearTimeout(hard);
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      const code = await this.#once();
      if (!this.#asked) this.unasked.push({ name: this.service.name, code, lastLine: this.#lastLine() });
      const pauseMs = this.#asked ? this.#awayMs : RESTART_MS;
      this.#asked = false;
      if (this.#wanted) await sleep(pauseMs);
    }
  }

  #once(): Promise<number | string> {
    const { command, args, env, argv0 } = this.service;
    const log = openSync(this.#logPath, 'a');
    const child = spawn(command, args, {
      stdio: ['ignore', log, log],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      ...(argv0 ? { argv0 } : {}),
    });
    closeSync(log);
    this.#child = child;
    const end = () => child.kill('SIGKILL');
    process.once('exit', end);
    return new Promise((resolve) => {
      const settle = (code: number | string) => {
        process.off('exit', end);
        resolve(code);
      };
      child.once('error', (error) => settle(error.message));
      child.once('exit', (code, signal) => settle(signal ?? code ?? 'unknown'));
    });
  }

  #lastLine(): string {
    return readFileSync(this.#logPath, 'utf8').trimEnd().split('\n').at(-1)?.slice(0, 300) ?? '';
  }
}
