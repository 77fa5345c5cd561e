-- Queries that must return no row. They run in tests and once an hour in production (workers/invariants.ts), and each
-- is a metric: keytally_invariant_violations{invariant="…"}.
--
-- A line "-- @ name: what it says" begins one. The first column names what is wrong. Parameters:
--   from        first UTC day that raw rows and all rollups still hold
--   to, to_day  end of the range, for quarter hours and for days: what is being written now is left out
--   keys_since  totals of keys seen first after this are still complete in the days
--   settled     what was written before this had time to be completed
-- A batch becomes visible in requests a moment before it does in the views. The runner therefore asks several times,
-- and only a row that is there every time counts.

-- @ usage_minute: minutes add up to the raw requests of each day
WITH raw AS (SELECT toStartOfDay(timestamp) AS day, count() AS n, sum(cityHash64(key_id)) AS keys,
    countIf(status >= 400 AND status < 500) AS client_errors, countIf(status >= 500) AS server_errors,
    sum(request_bytes) AS request_bytes, sum(response_bytes) AS response_bytes
  FROM requests WHERE timestamp >= toDateTime64({from:UInt32}, 3, 'UTC') AND timestamp < toDateTime64({to:UInt32}, 3, 'UTC') GROUP BY day),
rollup AS (SELECT toStartOfDay(start) AS day, sum(requests) AS n, sum(cityHash64(key_id) * requests) AS keys,
    sum(client_errors) AS client_errors, sum(server_errors) AS server_errors,
    sum(request_bytes) AS request_bytes, sum(response_bytes) AS response_bytes
  FROM usage_minute WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC') GROUP BY day)
SELECT toString(day) AS what, toInt64(sum(part_n)) AS difference FROM (
  SELECT day, toInt64(n) AS part_n, (n, keys, client_errors, server_errors, request_bytes, response_bytes) AS sums FROM raw
  UNION ALL SELECT day, -toInt64(n), (n, keys, client_errors, server_errors, request_bytes, response_bytes) FROM rollup)
GROUP BY day HAVING count() != 2 OR uniqExact(sums) != 1 ORDER BY day LIMIT 100;

-- @ usage_quarter_hour: quarter hours add up to the raw requests of each day
WITH raw AS (SELECT toStartOfDay(timestamp) AS day, count() AS n, sum(cityHash64(key_id)) AS keys,
    countIf(status >= 400 AND status < 500) AS client_errors, countIf(status >= 500) AS server_errors,
    sum(request_bytes) AS request_bytes, sum(response_bytes) AS response_bytes
  FROM requests WHERE timestamp >= toDateTime64({from:UInt32}, 3, 'UTC') AND timestamp < toDateTime64({to:UInt32}, 3, 'UTC') GROUP BY day),
rollup AS (SELECT toStartOfDay(start) AS day, sum(requests) AS n, sum(cityHash64(key_id) * requests) AS keys,
    sum(client_errors) AS client_errors, sum(server_errors) AS server_errors,
    sum(request_bytes) AS request_bytes, sum(response_bytes) AS response_bytes
  FROM usage_quarter_hour WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC') GROUP BY day)
SELECT toString(day) AS what, toInt64(sum(part_n)) AS difference FROM (
  SELECT day, toInt64(n) AS part_n, (n, keys, client_errors, server_errors, request_bytes, response_bytes) AS sums FROM raw
  UNION ALL SELECT day, -toInt64(n), (n, keys, client_errors, server_errors, request_bytes, response_bytes) FROM rollup)
GROUP BY day HAVING count() != 2 OR uniqExact(sums) != 1 ORDER BY day LIMIT 100;

-- @ usage_day: days add up to the raw requests
WITH raw AS (SELECT toStartOfDay(timestamp) AS day, count() AS n, sum(cityHash64(key_id)) AS keys,
    countIf(status >= 400 AND status < 500) AS client_errors, countIf(status >= 500) AS server_errors,
    sum(request_bytes) AS request_bytes, sum(response_bytes) AS response_bytes
  FROM requests WHERE timestamp >= toDateTime64({from:UInt32}, 3, 'UTC') AND timestamp < toDateTime64({to_day:UInt32}, 3, 'UTC') GROUP BY day),
rollup AS (SELECT start AS day, sum(requests) AS n, sum(cityHash64(key_id) * requests) AS keys,
    sum(client_errors) AS client_errors, sum(server_errors) AS server_errors,
    sum(request_bytes) AS request_bytes, sum(response_bytes) AS response_bytes
  FROM usage_day WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to_day:UInt32}, 'UTC') GROUP BY day)
