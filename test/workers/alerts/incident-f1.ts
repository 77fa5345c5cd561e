/**
 * Counts alerts the way a person on call would: rows at or above the threshold that follow each other within the quiet
 * period are one alert; an incident is caught when an alert opens inside it (with a grace of a few rows around it); an alert
 * that touches no incident is false.
 */
import { probationRows } from './window-score.ts';

export interface IncidentSeries {
  name: string;
  timesSeconds: Float64Array;
  scores: Float64Array;
  incidents: { first: number; last: number }[];
}

export interface IncidentCount {
  threshold: number;
  f1: number;
  precision: number;
  recall: number;
  caught: number;
  incidents: number;
  falseAlerts: number;
  falsePerSeriesDay: number;
}

/** A detection up to this many rows beside a label still belongs to it: labels by hand are no sharper than that. */
const GRACE_ROWS = 2;

function countOne(series: IncidentSeries, threshold: number) {
  const from = probationRows(series.scores.length);
  const incidents = series.incidents.filter((incident) => incident.last >= from);
  const caught = new Set<number>();
  let falseAlerts = 0;
  let lastAlertRow = Number.NEGATIVE_INFINITY;
  for (let row = from; row < series.scores.length; row++) {
    if (series.scores[row]! < threshold) continue;
    const hit = incidents.findIndex((one) => row >= one.first - GRACE_ROWS && row <= one.last + GRACE_ROWS);
    if (hit >= 0) caught.add(hit);
    else if (row - lastAlertRow > 1) falseAlerts++;
    lastAlertRow = row;
  }
  const days = (series.timesSeconds.at(-1)! - series.timesSeconds[from]!) / 86_400;
  return { caught: caught.size, incidents: incidents.length, falseAlerts, days };
}

export function countAt(all: IncidentSeries[], threshold: number): IncidentCount {
  let caught = 0;
  let incidents = 0;
  let falseAlerts = 0;
  let days = 0;
  for (const series of all) {
    const one = countOne(series, threshold);
    caught += one.caught;
    incidents += one.incidents;
    falseAlerts += one.falseAlerts;
    days += one.days;
  }
  const precision = caught / Math.max(1, caught + falseAlerts);
  const recall = caught / Math.max(1, incidents);
  return {
    threshold,
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    precision,
    recall,
    caught,
    incidents,
    falseAlerts,
    falsePerSeriesDay: falseAlerts / days,
  };
}

export function bestCount(all: IncidentSeries[]): IncidentCount {
  let best = countAt(all, 1 / 200);
  for (let step = 2; step < 200; step++) {
    const one = countAt(all, step / 200);
    if (one.f1 > best.f1) best = one;
  }
  return best;
}
