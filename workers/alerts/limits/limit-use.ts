import type { Store } from '../../clickhouse/store.ts';
import { limitedKeys } from '../../keys/limited-keys.ts';
import type { LimitUse } from '../detectors/near-limit.ts';

/** Use of one limit of a key, with what is known of the key. */
export interface UseRow {
  key_id: string;
  organization_id: string;
  environment: string;
  plan: string;
  name: string;
  active: boolean;
  period: LimitUse['period'];
  used: number;
  limit: number;
  /** Epoch seconds. */
  window_start: number;
}

/** Rows of one look at most; those nearest to their limit come first. */
const MAX_ROWS = 20_000;

const TOUCHED = `(key_id IN (SELECT key_id FROM traffic_seconds
    WHERE counted_at >= toDateTime({since:Int64}, 'UTC') AND start < toDateTime({touched_to:Int64}, 'UTC')) OR key_id IN {open:Array(String)})`;
const LIMITED = `${limitedKeys(TOUCHED)}
  WHERE per_minute > 0 OR per_day > 0 OR per_month > 0 OR burst > 0 OR key_id IN {open:Array(String)}`;
/**
 * Keys that may have a limit, whichever it is: the counts of one too many are only added up. Asking for the limits themselves in each of these
 * places made the engine read and join keys and plans three times (97 instead of 61 ms of processor for an answer without rows).
 */
const MAY_BE_LIMITED = `SELECT key_id FROM keys
  WHERE (limit_per_minute > 0 OR limit_per_day > 0 OR limit_per_month > 0 OR limit_burst > 0 OR plan != '') AND ${TOUCHED}`;

/** Start of the oldest second of which something was counted since then; 0 when nothing was. */
export const oldestCountedSql =
  "SELECT toUnixTimestamp(min(start)) AS oldest FROM traffic_seconds WHERE counted_at >= toDateTime({since:Int64}, 'UTC')";

/**
 * Use of every limit of the touched keys that has reached the lowest step, and of keys whose alert is open. For minute and
 * second the busiest minute of the span counts; day and month are those of UTC.
 */
export const limitUseSql = `
  WITH short AS (SELECT key_id, max((n, minute)) AS busiest, max((peak, minute)) AS burst FROM (
                SELECT key_id, toStartOfMinute(start) AS minute, sum(r) AS n, max(r) AS peak
                FROM (SELECT start, key_id, sum(s.requests) AS r FROM traffic_seconds AS s
                      WHERE start >= toDateTime({from:Int64}, 'UTC') AND start < toDateTime({to:Int64}, 'UTC')
                        AND key_id IN (${MAY_BE_LIMITED})
                      GROUP BY start, key_id) GROUP BY key_id, minute) GROUP BY key_id),
    long AS (SELECT key_id, sum(d.requests) AS month, sumIf(d.requests, start = toDateTime({day:Int64}, 'UTC')) AS day FROM usage_day AS d
             WHERE start >= toDateTime({month:Int64}, 'UTC') AND start <= toDateTime({day:Int64}, 'UTC')
               AND key_id IN (${MAY_BE_LIMITED}) GROUP BY key_id)
  SELECT key_id, organization_id, environment, plan, name, active, toString(one.1) AS period, one.2 AS used, one.3 AS limit, one.4 AS window_start
  FROM (SELECT l.key_id AS key_id, l.organization_id AS organization_id, l.environment AS environment, l.plan AS plan, l.name AS name, l.active AS active,
          [('burst', toUInt64(s.burst.1), toUInt64(ifNull(l.burst, 0)), greatest({from:Int64}, toInt64(toUnixTimestamp(s.burst.2)))),
           ('minute', toUInt64(s.busiest.1), toUInt64(ifNull(l.per_minute, 0)), greatest({from:Int64}, toInt64(toUnixTimestamp(s.busiest.2)))),
           ('day', toUInt64(g.day), toUInt64(ifNull(l.per_day, 0)), {day:Int64}),
           ('month', toUInt64(g.month), toUInt64(ifNull(l.per_month, 0)), {month:Int64})] AS uses
        FROM (${LIMITED}) AS l LEFT JOIN short AS s ON s.key_id = l.key_id LEFT JOIN long AS g ON g.key_id = l.key_id)
  ARRAY JOIN uses AS one
  WHERE (limit > 0 AND used * 100 >= limit * {lowest:Float64}) OR key_id IN {open:Array(String)}
  ORDER BY used / limit DESC LIMIT ${MAX_ROWS}`;

/**
 * Whether some key or plan has a limit, or had one, which the full question then tells. Resolving that costs the engine 60 ms of CPU,
 * every five seconds, whether rows match or not.
 */
export async function anyLimit(store: Store): Promise<boolean> {
  const limited = 'limit_per_minute > 0 OR limit_per_day > 0 OR limit_per_month > 0 OR limit_burst > 0';
  const limits = await store.query(
    `SELECT 1 AS found FROM keys WHERE ${limited} LIMIT 1 UNION ALL SELECT 1 AS found FROM plans WHERE ${limited} LIMIT 1`,
  );
  return limits.length > 0;
}