SELECT toString(day) AS what, toInt64(sum(part_n)) AS difference FROM (
  SELECT day, toInt64(n) AS part_n, (n, keys, client_errors, server_errors, request_bytes, response_bytes) AS sums FROM raw
  UNION ALL SELECT day, -toInt64(n), (n, keys, client_errors, server_errors, request_bytes, response_bytes) FROM rollup)
GROUP BY day HAVING count() != 2 OR uniqExact(sums) != 1 ORDER BY day LIMIT 100;

-- @ endpoints_quarter_hour: calls per endpoint add up to the raw requests of each day
WITH raw AS (SELECT toStartOfDay(timestamp) AS day, count() AS n, sum(cityHash64(key_id, method, route)) AS cells
  FROM requests WHERE timestamp >= toDateTime64({from:UInt32}, 3, 'UTC') AND timestamp < toDateTime64({to:UInt32}, 3, 'UTC') GROUP BY day),
rollup AS (SELECT toStartOfDay(start) AS day, sum(requests) AS n, sum(cityHash64(key_id, method, route) * requests) AS cells
  FROM endpoints_quarter_hour WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC') GROUP BY day)
SELECT toString(day) AS what, toInt64(sum(part_n)) AS difference FROM (
  SELECT day, toInt64(n) AS part_n, (n, cells) AS sums FROM raw
  UNION ALL SELECT day, -toInt64(n), (n, cells) FROM rollup)
GROUP BY day HAVING count() != 2 OR uniqExact(sums) != 1 ORDER BY day LIMIT 100;

-- @ endpoints_day: calls per endpoint add up to the raw requests of each day
WITH raw AS (SELECT toStartOfDay(timestamp) AS day, count() AS n, sum(cityHash64(key_id, method, route)) AS cells
  FROM requests WHERE timestamp >= toDateTime64({from:UInt32}, 3, 'UTC') AND timestamp < toDateTime64({to_day:UInt32}, 3, 'UTC') GROUP BY day),
rollup AS (SELECT start AS day, sum(requests) AS n, sum(cityHash64(key_id, method, route) * requests) AS cells
  FROM endpoints_day WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to_day:UInt32}, 'UTC') GROUP BY day)
SELECT toString(day) AS what, toInt64(sum(part_n)) AS difference FROM (
  SELECT day, toInt64(n) AS part_n, (n, cells) AS sums FROM raw
  UNION ALL SELECT day, -toInt64(n), (n, cells) FROM rollup)
GROUP BY day HAVING count() != 2 OR uniqExact(sums) != 1 ORDER BY day LIMIT 100;

-- @ countries_quarter_hour: requests per country add up to the raw requests of each day
WITH raw AS (SELECT toStartOfDay(timestamp) AS day, count() AS n, sum(cityHash64(key_id, country)) AS cells
  FROM requests WHERE timestamp >= toDateTime64({from:UInt32}, 3, 'UTC') AND timestamp < toDateTime64({to:UInt32}, 3, 'UTC') GROUP BY day),
