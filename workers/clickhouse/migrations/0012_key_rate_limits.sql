-- What a platform itself last said about the limit of a key, in the headers of an answer.
CREATE TABLE IF NOT EXISTS key_rate_limits ${on_cluster}
(
    key_id          String,
    at              DateTime64(3, 'UTC') COMMENT 'time of the request that told it',
    limit           UInt64,
    remaining       UInt64,
    reset_at        Nullable(DateTime64(3, 'UTC')),
    window_seconds  UInt32 COMMENT '0 = not said'
)
ENGINE = ${ReplacingMergeTree at}
ORDER BY key_id;
