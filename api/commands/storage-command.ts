import { Command } from 'commander';
import type { z } from 'zod';
import type { StorageResponse } from '../routes/storage.ts';
import { ApiClient, type ConnectionFlags } from './api-client.ts';
import { connected } from './key-commands.ts';
import { show } from './output.ts';
import { table } from './table.ts';
import { bytes, count } from './wording.ts';

type Storage = z.infer<typeof StorageResponse>;

interface StorageFlags extends ConnectionFlags {
  key?: string;
  limit?: string;
}

/** `keytally storage`: what tables and keys take on disk. */
export function storageCommand(): Command {
  return connected(new Command('storage').description('what tables take on disk, and the keys that take most'))
    .option('--key <id>', 'only this key')
    .option('--limit <n>', 'keys, at most 1000', '20')
    .action(async (flags: StorageFlags) => {
      const query = { key_id: flags.key, limit: flags.limit };
      show(await new ApiClient(flags).get<Storage>('/v1/storage', query), flags.json, storageText);
    });
}

function storageText({ tables, keys }: Storage): string {
  const figures = [
    { title: 'rows', right: true },
    { title: 'on disk', right: true },
    { title: 'per row', right: true },
  ];
  const ofTables = table(
    [{ title: 'table' }, ...figures, { title: 'months' }],
    tables.map((row) => [
      row.table,
      count(row.rows),
      bytes(row.bytes_on_disk),
      bytes(row.bytes_per_row),
      monthsOf(row.oldest_partition, row.newest_partition),
    ]),
  );
  if (keys.length === 0) return `${ofTables}\nno key has rows\n`;
  const ofKeys = table(
    [
      { title: 'key' },
      { title: 'requests', right: true },
      { title: 'rows of counts', right: true },
      { title: 'on disk, about', right: true },
    ],
    keys.map((row) => [row.key_id, count(row.requests), count(row.rollup_rows), bytes(row.bytes_on_disk)]),
  );
  return `${ofTables}\n${ofKeys}`;
}

/** `202601 to 202611`. */
const monthsOf = (oldest: string, newest: string): string =>
  oldest === newest ? oldest : [oldest, newest].filter((month) => month !== '').join(' to ');
