-- Paths of imported OpenAPI documents: routes of requests are then exact instead of derived, and endpoints that nobody
-- calls can be listed. Only paths, methods and servers are kept of a document. Redis holds a copy for the edge.
CREATE TABLE IF NOT EXISTS api_descriptions ${on_cluster}
(
    organization_id  String,
    name             String,
    document         String COMMENT 'JSON: paths with their methods, servers, basePath' CODEC(ZSTD(3)),
    deleted          Bool,
    version          UInt64,
    updated_at       DateTime64(3, 'UTC')
)
ENGINE = ${ReplacingMergeTree version}
ORDER BY (organization_id, name);
