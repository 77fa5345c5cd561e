import type { KeyCondition } from './key-directory.ts';
import { limitedKeys } from './limited-keys.ts';

const MINUTE_SECONDS = 60;
const DAY_SECONDS = 86_400;

/**
 * Every key that has a limit, with the largest share of one that is in use, as SQL with the columns `limited_id` and `limit_used`:
 * the same shares as the API's utilization, for all keys at once.
 */
export function limitUse(condition: KeyCondition, nowMs: number): string {
  const now = Math.floor(nowMs / 1000);
  const today = new Date(nowMs);
  const at = (seconds: number) => `toDateTime(${seconds}, 'UTC')`;
  const minute = Math.floor(now / MINUTE_SECONDS) * MINUTE_SECONDS;
  const day = Math.floor(now / DAY_SECONDS) * DAY_SECONDS;
  const month = Date.UTC(today.getUTCFullYear(), today.getUTCMonth()) / 1000;
  const limited = (limit: string) => `SELECT key_id FROM (${limitedKeys(condition)}) WHERE ${limit}`;
  const long = `SELECT key_id AS used_id, sum(requests) AS month_requests, sumIf(requests, start = ${at(day)}) AS day_requests
    FROM usage_day WHERE start >= ${at(month)} AND start <= ${at(day)} AND key_id IN (${limited('per_day > 0 OR per_month > 0')})
    GROUP BY used_id`;
  const short = `SELECT key_id AS busy_id, max(minute_requests) AS busiest
    FROM (SELECT key_id, start, sum(requests) AS minute_requests FROM usage_minute
          WHERE start >= ${at(minute - MINUTE_SECONDS)} AND start <= ${at(minute)} AND key_id IN (${limited('per_minute > 0')})
          GROUP BY key_id, start)
    GROUP BY busy_id`;
  const share = (count: string, limit: string) => `ifNull(${count} / nullIf(l.${limit}, 0), 0)`;
  return `SELECT l.key_id AS limited_id,
      greatest(${share('s.busiest', 'per_minute')}, ${share('g.day_requests', 'per_day')}, ${share('g.month_requests', 'per_month')}) AS limit_used
    FROM (${limitedKeys(condition)} WHERE per_minute > 0 OR per_day > 0 OR per_month > 0) AS l
    LEFT JOIN (${long}) AS g ON g.used_id = l.key_id
    LEFT JOIN (${short}) AS s ON s.busy_id = l.key_id`;
}
