-- The registry: one row per version of a key, read with FINAL. Deleted keys keep their counts.
CREATE TABLE IF NOT EXISTS keys ${on_cluster}
(
    key_id            String,
    organization_id   LowCardinality(String),
    customer_id       String,
    name              String,
    description       String,
    prefix            String COMMENT 'first characters of the key, for people to recognise it',
    sha256            String COMMENT 'hash of the raw key, lower-case hex, empty when unknown',
    kind              LowCardinality(String),
    environment       LowCardinality(String),
    scopes            Array(String),
    permissions       String COMMENT 'JSON as given',
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
    status            LowCardinality(String) COMMENT 'active, inactive or expired',
    status_reason     String,
    deleted           Bool,
    version           UInt64,
    updated_at        DateTime64(3, 'UTC')
)
ENGINE = ${ReplacingMergeTree version}
ORDER BY key_id;

-- Tokens by their hash; the token itself is nowhere. Redis holds a copy for the edge.
CREATE TABLE IF NOT EXISTS tokens ${on_cluster}
(
    sha256           String,
    id               String,
    name             String,
    scopes           Array(LowCardinality(String)),
    organization_id  String,
    key_id           String,
    created_at       DateTime64(3, 'UTC'),
    expires_at       Nullable(DateTime64(3, 'UTC')),
    revoked          Bool,
    version          UInt64
)
ENGINE = ${ReplacingMergeTree version}
ORDER BY sha256;

-- What could not be counted, with the reason and enough to try again. Append-only; a replay adds a row with its outcome.
CREATE TABLE IF NOT EXISTS dead_letters ${on_cluster}
(
    id        String,
    at        DateTime64(3, 'UTC'),
    batch_id  String,
    rows      UInt32,
    reason    String,
    sample    String COMMENT 'first row, as it was to be inserted',
    payload   String COMMENT 'the compressed batch, as in the queue' CODEC(ZSTD(3)),
    first_row UInt32,
    outcome   LowCardinality(String) COMMENT 'waiting, replayed or dropped',
    version   UInt64
)
ENGINE = ${ReplacingMergeTree version}
ORDER BY id;

-- Who changed what, append-only.
CREATE TABLE IF NOT EXISTS audit ${on_cluster}
(
    at               DateTime64(3, 'UTC'),
    organization_id  LowCardinality(String),
    actor            String COMMENT 'token id, or the schedule that acted',
    action           LowCardinality(String),
    subject          String,
    reason           String,
    before           String COMMENT 'JSON',
    after            String COMMENT 'JSON'
)
ENGINE = ${MergeTree}
ORDER BY (subject, at);
