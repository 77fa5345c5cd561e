-- The token that a rotation made instead of this one: a second rotation of the same token would make a successor that ends with it.
ALTER TABLE tokens ${on_cluster} ADD COLUMN IF NOT EXISTS successor_id String COMMENT 'empty = was not rotated';
