import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ChunkStart } from './line-chunks.ts';

/** How far files were imported, by the fingerprint of their beginning: a log that grew is continued, not repeated. */
type States = Record<string, ChunkStart>;

const FINGERPRINT_BYTES = 65_536;
const MAX_FILES = 10_000;

export const DEFAULT_STATE_FILE = join(homedir(), '.local', 'state', 'keytally', 'imports.json');

/** Identity of a log: a hash of its first 64 KiB up to the last whole line there, and of where it is imported to. */
export function fingerprintOf(file: string, destination: string): string {
  const head = Buffer.alloc(FINGERPRINT_BYTES);
  const handle = openSync(file, 'r');
  const length = readSync(handle, head, 0, FINGERPRINT_BYTES, 0);
  closeSync(handle);
  // A short log that grows later must keep its fingerprint: its first line stands for it.
  const firstLine = head.subarray(0, length).indexOf(10);
  const known = length < FINGERPRINT_BYTES && firstLine > 0 ? head.subarray(0, firstLine) : head.subarray(0, length);
  return createHash('sha256').update(destination).update('\n').update(known).digest('hex');
}

export class ImportState {
  readonly #file: string;
  readonly #states: States;

  constructor(file: string) {
    this.#file = file;
    this.#states = readStates(file);
  }

  get(fingerprint: string): ChunkStart {
    return this.#states[fingerprint] ?? { offset: 0, line: 1 };
  }

  /** Remembers a position; written to the disk in one step, so that a killed import leaves a readable file. */
  set(fingerprint: string, start: ChunkStart): void {
    delete this.#states[fingerprint];
    this.#states[fingerprint] = start;
    for (const oldest of Object.keys(this.#states).slice(0, -MAX_FILES)) delete this.#states[oldest];
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#states));
    renameSync(`${this.#file}.new`, this.#file);
  }
}

function readStates(file: string): States {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as States;
  } catch {
    return {};
  }
}
