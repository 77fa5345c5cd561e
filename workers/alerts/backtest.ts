/**
 * `backtest --input series.csv --output scores.csv`: runs the production series detector over a file, row by row.
 * Reads `timestamp,value` (any letter case, any order, other columns ignored), writes `timestamp,value,score` with one row
 * per input row. The detector sees a row only after every row before it, so scores never look ahead.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream, realpathSync, statSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { type SeriesDetector, seriesDetector } from './detectors/series.ts';
import { csvCell, parseTimeSeconds, parseValueOrUndefined, splitCsvLine } from './detectors/series-csv.ts';

const USAGE = 'usage: npm run backtest -- --input series.csv --output scores.csv';
const SCORE_DIGITS = 6;
/** Rows gathered before a write: fewer system calls, still a small constant amount of memory. */
const WRITE_ROWS = 1000;

/** A mistake in the input or the arguments that the person at the keyboard can mend. */
class InputError extends Error {}

interface Columns {
  timestamp: number;
  value: number;
}

/**
 * @param argv arguments after the command name
 * @returns exit code: 0, or 1 after one line on stderr that says what is wrong
 */
export async function main(argv: string[]): Promise<number> {
  try {
    const { input, output } = readArguments(argv);
    const rows = await backtest(input, output);
    process.stderr.write(`${rows} rows scored\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`backtest: ${messageOf(error)}\n`);
    return 1;
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  const path = (error as NodeJS.ErrnoException).path;
  if (code === 'ENOENT') return `${path ?? 'file'} does not exist`;
  if (code === 'EACCES') return `${path ?? 'file'} may not be read or written`;
  if (code === 'EISDIR') return `${path ?? 'the path'} is a folder`;
  return error.message.split('\n')[0]!;
}

function readArguments(argv: string[]): { input: string; output: string } {
  const { values } = parseArgs({
    args: argv,
    options: { input: { type: 'string', short: 'i' }, output: { type: 'string', short: 'o' } },
  });
  if (!values.input || !values.output) throw new InputError(USAGE);
  if (isSameFile(values.input, values.output)) throw new InputError('--input and --output are the same file');
  return { input: values.input, output: values.output };
}

function isSameFile(input: string, output: string): boolean {
  try {
    return realpathSync(input) === realpathSync(output);
  } catch {
    return false;
  }
}

async function backtest(input: string, output: string): Promise<number> {
  if (statSync(input).isDirectory()) throw new InputError(`${input} is a folder`);
  const target = createWriteStream(output);
  await once(target, 'open');
  try {
    return await scoreLines(linesOf(createReadStream(input, 'utf8')), target);
  } finally {
    target.end();
    await finished(target);
  }
}

/** Lines without their ends. Unlike readline it passes on read errors and cannot lose lines before the first is asked for. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  if (rest !== '') yield rest;
}

/** Scores lines of CSV into a stream and waits whenever the stream is full. Exported for tests. */
export async function scoreLines(lines: AsyncIterable<string>, target: Writable): Promise<number> {
  const detector = seriesDetector();
  let columns: Columns | undefined;
  let rows = 0;
  let waiting: string[] = [];
  let lineNumber = 0;
  for await (const line of lines) {
    lineNumber++;
    if (line.trim() === '') continue;
    const cells = splitCsvLine(line);
    if (!columns) {
      columns = columnsOf(cells);
      waiting.push('timestamp,value,score\n');
      continue;
    }
    waiting.push(scoreRow(detector, cells, columns, lineNumber));
    rows++;
    if (waiting.length >= WRITE_ROWS) {
      if (!target.write(waiting.join(''))) await once(target, 'drain');
      waiting = [];
    }
  }
  if (!columns) throw new InputError('the input is empty: a header with timestamp and value is needed');
  target.write(waiting.join(''));
  return rows;
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

function scoreRow(detector: SeriesDetector, cells: string[], columns: Columns, row: number): string {
  const time = cells[columns.timestamp] ?? '';
  const value = cells[columns.value] ?? '';
  const timeSeconds = parseTimeSeconds(time);
  if (Number.isNaN(timeSeconds))
    throw new InputError(`row ${row}, column timestamp: "${time.slice(0, 40)}" is not a time`);
  const number = parseValueOrUndefined(value);
  if (number === undefined) throw new InputError(`row ${row}, column value: "${value.slice(0, 40)}" is not a number`);
  const { score } = detector.judge(timeSeconds, number);
  return `${csvCell(time)},${csvCell(value)},${Number(score.toFixed(SCORE_DIGITS))}\n`;
}
