import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backup, restore } from '../../workers/backup.ts';
import { countOf, tablesOf } from '../../workers/backup-tables.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { applyRetention } from '../../workers/clickhouse/retention.ts';
import type { Store } from '../../workers/clickhouse/store.ts';
import { withinStores } from '../support/backup-stores.ts';
import { EXPIRED, expiredRows, insertExpired } from '../support/expired-rows.ts';
import { testConfig } from '../support/stack.ts';
import { tempFolder } from '../support/temp-folder.ts';

const everyTable = (rows: number) => Object.fromEntries(Object.keys(EXPIRED).map((table) => [table, rows]));

/** A merge between the file and the counting, whenever one is written or read. */
function mergeAfterEachFile(store: Store): { merged: string[] } {
  const seen = { merged: [] as string[] };
  const merge = async (table: string) => {
    await store.command(`OPTIMIZE TABLE ${table} FINAL`);
    seen.merged.push(table);
  };
  const [save, load] = [store.exportNative.bind(store), store.importNative.bind(store)];
  store.exportNative = async (select, path) => {
    await save(select, path);
    await merge(/ FROM (\w+)/.exec(select)![1]!);
  };
  store.importNative = async (table, path) => {
    await load(table, path);
    await merge(table);
  };
  return seen;
}

/** @returns the backup of a store with rows that are past their time, merged while it was saved */
async function backupWithExpired(): Promise<string> {
  const folder = join(tempFolder(), 'backup');
  const config = testConfig();
  await withinStores(config, async (parts) => {
    await migrate(parts.store, config);
    await applyRetention(parts.store, config);
    await parts.store.command('SYSTEM STOP TTL MERGES');
    await insertExpired(parts.store);
    // As a table of more than 50 GB meets the server's own bound.
    await parts.store.command('SET max_table_size_to_drop = 1');
    expect(await expiredRows(parts.store)).toEqual(everyTable(1));
    const { merged } = mergeAfterEachFile(parts.store);
    const { tables } = await backup(parts, folder);
    expect(merged.length).toBeGreaterThan(Object.keys(EXPIRED).length);
    for (const table of await tablesOf(parts.store)) {
      const saved = tables.find((one) => one.table === table.name)!;
      expect([table.name, saved.rows]).toEqual([table.name, await countOf(parts.store, table)]);
    }
  });
  return folder;
}

test('rows past their time are in the backup, come back with it, and go then', async () => {
  const folder = await backupWithExpired();
  const empty = testConfig();
  await withinStores(empty, async (parts) => {
    const { merged } = mergeAfterEachFile(parts.store);
    await restore(parts, folder);
    expect(new Set(merged)).toEqual(new Set(['restored_rows']));
    const never = await parts.store.queryWriter<{ table: string }>(
      `SELECT DISTINCT table FROM system.parts WHERE database = currentDatabase() AND active AND rows > 0
         AND table IN {tables:Array(String)} AND delete_ttl_info_max = 0`,
      { tables: Object.keys(EXPIRED) },
    );
    expect(never).toEqual([]);
    for (const table of Object.keys(EXPIRED)) await parts.store.command(`OPTIMIZE TABLE ${table} FINAL`);
    expect(await expiredRows(parts.store)).toEqual(everyTable(0));
    const left = "SELECT name FROM system.tables WHERE name IN ('restored_rows', 'backup_snapshot')";
    expect(await parts.store.queryWriter(left)).toEqual([]);
  });
}, 180_000);

test('a manifest that says less than its whole files hold is restored and said; one that says more is refused', async () => {
  const folder = await backupWithExpired();
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  const seconds = manifest.tables.find(({ table }: { table: string }) => table === 'traffic_seconds');
  const { rows: saved } = seconds;
  const said: string[] = [];
  const restoreWith = (rows: number) => {
    seconds.rows = rows;
    writeFileSync(path, JSON.stringify(manifest));
    return withinStores(
      testConfig(),
      (parts) => restore(parts, folder),
      (line) => said.push(line),
    );
  };
  await restoreWith(saved - 1);
  expect(said).toContain(`traffic_seconds: ${saved} rows, 1 more than the manifest says`);
  await expect(restoreWith(saved + 1)).rejects.toThrow(`traffic_seconds: ${saved} rows came back of ${saved + 1}`);
}, 180_000);
