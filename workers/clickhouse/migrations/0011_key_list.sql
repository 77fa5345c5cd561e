-- The key directory as it was a short while ago, one partition per generation: with very many keys, joining registry, totals and
-- 30 days of rollups for every page would take seconds. Rebuilt by the worker, read together with what changed since. A page reads
-- some fifty keys from anywhere: small granules, kept together in one file per part, so that little else is unpacked. A generation
-- lives for minutes, so its parts are not merged.
CREATE TABLE IF NOT EXISTS key_list ${on_cluster}
(
    generation        UInt64 COMMENT 'when its building began, epoch milliseconds',
    key_id            String,
    organization_id   LowCardinality(String),
    customer_id       String,
    name              String,
    description       String,
    prefix            String,
    kind              LowCardinality(String),
    environment       LowCardinality(String),
    scopes            Array(String),
    permissions       String,
    plan              LowCardinality(String),
    limit_per_minute  Nullable(UInt64),
    limit_per_day     Nullable(UInt64),
    limit_per_month   Nullable(UInt64),
    limit_burst       Nullable(UInt64),
    owner_name        String,
    owner_email       String,
    created_at        DateTime64(3, 'UTC'),
    expires_at        Nullable(DateTime64(3, 'UTC')),
    rotated_at        Nullable(DateTime64(3, 'UTC')),
    successor_key_id  String,
    status            LowCardinality(String),
    status_reason     String,
    status_changed_at Nullable(DateTime64(3, 'UTC')),
    leaked_at         Nullable(DateTime64(3, 'UTC')),
    version           UInt64,
    has_traffic       UInt8,
    tracking_since    DateTime64(3, 'UTC'),
    last_used         Tuple(at DateTime64(3, 'UTC'), country String, method String, route String, status UInt16),
    total_requests    UInt64,
    requests_30d      UInt64,
    error_rate_30d    Float64,
    limit_used        Float64 COMMENT 'largest share of a limit in use, below 0 = no limit'
)
ENGINE = ${MergeTree}
PARTITION BY generation
ORDER BY key_id
SETTINGS index_granularity = 128, min_bytes_for_wide_part = 1000000000000, min_rows_for_wide_part = 1000000000000, max_bytes_to_merge_at_max_space_in_pool = 1;

-- The keys of a generation once for every order in which they are shown, with what chooses among them: a page is read from the
-- place where it begins and no further than it goes.
CREATE TABLE IF NOT EXISTS key_list_order ${on_cluster}
(
    generation       UInt64,
    sorted_by        LowCardinality(String),
    order_value      Int64,
    key_id           String,
    organization_id  LowCardinality(String),
    customer_id      String,
    environment      LowCardinality(String),
    status           LowCardinality(String),
    expires_at       Nullable(DateTime64(3, 'UTC')),
    limit_used       Float64,
    silent_since_ms  Int64 COMMENT 'last use, else since when one would have been seen',
    search_text      String COMMENT 'searched fields in small letters'
)
ENGINE = ${MergeTree}
PARTITION BY generation
ORDER BY (sorted_by, order_value, key_id)
SETTINGS index_granularity = 1024, max_bytes_to_merge_at_max_space_in_pool = 1;

CREATE TABLE IF NOT EXISTS key_list_generations ${on_cluster}
(
    generation   UInt64,
    keys         UInt64,
    duration_ms  UInt64,
    finished_at  DateTime64(3, 'UTC')
)
ENGINE = ${ReplacingMergeTree}
ORDER BY generation
TTL toDateTime(finished_at) + toIntervalDay(1);
