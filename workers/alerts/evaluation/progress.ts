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

export async function writeProgress(store: Store, name: ProgressName, untilMs: number): Promise<void> {
  const until = new Date(untilMs).toISOString();
  await store.insertRows('alert_progress', [{ name, until, updated_at: new Date().toISOString() }]);
}

/**
 * Whether two looks are in different spans of this length: what is done once per span must not wait for one exact slot. Also after a
 * look whose clock was ahead, which would else keep the next ones from it.
 */
export const entersNew = (spanMs: number, lastMs: number, nowMs: number): boolean =>
  Math.floor(nowMs / spanMs) !== Math.floor(lastMs / spanMs);
