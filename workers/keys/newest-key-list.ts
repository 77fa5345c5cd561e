import type { Store } from '../clickhouse/store.ts';
import { appearedKeys, type Generation, isUsable, newestGeneration } from './key-list.ts';

/** Far shorter than a generation is kept after the next one. */
const REMEMBERED_MS = 5_000;
/** Longer than this nobody asked, and what is known may be gone. */
const FORGOTTEN_MS = 20_000;
/** New keys without an entry in the registry that are shown before the next generation. */
const MAX_APPEARED = 1_000;

/** A generation and what is to be read beside it. */
export interface KeyList {
  generation: Generation;
  /** Keys nobody registered that appeared since; some seconds old, and at most {@link MAX_APPEARED}: the next generation has all. */
  appeared: readonly string[];
}

/** The newest usable list, remembered for a moment and renewed beside the pages: none of them waits for it but the first. */
export class KeyLists {
  readonly #store: Store;
  #known: { list: KeyList | undefined; atMs: number } | undefined;
  #renewal: Promise<KeyList | undefined> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  async newest(nowMs: number): Promise<KeyList | undefined> {
    const age = this.#known ? nowMs - this.#known.atMs : Number.POSITIVE_INFINITY;
    if (age < REMEMBERED_MS) return usable(this.#known!.list, nowMs);
    this.#renewal ??= this.#renew(nowMs).finally(() => {
      this.#renewal = undefined;
    });
    if (age >= FORGOTTEN_MS) return usable(await this.#renewal, nowMs);
    // The next page meets the error again, and then waits for it.
    this.#renewal.catch(() => undefined);
    return usable(this.#known!.list, nowMs);
  }

  async #renew(nowMs: number): Promise<KeyList | undefined> {
    const generation = await newestGeneration(this.#store);
    const rows = isUsable(generation, nowMs)
      ? await this.#store.query<{ key_id: string }>(`${appearedKeys(generation)} LIMIT ${MAX_APPEARED}`)
      : [];
    const list = generation && { generation, appeared: rows.map((row) => row.key_id) };
    this.#known = { list, atMs: nowMs };
    return list;
  }
}

function usable(list: KeyList | undefined, nowMs: number): KeyList | undefined {
  return list && isUsable(list.generation, nowMs) ? list : undefined;
}
