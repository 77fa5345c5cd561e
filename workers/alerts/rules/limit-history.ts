/**
 * Windows in which a limit as it stands now reached the lowest step, newest first: days from usage_day, months from it too,
 * minutes from usage_minute as far back as it is kept.
 * @param scope condition on organization_id, environment, plan and key_id
 */
export const limitHistorySql = (scope: string): string => `
  WITH limited AS (
    SELECT k.key_id AS key_id, k.organization_id AS organization_id, k.environment AS environment, k.plan AS plan,
      ifNull(k.limit_per_minute, if(own.plan != '', own.limit_per_minute, common.limit_per_minute)) AS per_minute,
      ifNull(k.limit_per_day, if(own.plan != '', own.limit_per_day, common.limit_per_day)) AS per_day,
      ifNull(k.limit_per_month, if(own.plan != '', own.limit_per_month, common.limit_per_month)) AS per_month
    FROM (SELECT * FROM keys FINAL WHERE NOT deleted) AS k
    LEFT JOIN (SELECT * FROM plans FINAL WHERE NOT deleted AND organization_id != '') AS own ON own.organization_id = k.organization_id AND own.plan = k.plan
    LEFT JOIN (SELECT * FROM plans FINAL WHERE NOT deleted AND organization_id = '') AS common ON common.plan = k.plan),
  scoped AS (SELECT * FROM limited WHERE ${scope} AND (per_minute > 0 OR per_day > 0 OR per_month > 0)),
  uses AS (
    SELECT key_id, 'day' AS period, start, sum(d.requests) AS used FROM usage_day AS d
    WHERE start >= toStartOfDay(toDateTime({from:UInt32}, 'UTC')) AND key_id IN (SELECT key_id FROM scoped WHERE per_day > 0) GROUP BY key_id, start
    UNION ALL
    SELECT key_id, 'month', toDateTime(toStartOfMonth(start), 'UTC') AS month, sum(d.requests) FROM usage_day AS d
    WHERE start >= toDateTime(toStartOfMonth(toDateTime({from:UInt32}, 'UTC')), 'UTC') AND key_id IN (SELECT key_id FROM scoped WHERE per_month > 0) GROUP BY key_id, month
    UNION ALL
    SELECT key_id, 'minute', start, sum(m.requests) FROM usage_minute AS m
    WHERE start >= toDateTime({from:UInt32}, 'UTC') AND key_id IN (SELECT key_id FROM scoped WHERE per_minute > 0) GROUP BY key_id, start)
  SELECT u.key_id AS key_id, u.period AS period, toUnixTimestamp(u.start) AS window_start, u.used AS used,
    toUInt64(ifNull(multiIf(period = 'day', s.per_day, period = 'month', s.per_month, s.per_minute), 0)) AS limit
  FROM uses AS u INNER JOIN scoped AS s ON s.key_id = u.key_id
  WHERE limit > 0 AND used * 100 >= limit * {lowest:Float64} AND has({periods:Array(String)}, period)
  ORDER BY window_start DESC LIMIT 500`;
