import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ConfigError } from '../config-error.ts';
import { withFileLock } from './file-lock.ts';
import type { ChunkStart } from './line-chunks.ts';
import type { Log } from './log-file.ts';
import type { LogPosition } from './log-position.ts';

/** Names of a log: where its positions are kept, and where the version before kept the one it had. */
export interface LogNames {
  name: string;
  /** Of the same log when its first line had no end yet. */
  nameOfBeginning: string;
  formerNames: readonly string[];
}

/** Positions by name; under a former name one without a hash. */
type States = Record<string, LogPosition[] | ChunkStart>;

const HEAD_BYTES = 65_536;
const MAX_NAMES = 10_000;
/** Logs with the same first line, such as a headline. */
const MAX_POSITIONS = 50;
const NEWLINE = 10;

export const DEFAULT_STATE_FILE = join(homedir(), '.local', 'state', 'keytally', 'imports.json');

/** A log is named by its first line, unpacked: it keeps its name when it grows and when it is packed. */
export async function namesOf(log: Log, destination: string): Promise<LogNames> {
  const digest = (...parts: (string | Buffer)[]) => {
    const hash = createHash('sha256').update(destination).update('\n');
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  };
  const beginning = await beginningOf(log);
  const lineEnd = beginning.indexOf(NEWLINE);
  const isLong = beginning.length === HEAD_BYTES;
  const firstLine = lineEnd >= 0 ? beginning.subarray(0, lineEnd) : isLong ? beginning : Buffer.alloc(0);
  const onDisk = await log.head(HEAD_BYTES);
  const lineEndOnDisk = onDisk.indexOf(NEWLINE);
  return {
    name: `log-${digest(firstLine)}`,
    nameOfBeginning: `log-${digest('')}`,
    // The version before took 64 KiB of the file as it lies there, or the first line of a shorter one, which may have grown since.
    formerNames: [digest(onDisk), ...(lineEndOnDisk > 0 ? [digest(onDisk.subarray(0, lineEndOnDisk))] : [])],
  };
}

async function beginningOf(log: Log): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of log.read()) {
    parts.push(part as Buffer);
    bytes += (part as Buffer).length;
    if (bytes >= HEAD_BYTES) break;
  }
  return Buffer.concat(parts).subarray(0, HEAD_BYTES);
}

export class ImportState {
  readonly #file: string;
  #states: States;

  /** @throws {ConfigError} when the file is there and cannot be read */
  constructor(file: string) {
    this.#file = file;
    this.#states = readStates(file);
  }

  /** Known positions that may be of this log. */
  positionsOf({ name, nameOfBeginning }: LogNames): LogPosition[] {
    return [name, ...(name === nameOfBeginning ? [] : [nameOfBeginning])].flatMap((each) => this.#positions(each));
  }

  /** Where the version before stopped. */
  formerPositionOf({ formerNames }: LogNames): ChunkStart | undefined {
    const known = formerNames.map((name) => this.#states[name]);
    return known.find((at): at is ChunkStart => at !== undefined && !Array.isArray(at));
  }

  /**
   * Remembers a position; written to the disk in one step, so that a killed import leaves a readable file. What another import wrote meanwhile
   * stays: only the names of this log change.
   * @param before the position that it takes the place of
   * @throws {ConfigError} when another process holds the file for too long
   */
  set(names: LogNames, position: LogPosition, before: LogPosition): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    withFileLock(this.#file, () => {
      this.#states = readStates(this.#file);
      this.#place(names, position, before);
      const written = `${this.#file}.${process.pid}.new`;
      writeFileSync(written, JSON.stringify(this.#states));
      renameSync(written, this.#file);
    });
  }

  #place({ name, nameOfBeginning, formerNames }: LogNames, position: LogPosition, before: LogPosition): void {
    const isOther = ({ offset, sha256, unfinished }: LogPosition) =>
      offset !== before.offset || sha256 !== before.sha256 || unfinished?.id !== before.unfinished?.id;
    const others = this.#positions(name).filter(isOther);
    const ofBeginning = this.#positions(nameOfBeginning).filter(isOther);
    for (const gone of [name, nameOfBeginning, ...formerNames]) delete this.#states[gone];
    if (ofBeginning.length > 0 && name !== nameOfBeginning) this.#states[nameOfBeginning] = ofBeginning;
    this.#states[name] = [...others, position].slice(-MAX_POSITIONS);
    for (const oldest of Object.keys(this.#states).slice(0, -MAX_NAMES)) delete this.#states[oldest];
  }

  #positions(name: string): LogPosition[] {
    const known = this.#states[name];
    return Array.isArray(known) ? known : [];
  }
}

/** What cannot be read is not taken for empty: the next position would be written over it, and its logs would count again. */
function readStates(file: string): States {
  try {
    const states: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof states === 'object' && states !== null && !Array.isArray(states)) return states as States;
    throw new Error('it holds no positions');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ConfigError(`--state: ${file} cannot be read: ${(error as Error).message}`);
  }
}
