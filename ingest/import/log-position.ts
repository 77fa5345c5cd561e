import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ChunkStart } from './line-chunks.ts';

/** How far a log was imported. It holds for a log with the same bytes before it, and for no other with the same first line. */
export interface LogPosition extends ChunkStart {
  /** Of all bytes of the unpacked log before it. */
  sha256: string;
  /** The line behind it, when that was sent although it had no end. */
  unfinished?: UnfinishedLine;
}

export interface UnfinishedLine {
  /** Under which it is sent, however long it has become: the server counts one of them. */
  id: string;
  /** Position behind it as it stood, and the hash of all bytes up to there. */
  endOffset: number;
  sha256: string;
  /** The server has answered. */
  isTaken: boolean;
}

/** Where an import begins. */
export interface Resumed {
  position: LogPosition;
  /** Of all bytes before it, to go on with. */
  hash: Hash;
}

export const digestOf = (hash: Hash): string => hash.copy().digest('hex');

export function atBeginning(): Resumed {
  const hash = createHash('sha256');
  return { position: { offset: 0, line: 1, sha256: digestOf(hash) }, hash };
}

/**
 * The farthest of the known positions whose bytes the log has.
 * @param unchecked a position of which the bytes are not known; it counts where no other does, if the log is that long
 */
export async function resumedIn(
  log: () => Readable,
  known: readonly LogPosition[],
  unchecked: ChunkStart | undefined,
): Promise<Resumed> {
  const offsets = known.flatMap(({ offset, unfinished }) => [offset, unfinished?.endOffset ?? offset]);
  if (unchecked) offsets.push(unchecked.offset);
  if (offsets.length === 0) return atBeginning();
  const hashes = await hashesAt(log(), offsets);
  const digests = new Map([...hashes].map(([offset, hash]) => [offset, digestOf(hash)]));
  const position = farthest(known, digests) ?? withDigest(unchecked, digests);
  return position ? { position, hash: hashes.get(position.offset)! } : atBeginning();
}

/** @param digests of all bytes up to an offset, where the log is that long */
export function farthest(known: readonly LogPosition[], digests: ReadonlyMap<number, string>): LogPosition | undefined {
  const held = known.filter(({ offset, sha256 }) => digests.get(offset) === sha256);
  const isHeld = (line: UnfinishedLine | undefined) =>
    line !== undefined && digests.get(line.endOffset) === line.sha256;
  // Of two at one place the one that knows the line behind it.
  const rank = ({ offset, unfinished }: LogPosition) => offset + (isHeld(unfinished) ? 0.5 : 0);
  const best = held.sort((a, b) => rank(b) - rank(a))[0];
  if (!best) return undefined;
  const { unfinished, ...place } = best;
  return unfinished && isHeld(unfinished) ? { ...place, unfinished } : place;
}

function withDigest(at: ChunkStart | undefined, digests: ReadonlyMap<number, string>): LogPosition | undefined {
  const sha256 = at && digests.get(at.offset);
  return sha256 === undefined ? undefined : { ...at!, sha256 };
}

/** Hashes of all bytes up to each offset that the log reaches. */
async function hashesAt(log: Readable, offsets: readonly number[]): Promise<Map<number, Hash>> {
  const ahead = [...new Set(offsets)].sort((a, b) => a - b);
  const found = new Map<number, Hash>();
  const hash = createHash('sha256');
  let offset = 0;
  const note = () => {
    if (ahead[0] !== offset) return;
    found.set(offset, hash.copy());
    ahead.shift();
  };
  note();
  for await (const part of log) {
    for (let piece = part as Buffer; piece.length > 0 && ahead.length > 0; note()) {
      const step = piece.subarray(0, ahead[0]! - offset);
      hash.update(step);
      offset += step.length;
      piece = piece.subarray(step.length);
    }
    if (ahead.length === 0) break;
  }
  log.destroy();
  return found;
}
