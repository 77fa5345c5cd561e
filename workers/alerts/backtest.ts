/**
 * `backtest --input series.csv --output scores.csv`: runs the series detector over a file, row by row. Reads `timestamp,value`
 * (any letter case, any order, other columns ignored), writes `timestamp,value,score` with one row per input row. The detector
 * sees a row only after every row before it, so scores never look ahead.
 *
 * With `--rule traffic_anomaly` the rows are counts of requests, and what is written are the alerts that the evaluation would
 * have opened on them: `opened_at,ended_at,scope,severity,summary`.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream, realpathSync, statSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { openingsOf } from './backtest-rule.ts';
import { seriesDetector } from './detectors/series.ts';
import { csvCell } from './detectors/series-csv.ts';
import { InputError, linesOf, seriesRows } from './series-file.ts';

const USAGE = 'usage: npm run backtest -- --input series.csv --output scores.csv [--rule traffic_anomaly]';
const RULE = 'traffic_anomaly';
const SCORE_DIGITS = 6;
/** Rows gathered before a write: fewer system calls, still a small constant amount of memory. */
const WRITE_ROWS = 1000;

/**
 * @param argv arguments after the command name
 * @returns exit code: 0, or 1 after one line on stderr that says what is wrong
 */
export async function main(argv: string[]): Promise<number> {
  try {
    const { input, output, rule } = readArguments(argv);
    const written = await backtest(input, output, rule ? writeOpenings : scoreLines);
    process.stderr.write(rule ? `${written} alerts\n` : `${written} rows scored\n`);
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

function readArguments(argv: string[]): { input: string; output: string; rule: boolean } {
  const { values } = parseArgs({
    args: argv,
    options: {
      input: { type: 'string', short: 'i' },
      output: { type: 'string', short: 'o' },
      rule: { type: 'string' },
    },
  });
  if (!values.input || !values.output) throw new InputError(USAGE);
  if (isSameFile(values.input, values.output)) throw new InputError('--input and --output are the same file');
  if (values.rule !== undefined && values.rule !== RULE) throw new InputError(`--rule: must be ${RULE}`);
  return { input: values.input, output: values.output, rule: values.rule === RULE };
}

function isSameFile(input: string, output: string): boolean {
  try {
    return realpathSync(input) === realpathSync(output);
  } catch {
    return false;
  }
}

type Work = (lines: AsyncIterator<string>, target: Writable) => Promise<number>;

async function backtest(input: string, output: string, work: Work): Promise<number> {
  if (statSync(input).isDirectory()) throw new InputError(`${input} is a folder`);
  const target = createWriteStream(output);
  await once(target, 'open');
  try {
    return await work(linesOf(createReadStream(input, 'utf8')), target);
  } finally {
    target.end();
    await finished(target);
  }
}

/** Scores lines of CSV into a stream and waits whenever the stream is full. */
async function scoreLines(lines: AsyncIterator<string>, target: Writable): Promise<number> {
  const detector = seriesDetector();
  let rows = 0;
  let waiting = ['timestamp,value,score\n'];
  for await (const { time, text, timeSeconds, value } of await seriesRows(lines)) {
    const { score } = detector.judge(timeSeconds, value);
    waiting.push(`${csvCell(time)},${csvCell(text)},${Number(score.toFixed(SCORE_DIGITS))}\n`);
    rows++;
    if (waiting.length >= WRITE_ROWS) {
      if (!target.write(waiting.join(''))) await once(target, 'drain');
      waiting = [];
    }
  }
  target.write(waiting.join(''));
  return rows;
}

async function writeOpenings(lines: AsyncIterator<string>, target: Writable): Promise<number> {
  const openings = await openingsOf(await seriesRows(lines));
  const cells = openings.map(({ at, ended_at, scope, severity, summary }) => [
    at,
    ended_at ?? '',
    scope,
    severity,
    summary,
  ]);
  const rows = [['opened_at', 'ended_at', 'scope', 'severity', 'summary'], ...cells];
  target.write(rows.map((row) => `${row.map(csvCell).join(',')}\n`).join(''));
  return openings.length;
}