rollup AS (SELECT toStartOfDay(start) AS day, sum(requests) AS n, sum(cityHash64(key_id, country) * requests) AS cells
  FROM countries_quarter_hour WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC') GROUP BY day)
SELECT toString(day) AS what, toInt64(sum(part_n)) AS difference FROM (
  SELECT day, toInt64(n) AS part_n, (n, cells) AS sums FROM raw
  UNION ALL SELECT day, -toInt64(n), (n, cells) FROM rollup)
GROUP BY day HAVING count() != 2 OR uniqExact(sums) != 1 ORDER BY day LIMIT 100;

-- @ countries_day: requests per country add up to the raw requests of each day
WITH raw AS (SELECT toStartOfDay(timestamp) AS day, count() AS n, sum(cityHash64(key_id, country)) AS cells
  FROM requests WHERE timestamp >= toDateTime64({from:UInt32}, 3, 'UTC') AND timestamp < toDateTime64({to_day:UInt32}, 3, 'UTC') GROUP BY day),
rollup AS (SELECT start AS day, sum(requests) AS n, sum(cityHash64(key_id, country) * requests) AS cells
  FROM countries_day WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to_day:UInt32}, 'UTC') GROUP BY day)
SELECT toString(day) AS what, toInt64(sum(part_n)) AS difference FROM (
  SELECT day, toInt64(n) AS part_n, (n, cells) AS sums FROM raw
  UNION ALL SELECT day, -toInt64(n), (n, cells) FROM rollup)
GROUP BY day HAVING count() != 2 OR uniqExact(sums) != 1 ORDER BY day LIMIT 100;

-- @ statuses_quarter_hour: requests per status add up to the raw requests of each day
WITH raw AS (SELECT toStartOfDay(timestamp) AS day, count() AS n, sum(cityHash64(key_id, status)) AS cells
  FROM requests WHERE timestamp >= toDateTime64({from:UInt32}, 3, 'UTC') AND timestamp < toDateTime64({to:UInt32}, 3, 'UTC') GROUP BY day),
rollup AS (SELECT toStartOfDay(start) AS day, sum(requests) AS n, sum(cityHash64(key_id, status) * requests) AS cells
  FROM statuses_quarter_hour WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC') GROUP BY day)
SELECT toString(day) AS what, toInt64(sum(part_n)) AS difference FROM (
  SELECT day, toInt64(n) AS part_n, (n, cells) AS sums FROM raw
  UNION ALL SELECT day, -toInt64(n), (n, cells) FROM rollup)
GROUP BY day HAVING count() != 2 OR uniqExact(sums) != 1 ORDER BY day LIMIT 100;

-- @ statuses_day: requests per status add up to the raw requests of each day
WITH raw AS (SELECT toStartOfDay(timestamp) AS day, count() AS n, sum(cityHash64(key_id, status)) AS cells
  FROM requests WHERE timestamp >= toDateTime64({from:UInt32}, 3, 'UTC') AND timestamp < toDateTime64({to_day:UInt32}, 3, 'UTC') GROUP BY day),
rollup AS (SELECT start AS day, sum(requests) AS n, sum(cityHash64(key_id, status) * requests) AS cells
  FROM statuses_day WHERE start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to_day:UInt32}, 'UTC') GROUP BY day)
SELECT toString(day) AS what, toInt64(sum(part_n)) AS difference FROM (
  SELECT day, toInt64(n) AS part_n, (n, cells) AS sums FROM raw
  UNION ALL SELECT day, -toInt64(n), (n, cells) FROM rollup)
GROUP BY day HAVING count() != 2 OR uniqExact(sums) != 1 ORDER BY day LIMIT 100;

-- @ totals: the lifetime count of a key is the sum of its days
SELECT key_id AS what, toInt64(sum(total)) - toInt64(sum(days)) AS difference FROM (
  SELECT key_id, sum(requests) AS total, 0 AS days FROM key_totals GROUP BY key_id
  HAVING min(first_seen) >= toDateTime({keys_since:UInt32}, 'UTC')
  UNION ALL SELECT key_id, 0, sum(requests) FROM usage_day
  WHERE key_id IN (SELECT key_id FROM key_totals GROUP BY key_id HAVING min(first_seen) >= toDateTime({keys_since:UInt32}, 'UTC'))
  GROUP BY key_id)
