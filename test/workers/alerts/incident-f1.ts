/**
 * Counts alerts against labelled incidents in the ways that are usual, each with a name of its own, because the same scores
 * give figures that are far apart. `strict` is the one this project is judged by; the others say what it leaves out.
 */
import { probationRows } from './window-score.ts';

interface Span {
  first: number;
  last: number;
}

export interface IncidentSeries {
  name: string;
  timesSeconds: Float64Array;
  scores: Float64Array;
  incidents: Span[];
  /** Windows of the window score, wider than the incidents. */
  windows?: Span[];
}

export interface IncidentCount {
  threshold: number;
  f1: number;
  precision: number;
  recall: number;
  /** Incidents; rows for the counts of rows. */
  caught: number;
  incidents: number;
  falseAlerts: number;
  falsePerSeriesDay: number;
}

interface Way {
  /** A detection up to this many rows beside a label still belongs to it: labels by hand are no sharper than that. */
  graceRows: number;
  probation: boolean;
  /** Rows at most so far behind the opening of an alert belong to it; 0: only rows without a gap do. */
  alertSeconds: number;
  /** Precision counts alerts that touch an incident, not incidents caught: two alerts in one incident are two true ones. */
  everyTrueAlert: boolean;
  /** Spans to catch: the labels, or the wider windows of the window score. */
  spans: 'incidents' | 'windows';
}

const STRICT: Way = { graceRows: 2, probation: true, alertSeconds: 0, everyTrueAlert: false, spans: 'incidents' };
const DAY_SECONDS = 86_400;

interface Tally {
  caught: number;
  incidents: number;
  trueAlerts: number;
  falseAlerts: number;
  days: number;
}

function tallyEvents(series: IncidentSeries, threshold: number, way: Way): Tally {
  const from = way.probation ? probationRows(series.scores.length) : 0;
  const spans = ((way.spans === 'windows' ? series.windows : undefined) ?? series.incidents).filter(
    (span) => span.last >= from,
  );
  const caught = new Set<number>();
  const tally = { caught: 0, incidents: spans.length, trueAlerts: 0, falseAlerts: 0, days: 0 };
  let alert: { openedSeconds: number; lastRow: number; hit: boolean } | undefined;
  const close = (): void => {
    if (alert) tally[alert.hit ? 'trueAlerts' : 'falseAlerts']++;
  };
  for (let row = from; row < series.scores.length; row++) {
    if (!(series.scores[row]! >= threshold)) continue;
    const hit = spans.findIndex((one) => row >= one.first - way.graceRows && row <= one.last + way.graceRows);
    if (hit >= 0) caught.add(hit);
    const seconds = series.timesSeconds[row]!;
    const same =
      alert &&
      (way.alertSeconds > 0
        ? seconds - alert.openedSeconds < way.alertSeconds
        : row - alert.lastRow === 1 && alert.hit === hit >= 0);
    if (!same || !alert) {
      close();
      alert = { openedSeconds: seconds, lastRow: row, hit: hit >= 0 };
    } else {
      alert.lastRow = row;
      alert.hit ||= hit >= 0;
    }
  }
  close();
  tally.caught = caught.size;
  tally.days = (series.timesSeconds.at(-1)! - series.timesSeconds[from]!) / DAY_SECONDS;
  return tally;
}

/** A labelled run of which one row was found (in its first rows, or anywhere) counts with all its rows. */
function tallyRows(series: IncidentSeries, threshold: number, withinRows: number): Tally {
  const from = probationRows(series.scores.length);
  const tally = { caught: 0, incidents: 0, trueAlerts: 0, falseAlerts: 0, days: 0 };
  const fires = (row: number): boolean => series.scores[row]! >= threshold;
  let inside = 0;
  for (const { first, last } of series.incidents) {
    if (last < from) continue;
    const start = Math.max(first, from);
    tally.incidents += last - start + 1;
    let found = false;
    for (let row = start; row <= last; row++) {
      if (!fires(row)) continue;
      inside++;
      found ||= row - first <= withinRows;
    }
    if (found) tally.caught += last - start + 1;
  }
  for (let row = from; row < series.scores.length; row++) if (fires(row)) tally.falseAlerts++;
  tally.falseAlerts -= inside;
  tally.trueAlerts = tally.caught;
  tally.days = (series.timesSeconds.at(-1)! - series.timesSeconds[from]!) / DAY_SECONDS;
  return tally;
}

function summed(
  all: IncidentSeries[],
  threshold: number,
  of: (series: IncidentSeries) => Tally,
  everyTrueAlert: boolean,
): IncidentCount {
  const sum = { caught: 0, incidents: 0, trueAlerts: 0, falseAlerts: 0, days: 0 };
  for (const tally of all.map(of)) for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += tally[key];
  const right = everyTrueAlert ? sum.trueAlerts : sum.caught;
  const precision = right / Math.max(1, right + sum.falseAlerts);
  const recall = sum.caught / Math.max(1, sum.incidents);
  return {
    threshold,
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    precision,
    recall,
    caught: sum.caught,
    incidents: sum.incidents,
    falseAlerts: sum.falseAlerts,
    falsePerSeriesDay: sum.falseAlerts / sum.days,
  };
}

export type Counting = (all: IncidentSeries[], threshold: number) => IncidentCount;

const events =
  (change: Partial<Way>): Counting =>
  (all, threshold) => {
    const way = { ...STRICT, ...change };
    return summed(all, threshold, (series) => tallyEvents(series, threshold, way), way.everyTrueAlert);
  };

const rows =
  (withinRows: number): Counting =>
  (all, threshold) =>
    summed(all, threshold, (series) => tallyRows(series, threshold, withinRows), false);

/** Every way of counting, the strict one first. */
export const COUNTINGS: Record<string, Counting> = {
  strict: events({}),
  'no grace beside labels': events({ graceRows: 0 }),
  'no probation': events({ probation: false }),
  'every true alert counts': events({ everyTrueAlert: true }),
  'a day of rows is one alert': events({ alertSeconds: DAY_SECONDS, everyTrueAlert: true }),
  'windows of the window score': events({ graceRows: 0, spans: 'windows' }),
  'rows, point-adjusted': rows(Number.POSITIVE_INFINITY),
  'rows, point-adjusted in 7 rows': rows(7),
};

export function countAt(
  all: IncidentSeries[],
  threshold: number,
  counting: Counting = COUNTINGS.strict!,
): IncidentCount {
  return counting(all, threshold);
}

/** The best one threshold for all series together. */
export function bestCount(all: IncidentSeries[], counting: Counting = COUNTINGS.strict!): IncidentCount {
  let best = counting(all, 1 / 200);
  for (let step = 2; step < 200; step++) {
    const one = counting(all, step / 200);
    if (one.f1 > best.f1) best = one;
  }
  return best;
}
