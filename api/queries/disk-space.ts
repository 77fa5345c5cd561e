import type { Config } from '../../ingest/config.ts';
import { ofEveryShard } from '../../workers/clickhouse/storage.ts';
import type { Store } from '../../workers/clickhouse/store.ts';

/** Bytes, all shards together, one replica of each. */
export interface DiskSpace {
  free_bytes: number;
  total_bytes: number;
}

/**
 * What is left for new rows: they are written to local disks, and an object store that old ones move to has no end of its own
 * (it says 2^64 bytes), which would hide a full local disk. Where no disk is local, that of the object stores.
 */
export async function diskSpace(store: Store, config: Config): Promise<DiskSpace> {
  const [space] = await store.query<DiskSpace>(diskSpaceOf(ofEveryShard(config, 'system.disks')));
  return space!;
}

/** @param disks what to read them from: a table, or a function of one */
export function diskSpaceOf(disks: string): string {
  const sum = (column: string) =>
    `if(countIf(NOT d.is_remote) > 0, sumIf(toFloat64(d.${column}), NOT d.is_remote), sum(toFloat64(d.${column})))`;
  return `SELECT ${sum('free_space')} AS free_bytes, ${sum('total_space')} AS total_bytes
          FROM ${disks} AS d WHERE NOT d.is_read_only AND NOT d.is_broken`;
}
