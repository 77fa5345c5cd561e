import { z } from 'zod';
import { storagePerTable } from '../../workers/clickhouse/storage.ts';
import { storagePerKey } from '../queries/key-storage.ts';
import { route } from '../route.ts';

const bytes = z.number().int();
const rows = z.number().int();

export const StorageResponse = z.object({
  tables: z.array(
    z.object({
      table: z.string(),
      rows,
      bytes_on_disk: bytes.describe('all shards together, one replica of each'),
      bytes_per_row: z.number(),
      oldest_partition: z.string().describe('first month with rows, YYYYMM; empty for a table without months'),
      newest_partition: z.string(),
    }),
  ),
  keys: z.array(
    z.object({
      key_id: z.string(),
      requests: rows.describe('single requests kept, to the day'),
      rollup_rows: rows.describe('rows of counts per minute, quarter of an hour and day'),
      bytes_on_disk: bytes.describe('estimated: its rows times what a row of each table takes on average'),
    }),
  ),
});

export const getStorage = route({
  method: 'get',
  path: '/v1/storage',
  scope: 'admin',
  reach: 'platform',
  summary: 'What every table takes on disk, and the keys that take most, largest first',
  query: z.object({
    key_id: z.string().min(1).max(200).optional().describe('only this key'),
    limit: z.coerce.number().int().min(1).max(1_000).default(20).describe('keys'),
  }),
  response: StorageResponse,
  handle: async ({ parts: { store, config }, query }) => {
    const tables = await storagePerTable(store, config);
    const keys = await storagePerKey(store, config, tables, { limit: query.limit, keyId: query.key_id ?? '' });
    return { tables, keys };
  },
});
