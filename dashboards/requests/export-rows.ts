import { formatCount } from '../format/number.ts';

export type ExportFormat = 'csv' | 'ndjson';

/** Where the api ends every file, as its header `Keytally-Export-Limit` says. */
export const MOST_EXPORT_ROWS = 1_000_000;

const NEWLINE = 0x0a;
const QUOTE = 0x22;

/** Counts the rows of a file that comes in pieces. In CSV a path or a user agent may hold line breaks, in quotes. */
export function rowCounter(format: ExportFormat): { add: (piece: Uint8Array) => void; rows: () => number } {
  const csv = format === 'csv';
  let lines = 0;
  let quoted = false;
  const add = (piece: Uint8Array) => {
    for (const byte of piece) {
      if (byte === NEWLINE && !quoted) lines++;
      else if (byte === QUOTE && csv) quoted = !quoted;
    }
  };
  const heading = csv ? 1 : 0;
  return { add, rows: () => Math.max(0, lines - heading) };
}

/** Piece by piece: as one text, the largest files would take more memory than a page has. */
export async function rowsOf(file: Blob, format: ExportFormat): Promise<number> {
  const counter = rowCounter(format);
  const reader = file.stream().getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) counter.add(piece.value);
  return counter.rows();
}

/** What to say of a file that the api may have cut; null of one that holds everything. */
export function cutNote(rows: number, locale?: string): string | null {
  if (rows < MOST_EXPORT_ROWS) return null;
  return `The file ends at ${formatCount(rows, locale)} rows: narrow the range for the rest`;
}
