import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expand, migrate, readMigrations } from '../../workers/clickhouse/migrate.ts';
import { applyRetention } from '../../workers/clickhouse/retention.ts';
import { openStore, type Store } from '../../workers/clickhouse/store.ts';
import { insertSettings } from '../../workers/insert.ts';
import { NativeBlock } from '../../workers/native-block.ts';
import { testConfig } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { everyTier, TIERS, tierCounts } from '../support/tiers.ts';

const CLUSTER = 'main';
const statements = readMigrations().flatMap(({ file, sql }) =>
  expand(sql, CLUSTER).map((statement, at) => ({ name: `${file} ${at + 1}`, statement })),
);
const REPLICATED = /Replicated(\w+)\('([^']+)', '([^']+)'(?:, (\w+))?\)/;

let store: Store;
beforeAll(async () => {
  store = await openStore(testConfig(), join(tempFolder(), 'clickhouse'));
});
afterAll(() => store.close());

describe('every statement of every migration, as a cluster gets it', () => {
  test.each(statements)('$name is understood by the engine’s parser', async ({ statement }) => {
    expect(statement).not.toContain('${');
    // It changes the insert tokens of the view's target until the next start: what is sent again meanwhile counts twice.
    expect(statement).not.toContain('MODIFY QUERY');
    const [row] = await store.query<{ sql: string }>('SELECT formatQuery({statement:String}) AS sql', { statement });
    expect(row!.sql).toContain(`ON CLUSTER ${CLUSTER}`);
  });

  test('sharded tables are replicated within a shard, with a long deduplication window; the others on every node', () => {
    const engines = statements.flatMap(({ statement }) => {
      const table = /^CREATE TABLE IF NOT EXISTS (\w+)/.exec(statement)?.[1];
      const engine = REPLICATED.exec(statement);
      return table && engine ? [{ table, path: engine[2]!, replica: engine[3]!, statement }] : [];
    });
    const sharded = engines.filter(({ table }) => table.endsWith('_local'));
    expect(sharded.map(({ table }) => table)).toEqual(expect.arrayContaining(TIERS.map((tier) => `${tier}_local`)));
    for (const { path, replica, statement } of sharded) {
      expect([path, replica]).toEqual(['/clickhouse/tables/{shard}/{database}/{table}', '{replica}']);
      expect(statement).toContain(
        'replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800',
      );
    }
    for (const { table, path, replica } of engines.filter((engine) => !sharded.includes(engine))) {
      expect([table, path, replica]).toEqual([table, '/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}']);
    }
  });

  test('every sharded table has its Distributed table, by key', () => {
    const named = (pattern: RegExp) => statements.flatMap(({ statement }) => pattern.exec(statement)?.[1] ?? []).sort();
    const sharded = named(/^CREATE TABLE IF NOT EXISTS (\w+)_local\b/);
    expect(sharded).toEqual(expect.arrayContaining(TIERS));
    expect(
      named(/^CREATE TABLE IF NOT EXISTS (\w+) .* ENGINE = Distributed\(.*, \1_local, cityHash64\(key_id\)\)$/),
    ).toEqual(sharded);
  });
});

/** The same schema with the one shard that exists in a process: no Keeper, and Distributed over the own engine. */
function onOneNode(statement: string): string {
  return statement
    .replace(`ON CLUSTER '${CLUSTER}'`, '')
    .replace(REPLICATED, (_, engine, _path, _replica, version) => `${engine}(${version ?? ''})`)
    .replace(/replicated_deduplication_window = (\d+), \w+ = \d+/, 'non_replicated_deduplication_window = $1')
    .replace(
      /^(CREATE TABLE IF NOT EXISTS \w+)\s+AS \w+ ENGINE = Distributed\('\w+', (.*)\)$/,
      "$1 AS remote('127.0.0.1', $2)",
    );
}

const CLUSTER_INSERT = { distributed_foreground_insert: 1 };

test('through a Distributed table the token goes along: three inserts of one batch count once in every tier', async () => {
  for (const { statement } of statements) await store.command(onOneNode(statement));
  const insert = (token: string) =>
    store.insertBlock(
      'requests (timestamp, key_id, route, status, batch_id, received_at)',
      { ...insertSettings(token), ...CLUSTER_INSERT },
      block(100),
      token,
    );
  for (let n = 0; n < 3; n++) await insert('one');
  expect(await tierCounts(store)).toEqual(everyTier(100));
  await insert('two');
  expect(await tierCounts(store)).toEqual(everyTier(200));
});

test('a start under the schema of today and the same retention sends no statement to the cluster: one of its nodes may be down', async () => {
  const config = testConfig({ CLICKHOUSE_CLUSTER: CLUSTER, CLICKHOUSE_URL: 'http://127.0.0.1:1' });
  const sent: string[] = [];
  const command = store.command.bind(store);
  store.command = (sql, params) => {
    sent.push(sql);
    return command(onOneNode(sql), params);
  };
  const start = async () => {
    await migrate(store, config);
    await applyRetention(store, config);
    return sent.splice(0);
  };
  const first = await start();
  expect(first.filter((sql) => !sql.includes(`ON CLUSTER '${CLUSTER}'`))).toEqual([]);
  expect(first.some((sql) => sql.includes('schema_migrations'))).toBe(true);
  expect(first.some((sql) => sql.startsWith('ALTER TABLE requests_local '))).toBe(true);
  expect(await start()).toEqual([]);
  store.command = command;
});

test('a subquery over a second sharded table, with our setting, is answered by each shard from its own rows', async () => {
  // Two shards over the same rows: what each counts by itself comes twice.
  for (const [name, table] of [
    ['requests_of_two', 'requests_local'],
    ['totals_of_two', 'key_totals_local'],
  ]) {
    await store.command(
      `CREATE TABLE ${name} AS remote('127.0.0.1,localhost', currentDatabase(), ${table}, cityHash64(key_id))`,
    );
  }
  const sql = 'SELECT count() AS n FROM requests_of_two WHERE key_id IN (SELECT key_id FROM totals_of_two)';
  expect(await store.query(sql, {}, { distributed_product_mode: 'local' })).toEqual([{ n: 400 }]);
});

function block(rows: number): Buffer {
  const numbers = Array.from({ length: rows }, (_, n) => n);
  const times = numbers.map((n) => 1_768_471_200_000 + n * 1000);
  const out = new NativeBlock(6, [{ first: 0, end: rows }]);
  out.dateTime64('timestamp', times);
  out.text(
    'key_id',
    numbers.map((n) => `key_${n % 7}`),
  );
  out.constant('route', '/v1/x');
  out.uint16('status', new Uint16Array(rows).fill(200));
  out.constant('batch_id', 'b');
  out.dateTime64('received_at', times);
  return out.done();
}
