/**
 * Scores the series detector on labelled folders and on artificial series:
 * `node <out>/test/workers/alerts/evaluate-series.js [--json] [--starting] [--seeds 1,2] [--each] folder...`
 * Prints the window score, the strict F1 and the best F1 by every way of counting of `incident-f1.ts`. `--starting` runs the detector this work started from instead, for comparison.
 * Odd files (by sorted name) are for development, even files for verification.
 */
import { parseArgs } from 'node:util';
import { seriesDetector } from '../../../workers/alerts/detectors/series.ts';
import { artificialSeries } from './artificial-series.ts';
import { bestCount, COUNTINGS, countAt, type IncidentSeries } from './incident-f1.ts';
import { type LabelledSeries, readLabelledFolder } from './labelled-series.ts';
import { startingDetector } from './starting-detector.ts';
import { bestWindowScore, type ScoredSeries, windowScoreAt, windowsAround } from './window-score.ts';

type Judged = ScoredSeries & IncidentSeries;

function judge(series: LabelledSeries, starting: boolean): Judged {
  const detector = starting ? startingDetector() : seriesDetector();
  const scores = new Float64Array(series.values.length);
  for (let row = 0; row < scores.length; row++) {
    scores[row] = detector.judge(series.timesSeconds[row]!, series.values[row]!).score;
  }
  const windows = windowsAround(
    series.incidents.map((incident) => incident.first),
    scores.length,
  );
  return { name: series.name, timesSeconds: series.timesSeconds, scores, windows, incidents: series.incidents };
}

const round = (value: number, digits = 1): number => Number(value.toFixed(digits));

function describe(set: string, all: Judged[], threshold?: number) {
  const best = bestWindowScore(all);
  const fixed = threshold === undefined ? undefined : windowScoreAt(all, threshold);
  const f1 = bestCount(all);
  return {
    set,
    series: all.length,
    windowScore: round(best.score),
    at: round(best.threshold, 4),
    caught: `${best.caught}/${best.windows}`,
    falseRows: best.falseRows,
    ...(fixed ? { windowScoreAtCommon: round(fixed.score) } : {}),
    f1: round(f1.f1, 3),
    f1At: round(f1.threshold, 3),
    f1Caught: `${f1.caught}/${f1.incidents}`,
    f1False: f1.falseAlerts,
    falsePerSeriesDay: round(f1.falsePerSeriesDay, 3),
  };
}

/** Best F1 of each set by each way of counting, one threshold for all series of the set. */
function countings(sets: { set: string; all: Judged[] }[]) {
  return Object.entries(COUNTINGS).map(([counting, count]) => ({
    counting,
    best: Object.fromEntries(sets.map(({ set, all }) => [set, bestCount(all, count)])),
  }));
}

/** One line per way of counting: F1, what was caught, how many alerts (or rows) were false. */
function printCountings(lines: ReturnType<typeof countings>): void {
  console.log('Best F1 by way of counting: F1, caught of labelled, false');
  console.table(
    Object.fromEntries(
      lines.map(({ counting, best }) => [
        counting,
        Object.fromEntries(
          Object.entries(best).map(([set, one]) => [
            set,
            `${one.f1.toFixed(3)}, ${one.caught}/${one.incidents}, ${one.falseAlerts}`,
          ]),
        ),
      ]),
    ),
  );
}

function main(): void {
  const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      starting: { type: 'boolean' },
      each: { type: 'boolean' },
      seeds: { type: 'string', default: '1,2' },
    },
  });
  const real = positionals
    .flatMap((folder) => readLabelledFolder(folder))
    .map((one) => judge(one, options.starting === true));
  const odd = real.filter((_, index) => index % 2 === 0);
  const even = real.filter((_, index) => index % 2 === 1);
  const artificial = options.seeds
    .split(',')
    .map((seed) => artificialSeries(Number(seed)).map((one) => judge(one, options.starting === true)));
  const everything = [...real, ...artificial.flat()];
  const common = bestWindowScore(everything).threshold;
  const sets = [
    ...(real.length > 0
      ? [
          { set: 'real odd', all: odd },
          { set: 'real even', all: even },
          { set: 'real', all: real },
        ]
      : []),
    ...artificial.map((all, index) => ({ set: `artificial ${options.seeds.split(',')[index]}`, all })),
    { set: 'all', all: everything },
  ];
  const rows = sets.map(({ set, all }) => describe(set, all, common));
  const counts = countings(sets);
  if (options.json) console.log(JSON.stringify({ sets: rows, countings: counts }));
  else {
    console.table(rows);
    printCountings(counts);
  }
  if (options.each) {
    console.table(
      everything.map((one) => ({
        name: one.name,
        ...windowScoreAt([one], common),
        f1: round(countAt([one], 0.5).f1, 2),
      })),
    );
  }
}

main();
