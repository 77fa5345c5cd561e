import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { forgetOrphanedTokens, withoutOrphans } from '../../../workers/clickhouse/orphaned-tokens.ts';
import { migratedStore } from '../../support/migrated-store.ts';
import { testConfig } from '../../support/stack.ts';

const line = (part: string, operation = 1) => `${operation}\t${part}\ttoken_of_${part}`;
const OLD = ['all_1_1_1', '202611_2_2_0'].map((part) => line(part));

test.each<[string, string[], string[], string[]]>([
  ['every part is there', OLD, ['all_1_1_1', '202611_2_2_0'], OLD],
  ['parts became one', OLD, ['202611_1_2_1', 'format_version.txt', 'tmp_merge_all_9_9_1'], OLD],
  ['a part is missing behind all others', [...OLD, line('all_3_3_0')], ['all_1_2_1'], OLD],
  ['the first of all', [line('all_1_1_0'), ''], ['detached', 'deduplication_logs'], ['']],
  ['a part was mutated', OLD, ['all_1_2_1_7'], OLD],
  ['a part was dropped', [...OLD, line('all_3_3_0', 2)], ['all_1_2_1'], [...OLD, line('all_3_3_0', 2)]],
  ['parts that went by their age', OLD, ['all_5_5_0'], OLD],
  ['a line of another form', ['something else', ''], [], ['something else', '']],
])('tokens whose part never came to be are forgotten: %s', (_, lines, names, kept) => {
  expect(withoutOrphans(lines, names)).toEqual(kept);
});

test('in the folder of the engine, as a kill between token and name leaves it', async () => {
  const store = await migratedStore(testConfig());
  const insert = (token: string) =>
    store.command(
      `INSERT INTO key_totals (key_id, requests) SETTINGS insert_deduplication_token = '${token}', insert_deduplicate = 1 VALUES ('k', 5)`,
    );
  await insert('first');
  await insert('second');
  await insert('second');
  const [row] = await store.query<{ total: number; path: string }>(
    `SELECT (SELECT sum(requests) FROM key_totals) AS total,
       (SELECT data_paths[1] FROM system.tables WHERE name = 'key_totals' AND database = currentDatabase()) AS path`,
  );
  expect(row!.total).toBe(10);
  await store.close();
  const dataFolder = row!.path.slice(0, row!.path.indexOf('/store/'));
  const log = join(row!.path, 'deduplication_logs/deduplication_log_1.txt');
  const written = readFileSync(log, 'utf8');
  expect(forgetOrphanedTokens(dataFolder)).toBe(0);
  expect(readFileSync(log, 'utf8')).toBe(written);
  const last = written.trim().split('\n').at(-1)!;
  rmSync(join(row!.path, last.split('\t')[1]!), { recursive: true });
  // What a second name shows was written to the file itself, where a kill would leave half of it.
  const second = join(dataFolder, 'second-name');
  linkSync(log, second);
  const names = [readdirSync(dataFolder), readdirSync(dirname(log))];
  expect(forgetOrphanedTokens(dataFolder)).toBe(1);
  expect(readFileSync(log, 'utf8')).toBe(written.replace(`${last}\n`, ''));
  expect(readFileSync(second, 'utf8')).toBe(written);
  expect([readdirSync(dataFolder), readdirSync(dirname(log))]).toEqual(names);
  writeFileSync(log, written);
});
