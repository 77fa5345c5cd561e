import type { DoctorSnapshot } from '../doctor-snapshot.ts';
import { MEASURED, rollupBytes } from './doctor-model.ts';

const MAX_FORECAST_DAYS = 3_650;
/** Halvings of the age: far below a day, whatever is kept. */
const HALVINGS = 30;

/**
 * Day by day until the disk is full: single requests stop growing when the oldest go, rollups go on for years, and the slower the
 * longer they have grown. Pure.
 * @returns null when it holds for ten years
 */
export function daysUntilFull(now: DoctorSnapshot): number | null {
  const { tables, free_bytes: free, retention_days: days } = now.disk;
  const requests = tables.find(({ table }) => table === 'requests');
  const rawPerDay = now.requests_per_day * (requests?.bytes_per_row || MEASURED.diskBytesPerRequest);
  const rawNow = requests?.bytes_on_disk ?? 0;
  const rawMore = (day: number) => Math.min(rawPerDay * day, Math.max(0, rawPerDay * (days.requests + 1) - rawNow));
  const rollupsNow = tables
    .filter(({ table }) => table !== 'requests')
    .reduce((sum, { bytes_on_disk }) => sum + bytes_on_disk, 0);
  const age = ageOfRollups(now, rollupsNow);
  const rollupsMore = (day: number) => rollupsAfter(now, age + day) - rollupsAfter(now, age);
  for (let day = 1; day <= MAX_FORECAST_DAYS; day++) {
    if (rawMore(day) + rollupsMore(day) > free) return day;
  }
  return null;
}

/** Rollups of a system with present traffic that began this many days ago. */
function rollupsAfter(now: DoctorSnapshot, age: number): number {
  const days = now.disk.retention_days;
  return rollupBytes({
    requestsPerDay: now.requests_per_day,
    keys: Math.max(1, now.keys),
    routesPerKey: now.routes_per_key,
    peakFactor: 1,
    retentionDays: {
      requests: days.requests,
      minute: Math.min(age, days.minute),
      quarterHour: Math.min(age, days.quarter_hour),
      day: Math.min(age, days.day),
    },
    outageHours: 0,
  });
}

/** After how many days of present traffic the rollups are as large as they are; beyond the longest retention nothing grows. */
function ageOfRollups(now: DoctorSnapshot, bytes: number): number {
  const { minute, quarter_hour: quarterHour, day } = now.disk.retention_days;
  let [youngest, oldest] = [0, Math.max(minute, quarterHour, day)];
  if (rollupsAfter(now, oldest) <= bytes) return oldest;
  for (let n = 0; n < HALVINGS; n++) {
    const middle = (youngest + oldest) / 2;
    if (rollupsAfter(now, middle) < bytes) youngest = middle;
    else oldest = middle;
  }
  return oldest;
}
