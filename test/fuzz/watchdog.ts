import { Worker } from 'node:worker_threads';

const BLOCKED_MS = 5_000;
const MAX_INPUT = 16_384;

const PROGRAM = `
const { workerData } = require('node:worker_threads');
const { appendFileSync, mkdirSync } = require('node:fs');
const beat = new Int32Array(workerData.beat);
let last = -1, since = Date.now();
setInterval(() => {
  const now = Atomics.load(beat, 0);
  if (now !== last) { last = now; since = Date.now(); return; }
  if (now === 0 || Date.now() - since < ${BLOCKED_MS}) return;
  const input = Buffer.from(workerData.input).subarray(0, Atomics.load(beat, 1));
  require('node:fs').writeSync(2, 'BLOCKED for ${BLOCKED_MS} ms by ' + input.toString('base64') + '\\n');
  process.kill(process.pid, 'SIGKILL');
}, 500);
`;

/** Ends the process, naming the input, when one input keeps it for seconds: a blocked loop cannot tell by itself. */
export class Watchdog {
  readonly #beat = new SharedArrayBuffer(8);
  readonly #input = new SharedArrayBuffer(MAX_INPUT);
  readonly #view = new Int32Array(this.#beat);
  readonly #bytes = new Uint8Array(this.#input);
  readonly #worker: Worker;

  constructor() {
    this.#worker = new Worker(PROGRAM, { eval: true, workerData: { beat: this.#beat, input: this.#input } });
    this.#worker.unref();
  }

  before(input: Buffer): void {
    const length = Math.min(input.length, MAX_INPUT);
    this.#bytes.set(input.subarray(0, length));
    Atomics.store(this.#view, 1, length);
    // Never 0, which means idle.
    Atomics.store(this.#view, 0, (Atomics.load(this.#view, 0) % 2_000_000_000) + 1);
  }

  idle(): void {
    Atomics.store(this.#view, 0, 0);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
