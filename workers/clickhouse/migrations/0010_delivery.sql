-- Where messages go, what was sent there, and what is not to be told.
CREATE TABLE IF NOT EXISTS channels ${on_cluster}
(
    channel_id       String,
    organization_id  LowCardinality(String) COMMENT 'empty = of the platform: hears of all organizations, or of those its routing lists',
    name             String,
    type             LowCardinality(String) COMMENT 'email, webhook, slack, pagerduty, teams or discord',
    purpose          LowCardinality(String) COMMENT 'alerts, or key_events: every change of a key, to the platform that owns the keys',
    enabled          Bool,
    settings         String COMMENT 'JSON without secrets',
    secrets          String COMMENT 'sealed, never readable by a person again',
    routing          String COMMENT 'JSON: which alerts it hears, quiet hours, digest',
    disabled_reason  String COMMENT 'why Keytally switched it off, empty otherwise',
    deleted          Bool,
    version          UInt64,
    created_at       DateTime64(3, 'UTC'),
    updated_at       DateTime64(3, 'UTC')
)
ENGINE = ${ReplacingMergeTree version}
ORDER BY channel_id;

-- One row per event and channel. Several of one group travel in one message. An event that no channel hears has one row without
-- a channel: it was looked at. Rows are written before anything is sent, and replaced with a higher version afterwards.
CREATE TABLE IF NOT EXISTS deliveries ${on_cluster}
(
    delivery_id      String COMMENT 'identity of (event, channel)',
    event_id         String COMMENT 'of alert_events or key_events',
    alert_key        String COMMENT 'empty for a key event',
    alert_id         String COMMENT 'opening of the alert, empty for a key event',
    channel_id       String COMMENT 'empty = no channel hears the event',
    organization_id  LowCardinality(String),
    key_id           String,
    kind             LowCardinality(String) COMMENT 'of the alert, or the type of the key event',
    notify           LowCardinality(String) COMMENT 'why people are to be told, empty for a key event',
    message_id       String COMMENT 'identity of the message it travels in: webhook-id, Message-ID. Empty until its group is closed',
    thread_id        String COMMENT 'messages of one opening share it',
    status           LowCardinality(String) COMMENT 'waiting, retrying, sent, failed, digest, held or dropped',
    reason           String COMMENT 'why it failed, waits or was dropped',
    attempts         UInt16,
    response_status  UInt16 COMMENT 'answer of the receiver, 0 = none',
    event_at         DateTime64(3, 'UTC'),
    created_at       DateTime64(3, 'UTC'),
    next_attempt_at  Nullable(DateTime64(3, 'UTC')),
    sent_at          Nullable(DateTime64(3, 'UTC')),
    version          UInt64,
    INDEX messages message_id TYPE bloom_filter GRANULARITY 1,
    INDEX events event_id TYPE bloom_filter GRANULARITY 1,
    INDEX alerts alert_id TYPE bloom_filter GRANULARITY 1,
    INDEX ids delivery_id TYPE bloom_filter GRANULARITY 1
)
ENGINE = ${ReplacingMergeTree version}
PARTITION BY toYYYYMM(created_at)
ORDER BY (channel_id, delivery_id);

CREATE TABLE IF NOT EXISTS silences ${on_cluster}
(
    silence_id       String,
    organization_id  LowCardinality(String) COMMENT 'empty = of the platform',
    matchers         String COMMENT 'JSON: kinds, key ids, environments, absent = any',
    starts_at        DateTime64(3, 'UTC'),
    ends_at          DateTime64(3, 'UTC'),
    reason           String,
    created_by       String,
    deleted          Bool,
    version          UInt64,
    created_at       DateTime64(3, 'UTC')
)
ENGINE = ${ReplacingMergeTree version}
ORDER BY silence_id;
