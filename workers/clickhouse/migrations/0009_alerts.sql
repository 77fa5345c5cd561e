-- Everything that ever happened to an alert, one row per step of its state machine. One insert holds a step, its new state and
-- whether people are to be told: they cannot come apart in a crash. The state of an alert is its newest row.
CREATE TABLE IF NOT EXISTS alert_events ${on_cluster}
(
    event_id         String COMMENT 'the same for every repeat of the same step',
    alert_key        String COMMENT 'identity of (kind, key, scope)',
    alert_id         String COMMENT 'identity of one opening, empty while pending',
    at               DateTime64(3, 'UTC') COMMENT 'end of the judged window, or the time of the thing that happened' CODEC(Delta, ZSTD(1)),
    recorded_at      DateTime64(3, 'UTC') COMMENT 'when this row was made' CODEC(Delta, ZSTD(1)),
    kind             LowCardinality(String),
    scope            String COMMENT 'what of the key: spike, drop, per_day, a country, empty = the key as such',
    key_id           String COMMENT 'empty = the whole platform',
    organization_id  LowCardinality(String),
    environment      LowCardinality(String),
    rule_id          String COMMENT 'rule whose settings judged it, empty = the defaults',
    phase            LowCardinality(String) COMMENT 'ok, pending, firing, recovering or resolved',
    severity         LowCardinality(String) COMMENT 'info, warning or critical',
    transition       LowCardinality(String) COMMENT 'opened, severity_raised, recovering, resolved, acknowledged, empty = no change that people see',
    notify           LowCardinality(String) COMMENT 'why people are to be told, empty = they are not',
    withheld         LowCardinality(String) COMMENT 'what kept a message back: silenced, inhibited, quiet or flapping',
    actor            String COMMENT 'who acknowledged, empty = the evaluation',
    evidence         String COMMENT 'JSON of what was seen, expected and from which history' CODEC(ZSTD(1)),
    state            String COMMENT 'JSON of the state after this step' CODEC(ZSTD(1)),
    INDEX times at TYPE minmax GRANULARITY 1
)
ENGINE = ${ReplacingMergeTree recorded_at}
PARTITION BY toYYYYMM(at)
ORDER BY (alert_key, at, event_id);

