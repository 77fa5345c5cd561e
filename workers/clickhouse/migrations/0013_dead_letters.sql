-- What a replay needs besides the rows: when they were received, and which repeats the batch had recognised. Letters written
-- before have neither; their rows are those of the payload from first_row on.
ALTER TABLE dead_letters ${on_cluster}
    ADD COLUMN IF NOT EXISTS received_at DateTime64(3, 'UTC') DEFAULT at,
    ADD COLUMN IF NOT EXISTS claims String COMMENT 'JSON: Idempotency-Keys of the batch with their rows',
    ADD COLUMN IF NOT EXISTS unique_rows String COMMENT 'JSON: rows whose request ids tell a repeat';
