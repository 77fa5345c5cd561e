-- Limits that many keys share by the name of their plan; a key's own limits come before them.
CREATE TABLE IF NOT EXISTS plans ${on_cluster}
(
    organization_id  String COMMENT 'empty = for every organization that has no plan of this name itself',
    plan             String,
    description      String,
    limit_per_minute Nullable(UInt64),
    limit_per_day    Nullable(UInt64),
    limit_per_month  Nullable(UInt64),
    limit_burst      Nullable(UInt64),
    deleted          Bool,
    version          UInt64,
    updated_at       DateTime64(3, 'UTC')
)
ENGINE = ${ReplacingMergeTree version}
ORDER BY (organization_id, plan);
