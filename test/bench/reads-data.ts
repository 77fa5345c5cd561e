import { setTimeout as sleep } from 'node:timers/promises';
import { attachPartitions } from '../../workers/clickhouse/attach-partitions.ts';
import type { Store } from '../../workers/clickhouse/store.ts';

/** Keys that share the requests of a bench; the most used has about a hundredth of them. */
export const READ_KEYS = 500;
export const READ_DAYS = 29;
/** Rows written before the views see them. */
const CHUNK_ROWS = 4_000_000;
/** A table as `requests`, which no view feeds from. */
const STAGED = 'requests_staged';
const FROM_REQUESTS = /FROM \S*\brequests\b/;

const MERGES_PATIENCE_MS = 300_000;

/**
 * Writes requests inside the engine, one day after another: 29 days, 500 keys of uneven use, each with 12 of 40 routes, 60 countries.
 * Rows only differ by their number, so the same call writes the same data. Each rollup gets what its own view selects, a day at a time
 * instead of an insert at a time: a hundred million rows take minutes, not hours.
 */
export async function fillRequests(
  store: Store,
  rows: number,
  endMs: number,
  onRows: (rows: number) => void,
): Promise<void> {
  const views = await viewsOfRequests(store);
  await store.command(`CREATE TABLE ${STAGED} AS requests`);
  const chunkRows = Math.min(CHUNK_ROWS, Math.ceil(rows / READ_DAYS));
  for (let from = 0; from < rows; from += chunkRows) {
    const count = Math.min(chunkRows, rows - from);
    await stageRows(store, { end: endMs, span: READ_DAYS * 86_400_000, rows, from, count });
    for (const { target, select } of views) await store.command(`INSERT INTO ${target} ${select}`);
    await attachPartitions(store, 'requests', STAGED);
    await store.command(`TRUNCATE TABLE ${STAGED}`);
    onRows(from + count);
  }
  await store.command(`DROP TABLE ${STAGED}`);
  await untilMerged(store);
}

/** The views that feed from `requests`, selecting from the staged rows. Columns are named: the order of a target's is its own. */
async function viewsOfRequests(store: Store): Promise<{ target: string; select: string }[]> {
  const views = await store.query<{ definition: string; select: string; columns: string[] }>(
    `SELECT create_table_query AS definition, as_select AS select,
       arrayMap(column -> column.2, arraySort(groupArray((position, columns.name)))) AS columns
     FROM system.tables AS views JOIN system.columns AS columns ON columns.database = views.database AND columns.table = views.name
     WHERE views.database = currentDatabase() AND views.engine = 'MaterializedView'
     GROUP BY definition, select`,
  );
  return views
    .filter(({ select }) => FROM_REQUESTS.test(select))
    .map(({ definition, select, columns }) => ({
      target: `${/ TO (\S+)/.exec(definition)![1]} (${columns.join(', ')})`,
      select: select.replace(FROM_REQUESTS, `FROM ${STAGED} AS requests`),
    }));
}

async function stageRows(store: Store, range: Record<string, number>): Promise<void> {
  await store.command(
    `INSERT INTO ${STAGED} (timestamp, key_id, organization_id, method, route, path, status, latency_ms, request_bytes,
        response_bytes, ip, country, user_agent, request_id, service, environment, rate_limited, error, batch_id, received_at)
     SELECT fromUnixTimestamp64Milli(toInt64({end:Int64} - {span:Int64} + intDiv(n * {span:Int64}, {rows:UInt64}))) AS timestamp,
       concat('key_', toString(toUInt32(pow((intDiv(h, 7) % 100000) / 100000, 2) * ${READ_KEYS}) AS key)),
       'org', ['GET', 'GET', 'GET', 'POST'][1 + part % 4], concat('/v1/things/{id}/part', toString((key * 3 + intDiv(h, 11) % 12) % 40 AS part)),
       concat('/v1/things/', toString(h % 10000), '/part', toString(part)),
       [200, 200, 200, 200, 200, 201, 404, 500][1 + intDiv(h, 13) % 8], (intDiv(h, 17) % 5000) / 10, h % 500, h % 20000,
       concat('20.7.', toString(intDiv(h, 19) % 250), '.0'),
       concat(char(65 + intDiv(h, 23) % 6), char(65 + intDiv(h, 29) % 10)), 'curl/8.5', '', 'api', 'production', 0, '',
       concat('bench-', toString({from:UInt64})), now64(3)
     FROM (SELECT number + {from:UInt64} AS n, cityHash64(n) AS h FROM numbers({count:UInt64}))
     SETTINGS max_partitions_per_insert_block = 0`,
    range,
  );
}

