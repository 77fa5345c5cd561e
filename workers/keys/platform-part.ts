/** What of the keys' behaviour is the platform's part, and whether behaviour was judged at all: asked before a key is called abusive. */
import { readProgress } from '../alerts/evaluation/progress.ts';
import { BUCKET_MS } from '../alerts/evaluation/settled.ts';
import type { Store } from '../clickhouse/store.ts';

const MINUTE_MS = 60_000;
/** An open alert writes a row at least once a day. */
export const ALERT_LOOK_BACK_MS = 8 * 86_400_000;
/** Alerts of the whole platform, by kind and scope (evaluation/fleet.ts names them so), that explain 4xx answers and more requests. */
export const EXPLAINS_ERRORS = ['error_rate client_errors', 'error_rate refused', 'error_rate rate_limited'];
export const EXPLAINS_REQUESTS = ['traffic_anomaly spike'];
/** All that explain what a key does; the mix of countries as well. */
export const EXPLAINING = [...EXPLAINS_ERRORS, ...EXPLAINS_REQUESTS, 'country_mix'];

/** The platform's alert of one kind and scope. */
export interface PlatformAlert {
  name: string;
  open: boolean;
  /** When it ended last, epoch milliseconds, 0 = not of late. */
  ended_ms: number;
}

/** Those that explain what keys do, of the last days. */
export async function readPlatformAlerts(store: Store, nowMs: number): Promise<PlatformAlert[]> {
  return store.queryWriter<PlatformAlert>(
    `SELECT any(scope) AS name, argMaxIf(phase, (at, recorded_at), transition != 'acknowledged') IN ('firing', 'recovering') AS open,
            toUnixTimestamp64Milli(maxIf(at, transition = 'resolved')) AS ended_ms
     FROM alert_events
     WHERE kind = 'platform' AND key_id = '' AND scope IN {explaining:Array(String)} AND at >= fromUnixTimestamp64Milli({from:Int64})
     GROUP BY alert_key`,
    { explaining: EXPLAINING, from: nowMs - ALERT_LOOK_BACK_MS },
  );
}

/** Whether one of these was open at any time since then. */
export const explains = (alerts: readonly PlatformAlert[], names: readonly string[], sinceMs: number): boolean =>
  alerts.some(({ name, open, ended_ms }) => names.includes(name) && (open || ended_ms > sinceMs));

/** The newest judged window may be this old: it waits for what is not counted yet. */
const JUDGED_WITHIN_MS = 15 * MINUTE_MS;
/** Of the five-minute buckets of a time. In one without requests of anybody nothing is judged and alerts stay as they are. */
const HEARD_SHARE = 0.9;

/** Whether open alerts say something about all of the last minutes: pure. */
export function isJudgedThroughout(
  { judgedMs, heardBuckets }: { judgedMs: number | undefined; heardBuckets: number },
  minutes: number,
  nowMs: number,
): boolean {
  if (judgedMs === undefined || nowMs - judgedMs > JUDGED_WITHIN_MS) return false;
  return heardBuckets >= HEARD_SHARE * bucketsOf(minutes);
}

const bucketsOf = (minutes: number): number => Math.ceil((minutes * MINUTE_MS) / BUCKET_MS);

/** As {@link isJudgedThroughout}, of how things stand. */
export async function areAlertsJudged(store: Store, minutes: number, nowMs: number): Promise<boolean> {
  const judgedMs = await readProgress(store, 'buckets');
  if (judgedMs === undefined) return false;
  const [row] = await store.queryWriter<{ heard: number }>(
    `SELECT uniqExact(start) AS heard FROM traffic_buckets
     WHERE start >= toDateTime({from:Int64}, 'UTC') AND start < toDateTime({to:Int64}, 'UTC')`,
    { from: (judgedMs - bucketsOf(minutes) * BUCKET_MS) / 1000, to: judgedMs / 1000 },
  );
  return isJudgedThroughout({ judgedMs, heardBuckets: row!.heard }, minutes, nowMs);
}
