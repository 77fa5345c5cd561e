import type { Store } from '../../clickhouse/store.ts';

/** Parts of the evaluation that go on where they stopped. */
export type ProgressName = 'buckets' | 'limits' | 'key_events' | 'key_endings';

/** Epoch milliseconds up to which a part has come; undefined before its first time. */
export async function readProgress(store: Store, name: ProgressName): Promise<number | undefined> {
  const [row] = await store.queryWriter<{ until_ms: number }>(
    'SELECT toUnixTimestamp64Milli(until) AS until_ms FROM alert_progress FINAL WHERE name = {name:String}',
    { name },
  );
  return row?.until_ms;
}

/** The newest row counts, also after one that was written by a process whose clock was ahead. */
export async function writeProgress(store: Store, name: ProgressName, untilMs: number): Promise<void> {
  const [newest] = await store.queryWriter<{ at_ms: number }>(
    'SELECT toUnixTimestamp64Milli(max(updated_at)) AS at_ms FROM alert_progress WHERE name = {name:String}',
    { name },
  );
  const [until, updated_at] = [untilMs, Math.max(Date.now(), newest!.at_ms + 1)].map((ms) =>
    new Date(ms).toISOString(),
  );
  await store.insertRows('alert_progress', [{ name, until, updated_at }]);
}

/** The clock of the store, one for all processes. Epoch milliseconds. */
export async function storeNowMs(store: Store): Promise<number> {
  const [row] = await store.queryWriter<{ now_ms: number }>('SELECT toUnixTimestamp64Milli(now64(3)) AS now_ms');
  return row!.now_ms;
}

/**
 * Whether two looks are in different spans of this length: what is done once per span must not wait for one exact slot. Also after a
 * look whose clock was ahead, which would else keep the next ones from it.
 */
export const entersNew = (spanMs: number, lastMs: number, nowMs: number): boolean =>
  Math.floor(nowMs / spanMs) !== Math.floor(lastMs / spanMs);