-- What the evaluation counts with: five minutes of a key, time first, because every rule asks for one slice of time over all
-- keys (usage_minute is sorted by key: a slice of it is a scan). Kept for six weeks and a margin, for the baselines; the
-- sketch of latencies and the hash only as long as buckets are judged. Imported logs of these weeks count too.
CREATE TABLE IF NOT EXISTS traffic_buckets${local} ${on_cluster}
(
    start           DateTime('UTC') CODEC(Delta, ZSTD(1)),
    key_id          String CODEC(ZSTD(1)),
    requests        SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    server_errors   SimpleAggregateFunction(sum, UInt64) COMMENT '5xx' CODEC(T64, ZSTD(1)),
    client_errors   SimpleAggregateFunction(sum, UInt64) COMMENT '4xx without the next two' CODEC(T64, ZSTD(1)),
    refused         SimpleAggregateFunction(sum, UInt64) COMMENT '401 and 403' CODEC(T64, ZSTD(1)),
    rate_limited    SimpleAggregateFunction(sum, UInt64) COMMENT '429' CODEC(T64, ZSTD(1)),
    timed           SimpleAggregateFunction(sum, UInt64) COMMENT 'requests with a latency' CODEC(T64, ZSTD(1)),
    key_hash        SimpleAggregateFunction(any, UInt64) DEFAULT if(start > now() - INTERVAL 4 DAY, sipHash64(key_id), 0)
                    COMMENT 'what the evaluation groups by: unpacking the texts would be half of its work' CODEC(LZ4) TTL start + INTERVAL 4 DAY,
    latency         AggregateFunction(quantileDD(0.01, 0.95), Nullable(Float32)) TTL start + INTERVAL 3 DAY
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(start)
ORDER BY (start, key_id)
TTL start + INTERVAL 45 DAY
SETTINGS ${deduplication_window};

${distributed traffic_buckets cityHash64(key_id)}

CREATE MATERIALIZED VIEW IF NOT EXISTS traffic_buckets_view ${on_cluster} TO traffic_buckets${local} AS
SELECT toStartOfFiveMinutes(timestamp) AS start,
       key_id,
       count() AS requests,
       countIf(status >= 500) AS server_errors,
       countIf(status >= 400 AND status < 500 AND status NOT IN (401, 403, 429)) AS client_errors,
       countIf(status IN (401, 403)) AS refused,
       countIf(status = 429) AS rate_limited,
       count(latency_ms) AS timed,
       if(start > now() - INTERVAL 4 DAY, sipHash64(key_id), 0) AS key_hash,
       quantileDDState(0.01, 0.95)(latency_ms) AS latency
FROM requests${local}
WHERE timestamp >= received_at - INTERVAL 44 DAY
GROUP BY start, key_id;

-- Seconds that were counted in the last hour, for limits per minute and per second (burst). A backlog is counted long after its
-- time: what is new is told by when it was counted, and the hour of keeping begins then too.
CREATE TABLE IF NOT EXISTS traffic_seconds${local} ${on_cluster}
(
    start       DateTime('UTC') CODEC(Delta, ZSTD(1)),
    key_id      String CODEC(ZSTD(1)),
    requests    SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    counted_at  SimpleAggregateFunction(max, DateTime('UTC')) DEFAULT now() CODEC(Delta, ZSTD(1)),
    INDEX counted counted_at TYPE minmax GRANULARITY 1
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMMDD(start)
ORDER BY (start, key_id)
TTL counted_at + INTERVAL 1 HOUR
SETTINGS ${deduplication_window};

${distributed traffic_seconds cityHash64(key_id)}

CREATE MATERIALIZED VIEW IF NOT EXISTS traffic_seconds_view ${on_cluster} TO traffic_seconds${local} AS
SELECT toDateTime(timestamp, 'UTC') AS start, key_id, count() AS requests, now('UTC') AS counted_at
FROM requests${local}
WHERE timestamp >= received_at - INTERVAL 30 MINUTE AND timestamp < received_at + INTERVAL 2 MINUTE
GROUP BY start, key_id;

-- Countries of each hour, time first, for the change of their mix.
CREATE TABLE IF NOT EXISTS country_hours${local} ${on_cluster}
(
    start     DateTime('UTC') CODEC(Delta, ZSTD(1)),
    key_id    String CODEC(ZSTD(1)),
    country   LowCardinality(String),
    requests  SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(start)
ORDER BY (start, key_id, country)
TTL start + INTERVAL 3 DAY
SETTINGS ${deduplication_window};

${distributed country_hours cityHash64(key_id)}

CREATE MATERIALIZED VIEW IF NOT EXISTS country_hours_view ${on_cluster} TO country_hours${local} AS
SELECT toStartOfHour(timestamp) AS start, key_id, country, count() AS requests
FROM requests${local}
WHERE timestamp >= received_at - INTERVAL 2 DAY
GROUP BY start, key_id, country;

-- Every country a key was ever used from, and since when.
CREATE TABLE IF NOT EXISTS key_countries${local} ${on_cluster}
(
    key_id      String CODEC(ZSTD(1)),
    country     LowCardinality(String),
    first_seen  SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    requests    SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ${AggregatingMergeTree}
ORDER BY (key_id, country)
SETTINGS ${deduplication_window};

${distributed key_countries cityHash64(key_id)}

CREATE MATERIALIZED VIEW IF NOT EXISTS key_countries_view ${on_cluster} TO key_countries${local} AS
SELECT key_id, country, min(timestamp) AS first_seen, count() AS requests
FROM requests${local}
GROUP BY key_id, country;

-- p95 of whole hours of a key, for the usual latency. A repeat replaces itself.
CREATE TABLE IF NOT EXISTS alert_hours ${on_cluster}
(
    hour      DateTime('UTC') CODEC(Delta, ZSTD(1)),
    key_id    String CODEC(ZSTD(1)),
    timed     UInt64 CODEC(T64, ZSTD(1)),
    p95_ms    Float32
)
ENGINE = ${ReplacingMergeTree}
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, key_id)
TTL hour + INTERVAL 45 DAY;

-- What is usual over 28 days, made once a day: shares of errors, and of countries. A row with an empty key says that a day is
-- complete: its writer may have been killed half way.
CREATE TABLE IF NOT EXISTS alert_days ${on_cluster}
(
    day            DateTime('UTC') COMMENT 'the 28 days before it',
    key_id         String CODEC(ZSTD(1)),
    requests       UInt64 CODEC(T64, ZSTD(1)),
    server_errors  UInt64 CODEC(T64, ZSTD(1)),
    client_errors  UInt64 CODEC(T64, ZSTD(1)),
    refused        UInt64 CODEC(T64, ZSTD(1)),
    rate_limited   UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = ${ReplacingMergeTree}
PARTITION BY toYYYYMM(day)
ORDER BY (day, key_id)
TTL day + INTERVAL 4 DAY;

CREATE TABLE IF NOT EXISTS alert_day_countries ${on_cluster}
(
    day       DateTime('UTC'),
    key_id    String CODEC(ZSTD(1)),
    country   LowCardinality(String),
    requests  UInt64 CODEC(T64, ZSTD(1)),
    share     Float32 COMMENT 'of the requests of the key'
)
ENGINE = ${ReplacingMergeTree}
PARTITION BY toYYYYMM(day)
ORDER BY (day, key_id, country)
TTL day + INTERVAL 4 DAY;

-- What is expected of a key in one hour, made once when the hour is first judged; complete with the row of the empty key.
CREATE TABLE IF NOT EXISTS alert_baselines ${on_cluster}
(
    hour                DateTime('UTC') CODEC(Delta, ZSTD(1)),
    key_id              String CODEC(ZSTD(1)),
    key_hash            UInt64 DEFAULT sipHash64(key_id) CODEC(LZ4),
    rung                LowCardinality(String) COMMENT 'caps only, last day, hour of day or hour of week',
    age_days            Float32,
    means               Array(Float32) COMMENT 'of each earlier hour: requests per five minutes',
    variances           Array(Float32),
    usual_spread        Float32,
    growth              Float32,
    mean                Float32 COMMENT 'these three as request-baseline.ts makes them: ClickHouse filters by them',
    within              Float32,
    between             Float32,
    last_ratio          Float32 COMMENT 'the hour before: seen / expected, with a prior',
    last_expected       Float32,
    p95s                Array(Float32) COMMENT 'this hour in earlier weeks',
    usual_p95_ms        Float32 COMMENT 'their median as detectors/latency.ts takes it, 0 with too few weeks',
    requests_28d        UInt64,
    server_errors_28d   UInt64,
    client_errors_28d   UInt64,
    refused_28d         UInt64,
    rate_limited_28d    UInt64
)
ENGINE = ${ReplacingMergeTree}
PARTITION BY toYYYYMMDD(hour)
ORDER BY (hour, key_id)
TTL hour + INTERVAL 3 DAY
SETTINGS index_granularity = 512;

-- How far each part of the evaluation has come.
CREATE TABLE IF NOT EXISTS alert_progress ${on_cluster}
(
    name        String,
    until       DateTime64(3, 'UTC'),
    updated_at  DateTime64(3, 'UTC')
)
ENGINE = ${ReplacingMergeTree updated_at}
ORDER BY name;

-- Rules: overrides of the built-in defaults of a kind, for the keys they match.
CREATE TABLE IF NOT EXISTS alert_rules ${on_cluster}
(
    rule_id          String,
    organization_id  LowCardinality(String) COMMENT 'empty = every organization',
    environment      LowCardinality(String) COMMENT 'empty = every environment',
    plan             LowCardinality(String) COMMENT 'empty = every plan',
    key_id           String COMMENT 'empty = every key',
    kind             LowCardinality(String),
    name             String,
    enabled          Bool,
    severity         LowCardinality(String) COMMENT 'empty = as the kind decides',
    quiet_minutes    Nullable(UInt32),
    repeat_minutes   Nullable(UInt32),
    settings         String COMMENT 'JSON of thresholds, by kind',
    source           LowCardinality(String) COMMENT 'api or file',
    deleted          Bool,
    version          UInt64,
    created_at       DateTime64(3, 'UTC'),
    updated_at       DateTime64(3, 'UTC')
)
ENGINE = ${ReplacingMergeTree version}
ORDER BY rule_id;