GROUP BY key_id HAVING difference != 0 ORDER BY key_id LIMIT 100;

-- @ last_used: a key was used last at its newest raw request
SELECT key_id AS what, dateDiff('millisecond', newest, used) AS difference FROM (
  SELECT key_id, max(timestamp) AS newest FROM requests
  WHERE timestamp >= toDateTime64({from:UInt32}, 3, 'UTC') GROUP BY key_id) AS raw
INNER JOIN (SELECT key_id, max(last_used).1 AS used FROM key_totals GROUP BY key_id) AS totals USING key_id
WHERE used != newest ORDER BY key_id LIMIT 100;

-- @ batch_twice: no batch is stored twice. A doubled batch holds each of its rows two times or more; ten different rows
-- that all repeat are no accident. (A sender that repeats itself without an Idempotency-Key within a quarter of a second
-- looks the same, and is counted twice indeed.)
SELECT batch_id AS what, toInt64(sum(times)) AS difference FROM (
  SELECT batch_id, cityHash64(timestamp, key_id, method, path, status, ifNull(latency_ms, -1), request_id, response_bytes) AS row,
    count() AS times
  FROM requests WHERE received_at >= toDateTime({from:UInt32}, 'UTC') GROUP BY batch_id, row)
GROUP BY batch_id HAVING min(times) >= 2 AND count() >= 10 ORDER BY batch_id LIMIT 100;

-- @ tenants: no request that one organization reported stands under a key of another
SELECT key_id AS what, toInt64(count()) AS difference FROM requests AS r
INNER JOIN (SELECT key_id, organization_id AS owner, updated_at FROM keys FINAL
  WHERE organization_id != '') AS k USING key_id
WHERE r.organization_id != '' AND r.organization_id != owner AND r.timestamp >= toDateTime64({from:UInt32}, 3, 'UTC')
  AND r.received_at > updated_at + INTERVAL 1 MINUTE
GROUP BY key_id ORDER BY key_id LIMIT 100;

-- @ discovered_tenants: a key that nobody registered belongs to the one organization that used it first
SELECT key_id AS what, toInt64(uniqExact(organization_id)) AS difference FROM requests
WHERE organization_id != '' AND timestamp >= toDateTime64({from:UInt32}, 3, 'UTC') AND key_id NOT IN (SELECT key_id FROM keys)
GROUP BY key_id HAVING difference > 1 ORDER BY key_id LIMIT 100;

-- @ audit: every version of a key has its audit row
SELECT key_id AS what, toInt64(newest) - toInt64(audited) AS difference FROM (
  SELECT key_id, version AS newest, updated_at FROM keys FINAL WHERE change_action != '') AS k
LEFT JOIN (SELECT subject AS key_id, uniqExact(version) AS audited, max(version) AS last, min(version) AS first
  FROM audit WHERE version > 0 GROUP BY subject) AS a USING key_id
WHERE updated_at < toDateTime64({settled:UInt32}, 3, 'UTC') AND (last != newest OR audited != last - first + 1) ORDER BY key_id LIMIT 100;

-- @ alert_log: every opening of an alert has one opened step, ends once at most, and its end is told only where it was told.
-- Repeats of a step have one id, whichever of them was recorded last.
SELECT alert_id AS what, toInt64(count()) AS difference FROM alert_events
WHERE alert_id != '' GROUP BY alert_id
HAVING max(recorded_at) < toDateTime({settled:UInt32}, 'UTC') AND (uniqExactIf(event_id, transition = 'opened') != 1
  OR uniqExactIf(event_id, transition = 'resolved') > 1
  OR (countIf(notify = 'resolved') > 0 AND countIf(notify NOT IN ('', 'resolved')) = 0))
ORDER BY alert_id LIMIT 100;
