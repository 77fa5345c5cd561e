-- Lifetime of a key. last_used is the maximum of a tuple that starts with the time: the newest event wins however late
-- it arrives, and a tie is decided the same way everywhere (argMax would keep whichever came first).
CREATE TABLE IF NOT EXISTS key_totals${local} ${on_cluster}
(
    key_id           String CODEC(ZSTD(1)),
    organization_id  SimpleAggregateFunction(max, String) COMMENT 'of the reporting tokens, the registry overrides it',
    requests         SimpleAggregateFunction(sum, UInt64),
    first_seen       SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    tracking_since   SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'first receipt',
    last_used        SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), country String, method String, route String, status UInt16))
)
ENGINE = ${AggregatingMergeTree}
ORDER BY key_id
SETTINGS ${deduplication_window};

${distributed key_totals cityHash64(key_id)}

CREATE MATERIALIZED VIEW IF NOT EXISTS key_totals_view ${on_cluster} TO key_totals${local} AS
SELECT key_id,
       max(requests${local}.organization_id) AS organization_id,
       count() AS requests,
       min(timestamp) AS first_seen,
       min(received_at) AS tracking_since,
       max(CAST(tuple(timestamp, country, method, route, status),
                'Tuple(at DateTime64(3, \'UTC\'), country String, method String, route String, status UInt16)')) AS last_used
FROM requests${local}
GROUP BY key_id;
