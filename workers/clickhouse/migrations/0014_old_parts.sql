-- Parts that are older than a day become one, however unlike in size: by itself the engine leaves three to ten of them in a month's partition, and
-- a read of one key opens each. With 100,000,000 requests of 29 days `/usage` took 46 to 59 ms with them and 40 to 49 without (p50 of rounds of 150, means 53 and 46; docs/benchmarks.md).
-- The price is that each rollup's month is written anew about once a day: up to 190 s of one processor for that many.
-- A part that was merged is young again, so nothing is merged twice a day. `requests` is left out: it is large, and few reads go to it.
ALTER TABLE usage_minute${local} ${on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 86400;
ALTER TABLE usage_quarter_hour${local} ${on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 86400;
ALTER TABLE usage_day${local} ${on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 86400;
ALTER TABLE endpoints_quarter_hour${local} ${on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 86400;
ALTER TABLE endpoints_day${local} ${on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 86400;
ALTER TABLE countries_quarter_hour${local} ${on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 86400;
ALTER TABLE countries_day${local} ${on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 86400;
ALTER TABLE statuses_quarter_hour${local} ${on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 86400;
ALTER TABLE statuses_day${local} ${on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 86400;
