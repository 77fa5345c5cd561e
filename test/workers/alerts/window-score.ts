/**
 * Score for early detection inside labelled windows, after Lavin & Ahmad, "Evaluating real-time anomaly detection
 * algorithms" (2015): the first detection in a window earns a sigmoid of its position (1 at the left edge, 0 at the right),
 * a missed window costs 1, a detection outside costs up to 0.11, growing with the distance from the window before it.
 * Summed over all series at one threshold and scaled so that no detector is 0 and a perfect one is 100.
 */
export interface IncidentWindow {
  /** Row index of the first and the last row inside. */
  first: number;
  last: number;
}

export interface ScoredSeries {
  name: string;
  scores: Float64Array;
  windows: IncidentWindow[];
}

export interface WindowScore {
  score: number;
  threshold: number;
  caught: number;
  windows: number;
  falseRows: number;
}

const FALSE_POSITIVE_COST = 0.11;
/** Share of a series in which nothing is judged, with a ceiling in rows. */
const PROBATION_SHARE = 0.15;
const PROBATION_MAX_ROWS = 750;

const sigmoid = (position: number): number => 2 / (1 + Math.exp(5 * position)) - 1;
const BEST = sigmoid(-1);

export function probationRows(rows: number): number {
  return Math.min(Math.floor(rows * PROBATION_SHARE), PROBATION_MAX_ROWS);
}

/** Rows worth looking at: everything else is below every threshold tried. */
interface Candidate {
  row: number;
  score: number;
}

function candidatesOf(series: ScoredSeries, floor: number): Candidate[] {
  const from = probationRows(series.scores.length);
  const found: Candidate[] = [];
  for (let row = from; row < series.scores.length; row++) {
    if (series.scores[row]! > floor) found.push({ row, score: series.scores[row]! });
  }
  return found;
}

function scoreOne(windows: IncidentWindow[], candidates: Candidate[], threshold: number) {
  let total = 0;
  let falseRows = 0;
  let next = 0;
  let caughtCurrent = false;
  let caught = 0;
  for (const { row, score } of candidates) {
    if (score < threshold) continue;
    while (next < windows.length && row > windows[next]!.last) {
      next++;
      caughtCurrent = false;
    }
    const window = windows[next];
    if (window && row >= window.first) {
      if (caughtCurrent) continue;
      caughtCurrent = true;
      caught++;
      total += sigmoid(-(window.last - row + 1) / (window.last - window.first + 1)) / BEST;
    } else {
      const before = windows[next - 1];
      const distance = before
        ? (row - before.last) / Math.max(1, before.last - before.first)
        : Number.POSITIVE_INFINITY;
      total += distance > 3 ? -FALSE_POSITIVE_COST : FALSE_POSITIVE_COST * sigmoid(distance);
      falseRows++;
    }
  }
  return { total: total - (windows.length - caught), caught, falseRows };
}

/** Windows a detector may still be judged by: those that start after probation. */
function judged(series: ScoredSeries): IncidentWindow[] {
  const from = probationRows(series.scores.length);
  return series.windows.filter((window) => window.last >= from);
}

export function windowScoreAt(all: ScoredSeries[], threshold: number): WindowScore {
  return scoreThresholds(all, [threshold])[0]!;
}

function scoreThresholds(all: ScoredSeries[], thresholds: number[]): WindowScore[] {
  const floor = Math.min(...thresholds) - 1e-12;
  const prepared = all.map((series) => ({ windows: judged(series), candidates: candidatesOf(series, floor) }));
  const windows = prepared.reduce((sum, series) => sum + series.windows.length, 0);
  return thresholds.map((threshold) => {
    let total = 0;
    let caught = 0;
    let falseRows = 0;
    for (const series of prepared) {
      const one = scoreOne(series.windows, series.candidates, threshold);
      total += one.total;
      caught += one.caught;
      falseRows += one.falseRows;
    }
    return {
      score: windows === 0 ? 0 : (100 * (total + windows)) / (2 * windows),
      threshold,
      caught,
      windows,
      falseRows,
    };
  });
}

/** The best one threshold for all series together. */
export function bestWindowScore(all: ScoredSeries[]): WindowScore {
  const thresholds: number[] = [];
  for (let step = 1; step < 400; step++) thresholds.push(step / 400);
  return scoreThresholds(all, thresholds).reduce((best, one) => (one.score > best.score ? one : best));
}

/** Spreads a tenth of the rows over the incidents as windows centred on each start; overlapping windows join. */
export function windowsAround(starts: number[], rows: number): IncidentWindow[] {
  const half = Math.max(1, Math.floor((rows * 0.1) / Math.max(1, starts.length) / 2));
  const windows: IncidentWindow[] = [];
  for (const start of [...starts].sort((a, b) => a - b)) {
    const first = Math.max(0, start - half);
    const last = Math.min(rows - 1, start + half);
    const before = windows.at(-1);
    if (before && first <= before.last) before.last = last;
    else windows.push({ first, last });
  }
  return windows;
}
