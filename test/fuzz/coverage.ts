import { Session } from 'node:inspector/promises';

/**
 * Which blocks of the program have run, by V8's own block coverage. Taking it costs milliseconds, so it is taken after a
 * bundle of inputs, and only a bundle that reached something new is looked at one by one.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  readonly #isOurs: (url: string) => boolean;

  constructor(isOurs: (url: string) => boolean) {
    this.#isOurs = isOurs;
  }

  get blocks(): number {
    return this.#seen.size;
  }

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks that ran since the last call and never before. */
  async fresh(): Promise<number> {
    const before = this.#seen.size;
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    for (const { url, functions } of result) {
      if (!this.#isOurs(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) this.#seen.add(`${url.slice(-40)}:${startOffset}:${endOffset}`);
        }
      }
    }
    return this.#seen.size - before;
  }

  /** How often blocks ran since the last call, all added up: a count of operations that no clock disturbs. */
  async operations(): Promise<number> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    let operations = 0;
    for (const { url, functions } of result) {
      if (!this.#isOurs(url)) continue;
      for (const { ranges } of functions) for (const { count } of ranges) operations += count;
    }
    return operations;
  }

  async stop(): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}
