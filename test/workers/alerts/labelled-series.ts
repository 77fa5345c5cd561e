/** Reads folders of labelled series (`TimeStamp,Value,Label` in any order of letters) for the evaluation scripts. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseTimeSeconds, parseValue, splitCsvLine } from '../../../workers/alerts/detectors/series-csv.ts';

export interface LabelledSeries {
  name: string;
  timesSeconds: Float64Array;
  /** NaN where the value was blank. */
  values: Float64Array;
  /** Row index of the first and last row of every labelled run. */
  incidents: { first: number; last: number }[];
}

export function readLabelledFolder(folder: string): LabelledSeries[] {
  const files: string[] = [];
  const walk = (path: string): void => {
    for (const entry of readdirSync(path).sort()) {
      const child = join(path, entry);
      if (statSync(child).isDirectory()) walk(child);
      else if (entry.endsWith('.csv')) files.push(child);
    }
  };
  walk(folder);
  return files.map(readLabelledFile);
}

function readLabelledFile(path: string): LabelledSeries {
  const lines = readFileSync(path, 'utf8').split(/\r?\n/).filter(Boolean);
  const header = splitCsvLine(lines[0]!).map((cell) => cell.toLowerCase());
  const [time, value, label] = ['timestamp', 'value', 'label'].map((name) => header.indexOf(name)) as [
    number,
    number,
    number,
  ];
  const rows = lines.slice(1).map((line) => splitCsvLine(line));
  const labels = rows.map((row) => Number(row[label]) === 1);
  return {
    name: path.split('/').at(-1)!.replace('.csv', ''),
    timesSeconds: Float64Array.from(rows, (row) => parseTimeSeconds(row[time]!)),
    values: Float64Array.from(rows, (row) => parseValue(row[value]!)),
    incidents: runsOf(labels),
  };
}

/** Runs of labelled rows; a single unlabelled row between two runs does not split an incident. */
export function runsOf(labels: boolean[]): { first: number; last: number }[] {
  const runs: { first: number; last: number }[] = [];
  labels.forEach((labelled, row) => {
    if (!labelled) return;
    const before = runs.at(-1);
    if (before && row - before.last <= 2) before.last = row;
    else runs.push({ first: row, last: row });
  });
  return runs;
}
