-- Reads of all keys at the edges of a range (`group_by`, the overview) take a few rows of every key, from granules that lie far apart, and
-- unpack a whole compressed block for each. With blocks of 4 KiB instead of 64 they unpack little else: the minutes at an edge took 37 instead of
-- 141 ms of processor with 500 keys and 10,000,000 requests, the quarter hours 57 instead of 87 (docs/benchmarks.md). Reads of one key cost what they did.
-- The price is 6 to 17 % more bytes in these tables, less where sketches are large. Parts take it on when they are next merged.
ALTER TABLE usage_minute${local} ${on_cluster} MODIFY SETTING min_compress_block_size = 4096;
ALTER TABLE usage_quarter_hour${local} ${on_cluster} MODIFY SETTING min_compress_block_size = 4096;
ALTER TABLE endpoints_quarter_hour${local} ${on_cluster} MODIFY SETTING min_compress_block_size = 4096;
ALTER TABLE countries_quarter_hour${local} ${on_cluster} MODIFY SETTING min_compress_block_size = 4096;
ALTER TABLE statuses_quarter_hour${local} ${on_cluster} MODIFY SETTING min_compress_block_size = 4096;
