import { sketchValueSql } from '../../clickhouse/sketch-value.ts';
import type { Store } from '../../clickhouse/store.ts';

const HOUR_SECONDS = 3_600;
const WEEK_SECONDS = 7 * 86_400;
const WEEKS = 6;
/** Fewer requests make a p95 of the slowest two alone (as in detectors/latency.ts). */
export const MIN_TIMED = 50;
/** Fewer weeks are no history (as in detectors/latency.ts). */
export const MIN_WEEKS_OF_LATENCY = 2;

const at = (seconds: number) => `toDateTime(${seconds}, 'UTC')`;

/**
 * Writes the p95 of the hour before, and of this hour in earlier weeks where nothing was written yet: those come from the
 * quarter hours, which are kept for longer than Keytally evaluates alerts.
 */
export async function fillLatency(store: Store, hour: number): Promise<void> {
  const weeks = Array.from({ length: WEEKS }, (_, n) => hour - (n + 1) * WEEK_SECONDS);
  const rows = await store.query<{ at: number }>(
    'SELECT DISTINCT toUnixTimestamp(hour) AS at FROM alert_hours WHERE toUnixTimestamp(hour) IN {hours:Array(UInt32)}',
    { hours: weeks },
  );
  const present = new Set(rows.map((row) => row.at));
  await store.command(
    insertHours('traffic_buckets', 'timed', 'quantileDDMerge(0.01, 0.95)(latency)', [hour - HOUR_SECONDS]),
  );
  const missing = weeks.filter((week) => !present.has(week));
  if (missing.length === 0) return;
  const merged = 'quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(latency)[2]';
  await store.command(insertHours('usage_quarter_hour', 'requests', merged, missing));
}

function insertHours(table: string, timed: string, p95: string, hours: readonly number[]): string {
  const spans = hours.map((hour) => `(start >= ${at(hour)} AND start < ${at(hour + HOUR_SECONDS)})`).join(' OR ');
  return `INSERT INTO alert_hours (hour, key_id, timed, p95_ms)
    SELECT toStartOfHour(start) AS h, key_id, sum(${table}.${timed}) AS n, toFloat32(${sketchValueSql(`ifNull(${p95}, 0)`)}) AS p95
    FROM ${table} WHERE ${spans} GROUP BY h, key_id HAVING n >= ${MIN_TIMED} AND p95 > 0
    SETTINGS max_threads = 1, async_insert = 0, max_execution_time = 120`;
}

/** p95 of this hour in earlier weeks, per key. */
export function latencySamples(hour: number): string {
  const weeks = Array.from({ length: WEEKS }, (_, n) => at(hour - (n + 1) * WEEK_SECONDS)).join(', ');
  return `SELECT key_id, groupArray(p95_ms) AS p95s FROM alert_hours FINAL WHERE hour IN (${weeks}) GROUP BY key_id`;
}
