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
    scope            String COMMENT 'what of the key: spike, drop, per_day, a country; empty = the key as such',
    key_id           String COMMENT 'empty = the whole platform',
    organization_id  LowCardinality(String),
    environment      LowCardinality(String),
    rule_id          String COMMENT 'rule whose settings judged it, empty = the defaults',
    phase            LowCardinality(String) COMMENT 'ok, pending, firing, recovering or resolved',
    severity         LowCardinality(String) COMMENT 'info, warning or critical',
    transition       LowCardinality(String) COMMENT 'opened, severity_raised, recovering, resolved, acknowledged; empty = no change that people see',
    notify           LowCardinality(String) COMMENT 'why people are to be told; empty = they are not',
    withheld         LowCardinality(String) COMMENT 'what kept a message back: silenced, inhibited, quiet or flapping',
    actor            String COMMENT 'who acknowledged; empty = the evaluation',
    evidence         String COMMENT 'JSON of what was seen, expected and from which history' CODEC(ZSTD(1)),
    state            String COMMENT 'JSON of the state after this step' CODEC(ZSTD(1)),
    INDEX times at TYPE minmax GRANULARITY 1
)
ENGINE = ${ReplacingMergeTree recorded_at}
PARTITION BY toYYYYMM(at)
ORDER BY (alert_key, at, event_id);