/** What the engine does by itself with parts that are older than a day (migration 0014), and all other merges it has begun. */
async function untilMerged(store: Store): Promise<void> {
  const rollups = await store.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND create_table_query LIKE '%min_age_to_force_merge_seconds%'`,
  );
  for (const { name } of rollups) await store.command(`OPTIMIZE TABLE ${name} FINAL`);
  const until = Date.now() + MERGES_PATIENCE_MS;
  while (Date.now() < until) {
    const [row] = await store.query<{ merges: number }>('SELECT count() AS merges FROM system.merges');
    if (row!.merges === 0) return;
    await sleep(500);
  }
}

/** A registry of many keys with 31 days of use, written straight into its tables. */
export async function fillKeys(store: Store, keys: number): Promise<void> {
  const id = "concat('key_', leftPad(toString(number), 8, '0'))";
  await store.command(
    `INSERT INTO keys (key_id, organization_id, customer_id, name, prefix, sha256, kind, environment, plan, owner_email,
        created_at, expires_at, status, version, updated_at, registered_at, limit_per_day)
     SELECT ${id}, concat('org_', toString(cityHash64(number) % 500)), concat('cust_', toString(cityHash64(number) % 20000)),
       concat('Service ', toString(number)), concat('kt_live_', hex(number)), lower(hex(SHA256(toString(number)))), 'service',
       ['production', 'staging', 'development'][1 + number % 3], ['free', 'pro', ''][1 + number % 3],
       concat('owner', toString(number % 5000), '@example.com'), now64(3) - toIntervalDay(number % 700),
       if(number % 4 = 0, now64(3) + toIntervalDay(1 + number % 900), NULL), if(number % 50 = 0, 'inactive', 'active'), 1,
       now64(3) - toIntervalDay(1 + number % 300), now64(3) - toIntervalDay(1 + number % 300), if(number % 10 = 0, 10000, NULL)
     FROM numbers({keys:UInt64})`,
    { keys },
  );
  for (let day = 0; day <= 31; day++) {
    await store.command(
      `INSERT INTO usage_day (key_id, start, environment, service, requests, client_errors, server_errors)
       SELECT ${id}, toStartOfDay(now('UTC')) - toIntervalDay({day:UInt16}), 'production', '', 1 + cityHash64(number) % 1000,
         cityHash64(number, {day:UInt16}) % 10, cityHash64(number, 1, {day:UInt16}) % 5
       FROM numbers({keys:UInt64}) WHERE cityHash64(number, {day:UInt16}, 3) % 5 = 0`,
      { keys, day },
    );
  }
  await store.command(
    `INSERT INTO key_totals (key_id, organization_id, requests, first_seen, tracking_since, last_used)
     SELECT ${id}, 'org', cityHash64(number) % 100000, now64(3) - toIntervalDay(200),
       now64(3) - toIntervalDay(200),
       CAST(tuple(now64(3) - toIntervalSecond(60 + cityHash64(number) % 8640000), 'SE', 'GET', '/v1/things/{id}', 200),
         'Tuple(at DateTime64(3, \\'UTC\\'), country String, method String, route String, status UInt16)')
     FROM numbers({keys:UInt64}) WHERE number % 10 != 9`,
    { keys },
  );
}
