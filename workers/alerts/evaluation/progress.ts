import type { Store } from '../../clickhouse/store.ts';

/** Parts of the evaluation that go on where they stopped. */
export type ProgressName = 'buckets' | 'limits' | 'key_events' | 'key_endings';

interface ProgressRow {
  name: ProgressName;
  until_ms: number;
  updated_ms: number;
}

/** A part that found nothing notes this often how far it has come: looking at such a time once more costs less than a row every five seconds. */
const NOTHING_EVERY_MS = 60_000;

/** How far each part has come, read once for a slot: its parts ask and write several times within a second. */
export class Progress {
  readonly #store: Store;
  readonly #rows: Map<ProgressName, ProgressRow>;

  private constructor(store: Store, rows: readonly ProgressRow[]) {
    this.#store = store;
    this.#rows = new Map(rows.map((row) => [row.name, row]));
  }

  static async read(store: Store): Promise<Progress> {
    const rows = await store.queryWriter<ProgressRow>(
      'SELECT name, toUnixTimestamp64Milli(until) AS until_ms, toUnixTimestamp64Milli(updated_at) AS updated_ms FROM alert_progress FINAL',
    );
    return new Progress(store, rows);
  }

  /** Epoch milliseconds up to which a part has come; undefined before its first time. */
  of(name: ProgressName): number | undefined {
    return this.#rows.get(name)?.until_ms;
  }

  /** As {@link write}; a look that found nothing is noted only once in a while. */
  async writeAfter(found: boolean, name: ProgressName, untilMs: number): Promise<void> {
    const last = this.of(name);
    const isRecent = last !== undefined && last <= untilMs && untilMs - last < NOTHING_EVERY_MS;
    if (found || !isRecent) await this.write(name, untilMs);
  }

  /** The newest row counts, also after one that was written by a process whose clock was ahead. */
  async write(name: ProgressName, untilMs: number): Promise<void> {
    const updatedMs = Math.max(Date.now(), (this.#rows.get(name)?.updated_ms ?? 0) + 1);
    const [until, updated_at] = [untilMs, updatedMs].map((ms) => new Date(ms).toISOString());
    await this.#store.insertRows('alert_progress', [{ name, until, updated_at }]);
    this.#rows.set(name, { name, until_ms: untilMs, updated_ms: updatedMs });
  }
}

/** As {@link Progress.of}, for one question. */
export async function readProgress(store: Store, name: ProgressName): Promise<number | undefined> {
  return (await Progress.read(store)).of(name);
}

/** As {@link Progress.write}. */
export async function writeProgress(store: Store, name: ProgressName, untilMs: number): Promise<void> {
  await (await Progress.read(store)).write(name, untilMs);
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
