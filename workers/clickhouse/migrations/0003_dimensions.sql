-- What a key calls, from where, with what answers. Quarter hours and UTC days: the edges of a range that starts inside a
-- quarter hour are completed from requests. Small granules: see 0002.
CREATE TABLE IF NOT EXISTS endpoints_quarter_hour${local} ${on_cluster}
(
    key_id          String CODEC(ZSTD(1)),
    start           DateTime('UTC') CODEC(Delta, ZSTD(1)),
    method          LowCardinality(String),
    route           LowCardinality(String),
    requests        SimpleAggregateFunction(sum, UInt64),
    client_errors   SimpleAggregateFunction(sum, UInt64),
    server_errors   SimpleAggregateFunction(sum, UInt64),
    latency         AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Nullable(Float32))
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(start)
ORDER BY (key_id, start, method, route)
SETTINGS ${deduplication_window}, index_granularity = 256;

${distributed endpoints_quarter_hour cityHash64(key_id)}

CREATE MATERIALIZED VIEW IF NOT EXISTS endpoints_quarter_hour_view ${on_cluster} TO endpoints_quarter_hour${local} AS
SELECT key_id,
       toStartOfFifteenMinutes(timestamp) AS start,
       method,
       route,
       count() AS requests,
       countIf(status >= 400 AND status < 500) AS client_errors,
       countIf(status >= 500) AS server_errors,
       quantilesDDState(0.01, 0.5, 0.95, 0.99)(latency_ms) AS latency
FROM requests${local}
GROUP BY key_id, start, method, route;

CREATE TABLE IF NOT EXISTS endpoints_day${local} ${on_cluster}
(
    key_id          String CODEC(ZSTD(1)),
    start           DateTime('UTC') CODEC(Delta, ZSTD(1)),
    method          LowCardinality(String),
    route           LowCardinality(String),
    requests        SimpleAggregateFunction(sum, UInt64),
    client_errors   SimpleAggregateFunction(sum, UInt64),
    server_errors   SimpleAggregateFunction(sum, UInt64),
    latency         AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Nullable(Float32))
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(start)
ORDER BY (key_id, start, method, route)
SETTINGS ${deduplication_window}, index_granularity = 256;

${distributed endpoints_day cityHash64(key_id)}

CREATE MATERIALIZED VIEW IF NOT EXISTS endpoints_day_view ${on_cluster} TO endpoints_day${local} AS
SELECT key_id,
       toStartOfDay(timestamp) AS start,
       method,
       route,
       count() AS requests,
       countIf(status >= 400 AND status < 500) AS client_errors,
       countIf(status >= 500) AS server_errors,
       quantilesDDState(0.01, 0.5, 0.95, 0.99)(latency_ms) AS latency
FROM requests${local}
GROUP BY key_id, start, method, route;

CREATE TABLE IF NOT EXISTS countries_quarter_hour${local} ${on_cluster}
(
    key_id          String CODEC(ZSTD(1)),
    start           DateTime('UTC') CODEC(Delta, ZSTD(1)),
    country         LowCardinality(String),
    requests        SimpleAggregateFunction(sum, UInt64),
    client_errors   SimpleAggregateFunction(sum, UInt64),
    server_errors   SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(start)
ORDER BY (key_id, start, country)
SETTINGS ${deduplication_window}, index_granularity = 256;

${distributed countries_quarter_hour cityHash64(key_id)}

CREATE MATERIALIZED VIEW IF NOT EXISTS countries_quarter_hour_view ${on_cluster} TO countries_quarter_hour${local} AS
SELECT key_id,
       toStartOfFifteenMinutes(timestamp) AS start,
       country,
       count() AS requests,
       countIf(status >= 400 AND status < 500) AS client_errors,
       countIf(status >= 500) AS server_errors
FROM requests${local}
GROUP BY key_id, start, country;

CREATE TABLE IF NOT EXISTS countries_day${local} ${on_cluster}
(
    key_id          String CODEC(ZSTD(1)),
    start           DateTime('UTC') CODEC(Delta, ZSTD(1)),
    country         LowCardinality(String),
    requests        SimpleAggregateFunction(sum, UInt64),
    client_errors   SimpleAggregateFunction(sum, UInt64),
    server_errors   SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(start)
ORDER BY (key_id, start, country)
SETTINGS ${deduplication_window}, index_granularity = 256;

${distributed countries_day cityHash64(key_id)}

CREATE MATERIALIZED VIEW IF NOT EXISTS countries_day_view ${on_cluster} TO countries_day${local} AS
SELECT key_id,
       toStartOfDay(timestamp) AS start,
       country,
       count() AS requests,
       countIf(status >= 400 AND status < 500) AS client_errors,
       countIf(status >= 500) AS server_errors
FROM requests${local}
GROUP BY key_id, start, country;

CREATE TABLE IF NOT EXISTS statuses_quarter_hour${local} ${on_cluster}
(
    key_id          String CODEC(ZSTD(1)),
    start           DateTime('UTC') CODEC(Delta, ZSTD(1)),
    status          UInt16,
    requests        SimpleAggregateFunction(sum, UInt64),
    client_errors   SimpleAggregateFunction(sum, UInt64),
    server_errors   SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(start)
ORDER BY (key_id, start, status)
SETTINGS ${deduplication_window}, index_granularity = 256;

${distributed statuses_quarter_hour cityHash64(key_id)}

CREATE MATERIALIZED VIEW IF NOT EXISTS statuses_quarter_hour_view ${on_cluster} TO statuses_quarter_hour${local} AS
SELECT key_id,
       toStartOfFifteenMinutes(timestamp) AS start,
       status,
       count() AS requests,
       countIf(status >= 400 AND status < 500) AS client_errors,
       countIf(status >= 500) AS server_errors
FROM requests${local}
GROUP BY key_id, start, status;

CREATE TABLE IF NOT EXISTS statuses_day${local} ${on_cluster}
(
    key_id          String CODEC(ZSTD(1)),
    start           DateTime('UTC') CODEC(Delta, ZSTD(1)),
    status          UInt16,
    requests        SimpleAggregateFunction(sum, UInt64),
    client_errors   SimpleAggregateFunction(sum, UInt64),
    server_errors   SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(start)
ORDER BY (key_id, start, status)
SETTINGS ${deduplication_window}, index_granularity = 256;

${distributed statuses_day cityHash64(key_id)}

CREATE MATERIALIZED VIEW IF NOT EXISTS statuses_day_view ${on_cluster} TO statuses_day${local} AS
SELECT key_id,
       toStartOfDay(timestamp) AS start,
       status,
       count() AS requests,
       countIf(status >= 400 AND status < 500) AS client_errors,
       countIf(status >= 500) AS server_errors
FROM requests${local}
GROUP BY key_id, start, status;
