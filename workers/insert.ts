import type { Settings, Store } from './clickhouse/store.ts';
import { REQUEST_COLUMNS } from './request-block.ts';

const TABLE = `requests (${REQUEST_COLUMNS.join(', ')})`;

/**
 * Settings that together make a repeated insert count once in `requests` and in the target of every view.
 * Each is written out, because server defaults differ between versions. The block sizes keep one insert one
 * block: a token covers a block, and two blocks under one token would be one of them lost.
 */
export function insertSettings(token: string): Settings {
  return {
    insert_deduplication_token: token,
    insert_deduplicate: 1,
    deduplicate_blocks_in_dependent_materialized_views: 1,
    async_insert: 0,
    // The views have grouped by the sort keys already: merging their rows once more finds nothing and costs a fifth.
    optimize_on_insert: 0,
    max_insert_block_size: 1_048_576,
    min_insert_block_size_rows: 1_048_576,
    min_insert_block_size_bytes: 1_073_741_824,
    max_insert_threads: 1,
    input_format_parallel_parsing: 0,
    max_partitions_per_insert_block: 100,
    throw_on_max_partitions_per_insert_block: 1,
    materialized_views_ignore_errors: 0,
    parallel_view_processing: 0,
  };
}

/** Inserts the rows of one batch, a block of request-block.ts, under its token. A repeat with the same token and rows changes nothing. */
export async function insertRequests(store: Store, token: string, block: Buffer): Promise<void> {
  await store.insertBlock(TABLE, insertSettings(token), block, token);
}

/** Rows of a batch that `requests` holds. That they are there does not say that every view has them: one may have failed after. */
export async function countedRows(store: Store, batchId: string): Promise<number> {
  const [row] = await store.queryWriter<{ counted: number }>(
    'SELECT count() AS counted FROM requests WHERE batch_id = {id:String}',
    { id: batchId },
  );
  return row!.counted;
}
