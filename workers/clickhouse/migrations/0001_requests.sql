-- One row per API request. Sorted by key first, because every question is about one key; the views of 0002 to 0004
-- feed from here. batch_id is the id of the batch, of its job and of its insert's deduplication token.
-- Text of few values is LowCardinality, times are Delta coded: about 20 bytes per request on disk.
CREATE TABLE IF NOT EXISTS requests${local} ${on_cluster}
(
    timestamp        DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    key_id           String CODEC(ZSTD(1)),
    organization_id  LowCardinality(String) COMMENT 'organization of the reporting token, empty for the platform',
    method           LowCardinality(String),
    route            LowCardinality(String) COMMENT 'template, (other) beyond the bound per key',
    path             String COMMENT 'query values removed' CODEC(ZSTD(1)),
    status           UInt16,
    latency_ms       Nullable(Float32) COMMENT 'NULL = the gateway does not report it' CODEC(ZSTD(1)),
    request_bytes    UInt64 CODEC(T64, ZSTD(1)),
    response_bytes   UInt64 CODEC(T64, ZSTD(1)),
    ip               String COMMENT 'truncated to /24 or /48 unless configured otherwise' CODEC(ZSTD(1)),
    country          LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2, ZZ = unknown',
    user_agent       LowCardinality(String),
    request_id       String CODEC(ZSTD(1)),
    service          LowCardinality(String),
    environment      LowCardinality(String),
    rate_limited     Bool,
    error            LowCardinality(String),
    batch_id         LowCardinality(String),
    received_at      DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX batches batch_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = ${MergeTree}
PARTITION BY toYYYYMM(timestamp)
ORDER BY (key_id, timestamp)
SETTINGS ${deduplication_window};

${distributed requests cityHash64(key_id)}
