-- Merges of single requests took more than half of all merges' processor time, and merges half of the engine's, while records come in. Two causes:
-- each row was merged again with every few new parts, and parts of more than 10 MB were written as a file per column. Parts of up to 100 MB stay one
-- file, and at least ten parts are merged at once: 5.2 to 5.8 instead of 9.0 to 10.9 us of processor per request (docs/benchmarks.md, "Merges of single requests").
-- The price is up to nine parts of each size in a partition, which only reads of single requests open; rollups, which every read opens, stay as they were.
ALTER TABLE requests${local} ${on_cluster} MODIFY SETTING min_parts_to_merge_at_once = 10, min_bytes_for_wide_part = 104857600;
