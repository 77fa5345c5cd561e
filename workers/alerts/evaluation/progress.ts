import type { Store } from '../../clickhouse/store.ts';

/** Parts of the evaluation that go on where they stopped. */
export type ProgressName = 'buckets' | 'limits' | 'key_events';

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
