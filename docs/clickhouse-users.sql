-- ClickHouse users with no more rights than their part needs. Run as an administrator, with passwords of yours, before the
-- first start; then give each part its own CLICKHOUSE_USER and CLICKHOUSE_PASSWORD. Database: keytally.

-- On a cluster run it with ON CLUSTER after each name (`CREATE DATABASE … ON CLUSTER main`, `GRANT ON CLUSTER main …`), or keep the users in a
-- replicated access storage.

CREATE DATABASE IF NOT EXISTS keytally;

-- Workers bring the schema up to date, insert and delete nothing but partitions that have run out.
CREATE USER IF NOT EXISTS keytally_worker IDENTIFIED WITH sha256_password BY 'change-me-worker';
GRANT SELECT, INSERT, ALTER, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, TRUNCATE ON keytally.* TO keytally_worker;
GRANT SELECT ON system.tables TO keytally_worker;
GRANT SELECT ON system.columns TO keytally_worker;
GRANT SELECT ON system.databases TO keytally_worker;
GRANT SELECT ON system.parts TO keytally_worker;
-- `keytally backup` and `restore`, which run as this user: rows of a copy must not go by their age while they are counted.
GRANT SYSTEM TTL MERGES ON keytally.* TO keytally_worker;

-- The api reads everything and writes the registry. It can neither add to counts nor change the schema.
CREATE USER IF NOT EXISTS keytally_api IDENTIFIED WITH sha256_password BY 'change-me-api';
GRANT SELECT ON keytally.* TO keytally_api;
GRANT INSERT ON keytally.keys TO keytally_api;
GRANT INSERT ON keytally.tokens TO keytally_api;
GRANT INSERT ON keytally.audit TO keytally_api;
GRANT INSERT ON keytally.key_events TO keytally_api;
GRANT INSERT ON keytally.plans TO keytally_api;
GRANT INSERT ON keytally.policies TO keytally_api;
GRANT INSERT ON keytally.policy_runs TO keytally_api;
GRANT INSERT ON keytally.api_descriptions TO keytally_api;
GRANT INSERT ON keytally.dead_letters TO keytally_api;
GRANT INSERT ON keytally.alert_events TO keytally_api;
GRANT INSERT ON keytally.alert_rules TO keytally_api;
GRANT INSERT ON keytally.channels TO keytally_api;
GRANT INSERT ON keytally.deliveries TO keytally_api;
GRANT INSERT ON keytally.silences TO keytally_api;
GRANT SELECT ON system.tables TO keytally_api;
GRANT SELECT ON system.databases TO keytally_api;
GRANT SELECT ON system.parts TO keytally_api;
GRANT SELECT ON system.disks TO keytally_api;

-- For dashboards of your own, such as Grafana: counts only. No raw requests, no registry, no tokens.
CREATE USER IF NOT EXISTS keytally_reader IDENTIFIED WITH sha256_password BY 'change-me-reader' SETTINGS readonly = 1, max_execution_time = 30;
GRANT SELECT ON keytally.usage_minute TO keytally_reader;
GRANT SELECT ON keytally.usage_quarter_hour TO keytally_reader;
GRANT SELECT ON keytally.usage_day TO keytally_reader;
GRANT SELECT ON keytally.endpoints_quarter_hour TO keytally_reader;
GRANT SELECT ON keytally.endpoints_day TO keytally_reader;
GRANT SELECT ON keytally.countries_quarter_hour TO keytally_reader;
GRANT SELECT ON keytally.countries_day TO keytally_reader;
GRANT SELECT ON keytally.statuses_quarter_hour TO keytally_reader;
GRANT SELECT ON keytally.statuses_day TO keytally_reader;
GRANT SELECT ON keytally.key_totals TO keytally_reader;
GRANT SELECT ON keytally.key_countries TO keytally_reader;
GRANT SELECT ON keytally.country_hours TO keytally_reader;
GRANT SELECT ON keytally.traffic_buckets TO keytally_reader;
GRANT SELECT ON keytally.traffic_seconds TO keytally_reader;

-- On a cluster (CLICKHOUSE_CLUSTER) in addition: changes of the schema on every node, Distributed tables, and what each shard says of itself.
GRANT CLUSTER, REMOTE, CREATE TEMPORARY TABLE ON *.* TO keytally_worker;
GRANT REMOTE, CREATE TEMPORARY TABLE ON *.* TO keytally_api;
