/** Reads `timestamp,value` CSV line by line: any letter case, any order, other columns ignored. */
import { parseTimeSeconds, parseValueOrUndefined, splitCsvLine } from './detectors/series-csv.ts';

/** A mistake in the input or the arguments that the person at the keyboard can mend. */
export class InputError extends Error {}

interface Columns {
  timestamp: number;
  value: number;
}

/** One row, with its cells as they were. */
export interface SeriesRow {
  /** Line of the file, from 1. */
  line: number;
  time: string;
  text: string;
  timeSeconds: number;
  /** NaN for an empty cell. */
  value: number;
}

/** Lines without their ends. Unlike readline it passes on read errors and cannot lose lines before the first is asked for. */
export async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  if (rest !== '') yield rest;
}

/**
 * Reads the header now, the rows as they are asked for.
 * @throws {InputError} without a header; the rows throw it naming line and column
 */
export async function seriesRows(lines: AsyncIterator<string>): Promise<AsyncGenerator<SeriesRow>> {
  let line = 0;
  const next = async (): Promise<string[] | undefined> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) return undefined;
      line++;
      if (value.trim() !== '') return splitCsvLine(value);
    }
  };
  const header = await next();
  if (!header) throw new InputError('the input is empty: a header with timestamp and value is needed');
  const columns = columnsOf(header);
  return (async function* () {
    for (let cells = await next(); cells; cells = await next()) yield rowOf(cells, columns, line);
  })();
}

function columnsOf(header: string[]): Columns {
  const names = header.map((name) => name.replace(/^\uFEFF/, '').toLowerCase());
  const find = (wanted: string): number => {
    const at = names.indexOf(wanted);
    if (at < 0) throw new InputError(`row 1: no column named ${wanted} (found: ${header.join(', ').slice(0, 80)})`);
    return at;
  };
  return { timestamp: find('timestamp'), value: find('value') };
}

function rowOf(cells: string[], columns: Columns, line: number): SeriesRow {
  const time = cells[columns.timestamp] ?? '';
  const text = cells[columns.value] ?? '';
  const timeSeconds = parseTimeSeconds(time);
  if (Number.isNaN(timeSeconds))
    throw new InputError(`row ${line}, column timestamp: "${time.slice(0, 40)}" is not a time`);
  const value = parseValueOrUndefined(text);
  if (value === undefined) throw new InputError(`row ${line}, column value: "${text.slice(0, 40)}" is not a number`);
  return { line, time, text, timeSeconds, value };
}
