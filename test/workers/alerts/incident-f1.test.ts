import { describe, expect, it } from 'vitest';
import { COUNTINGS, type IncidentSeries } from './incident-f1.ts';

const HOUR_SECONDS = 3600;

/** 100 hourly rows, an incident at 40..49, windows at 35..55; nothing is judged before row 15. */
function series(alertRows: number[]): IncidentSeries {
  const scores = new Float64Array(100);
  for (const row of alertRows) scores[row] = 0.9;
  return {
    name: 'one',
    timesSeconds: Float64Array.from({ length: 100 }, (_, row) => row * HOUR_SECONDS),
    scores,
    incidents: [{ first: 40, last: 49 }],
    windows: [{ first: 35, last: 55 }],
  };
}

describe('ways of counting alerts', () => {
  it.each([
    // alerts, counting, caught, incidents, false
    [[41, 60], 'strict', 1, 1, 1],
    [[41, 60, 61, 63], 'strict', 1, 1, 2],
    [[38], 'strict', 1, 1, 0],
    [[38], 'no grace beside labels', 0, 1, 1],
    [[5, 41], 'strict', 1, 1, 0],
    [[5, 41], 'no probation', 1, 1, 1],
    [[60, 70, 83], 'a day of rows is one alert', 0, 1, 1],
    [[60, 70, 84], 'a day of rows is one alert', 0, 1, 2],
    [[30, 45], 'a day of rows is one alert', 1, 1, 0],
    [[36, 56], 'windows of the window score', 1, 1, 1],
    [[45, 60], 'rows, point-adjusted', 10, 10, 1],
    [[], 'rows, point-adjusted', 0, 10, 0],
    [[47], 'rows, point-adjusted in 7 rows', 10, 10, 0],
    [[48], 'rows, point-adjusted in 7 rows', 0, 10, 0],
  ])('alerts at %j, %s: %i of %i caught, %i false', (alerts, counting, caught, incidents, falseAlerts) => {
    const count = COUNTINGS[counting]!([series(alerts)], 0.5);
    expect(count).toMatchObject({ caught, incidents, falseAlerts });
  });

  it('gives two true alerts in one incident twice the weight only where every true alert counts', () => {
    const alerts = [series([41, 45, 60])];
    expect(COUNTINGS.strict!(alerts, 0.5).precision).toBeCloseTo(1 / 2);
    expect(COUNTINGS['every true alert counts']!(alerts, 0.5).precision).toBeCloseTo(2 / 3);
  });

  it('is 1 when every incident is caught and nothing is false, 0 when nothing is said', () => {
    for (const count of Object.values(COUNTINGS)) {
      expect(count([series([40])], 0.5).f1).toBe(1);
      expect(count([series([])], 0.5).f1).toBe(0);
    }
  });
});
