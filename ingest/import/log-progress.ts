import type { Hash } from 'node:crypto';
import { type ImportState, type LogNames, namesOf } from './import-state.ts';
import type { LineChunk } from './line-chunks.ts';
import type { Log } from './log-file.ts';
import {
  atBeginning,
  digestOf,
  type LogPosition,
  type Resumed,
  resumedIn,
  type UnfinishedLine,
} from './log-position.ts';

/** How far an import has come in a log, and what the next one has to know of it. */
export class LogProgress {
  readonly #hash: Hash;
  readonly #save: (position: LogPosition, before: LogPosition) => void;
  #position: LogPosition;
  #saved: LogPosition;

  private constructor({ position, hash }: Resumed, save: (position: LogPosition, before: LogPosition) => void) {
    this.#position = position;
    this.#saved = position;
    this.#hash = hash;
    this.#save = save;
  }

  /** Of a log that can be read again. */
  static async of(log: Log, destination: string, state: ImportState): Promise<LogProgress> {
    const names: LogNames = await namesOf(log, destination);
    const resumed = await resumedIn(() => log.read(), state.positionsOf(names), state.formerPositionOf(names));
    return new LogProgress(resumed, (position, before) => state.set(names, position, before));
  }

  /** Of standard input, of which nothing is remembered. */
  static ofStream(): LogProgress {
    return new LogProgress(atBeginning(), () => {});
  }

  get position(): LogPosition {
    return this.#position;
  }

  /** Behind a chunk, which must follow the last one. */
  pass({ text, endOffset, firstLine, lines }: LineChunk): void {
    this.#hash.update(text);
    this.#position = { offset: endOffset, line: firstLine + lines, sha256: digestOf(this.#hash) };
  }

  /** Whether the line of a chunk at the position is the one that an earlier run sent, with or without an end by now. */
  isTaken({ text, endOffset, isUnfinished }: LineChunk): boolean {
    const { unfinished } = this.#position;
    const textEnd = isUnfinished ? endOffset : endOffset - (text.at(-2) === CARRIAGE_RETURN ? 2 : 1);
    return unfinished?.isTaken === true && unfinished.endOffset === textEnd;
  }

  /** A line without an end: the position stays before it. Remembered before it is sent, as nobody knows whether the answer will be seen. */
  beginUnfinished({ text, endOffset }: LineChunk): UnfinishedLine {
    const sha256 = digestOf(this.#hash.copy().update(text));
    const line = { id: this.#position.unfinished?.id ?? sha256, endOffset, sha256, isTaken: false };
    this.#position = { ...this.#position, unfinished: line };
    this.save();
    return line;
  }

  endUnfinished(line: UnfinishedLine): void {
    this.#position = { ...this.#position, unfinished: { ...line, isTaken: true } };
    this.save();
  }

  save(): void {
    this.#save(this.#position, this.#saved);
    this.#saved = this.#position;
  }
}

const CARRIAGE_RETURN = 13;
