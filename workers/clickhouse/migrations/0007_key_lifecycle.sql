-- What a key's newest change was, in the row of the key itself: the row and its reason are written in one insert, so that
-- the audit row and the event can be made from it later when the writer was killed between the two.
ALTER TABLE keys ${on_cluster}
    ADD COLUMN IF NOT EXISTS registered_at DateTime64(3, 'UTC') DEFAULT updated_at COMMENT 'when this registry first heard of it',
    ADD COLUMN IF NOT EXISTS status_changed_at Nullable(DateTime64(3, 'UTC')),
    ADD COLUMN IF NOT EXISTS leaked_at Nullable(DateTime64(3, 'UTC')) COMMENT 'first report of a leak of the present secret',
    ADD COLUMN IF NOT EXISTS change_action LowCardinality(String),
    ADD COLUMN IF NOT EXISTS change_actor String,
    ADD COLUMN IF NOT EXISTS change_reason String,
    ADD COLUMN IF NOT EXISTS change_before String COMMENT 'JSON of the changed fields as they were, null for a new key',
    ADD COLUMN IF NOT EXISTS run_id String COMMENT 'policy run that made the newest change, empty when something else did';

-- One row per version of a key: a repeat has the same id, readers take one row per id.
ALTER TABLE audit ${on_cluster}
    ADD COLUMN IF NOT EXISTS id String,
    ADD COLUMN IF NOT EXISTS version UInt64 COMMENT 'version of the key after the change, 0 for other subjects',
    ADD COLUMN IF NOT EXISTS run_id String;

-- What happened to keys, for those who want to be told. A repeat has the same id and replaces itself.
CREATE TABLE IF NOT EXISTS key_events ${on_cluster}
(
    id               String,
    at               DateTime64(3, 'UTC'),
    key_id           String,
    organization_id  LowCardinality(String),
    type             LowCardinality(String) COMMENT 'key.expiring, key.expired, key.deactivated, key.reactivated, key.rotation_due, key.unused and others',
    data             String COMMENT 'JSON',
    INDEX times at TYPE minmax GRANULARITY 1
)
ENGINE = ${ReplacingMergeTree}
ORDER BY (key_id, id);

-- Deactivation policies, newest version counts.
CREATE TABLE IF NOT EXISTS policies ${on_cluster}
(
    policy_id        String,
    organization_id  LowCardinality(String) COMMENT 'empty = every organization',
    environment      LowCardinality(String) COMMENT 'empty = every environment',
    plan             LowCardinality(String) COMMENT 'empty = every plan',
    kind             LowCardinality(String) COMMENT 'expired, unused, abusive or leaked',
    name             String,
    enabled          Bool,
    settings         String COMMENT 'JSON',
    exempt_key_ids   Array(String),
    warn_days        Array(UInt16),
    max_per_run      UInt32,
    deleted          Bool,
    version          UInt64,
    created_at       DateTime64(3, 'UTC'),
    updated_at       DateTime64(3, 'UTC')
)
ENGINE = ${ReplacingMergeTree version}
ORDER BY policy_id;

-- Runs of policies. Which keys a run changed is told by keys.run_id and audit.run_id.
CREATE TABLE IF NOT EXISTS policy_runs ${on_cluster}
(
    run_id           String,
    policy_id        String,
    organization_id  LowCardinality(String) COMMENT 'of the policy',
    actor            String,
    started_at       DateTime64(3, 'UTC'),
    finished_at      Nullable(DateTime64(3, 'UTC')),
    outcome          LowCardinality(String) COMMENT 'running, done, stopped or undone',
    matched          UInt32,
    warned           UInt32,
    changed          UInt32,
    detail           String,
    version          UInt64
)
ENGINE = ${ReplacingMergeTree version}
ORDER BY run_id;
