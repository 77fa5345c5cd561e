/** Values that stay true while a mark stays the same. Bounded: the value that was asked for longest ago goes first. */
export class Remembered<Value> {
  readonly #max: number;
  readonly #known = new Map<string, { mark: string; value: Promise<Value> }>();

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * The value of this mark. Those who ask at once share one reading; one that fails is not kept.
   * @param mark read before the value: a value may then be newer than its mark, never older
   */
  get(key: string, mark: string, read: () => Promise<Value>): Promise<Value> {
    const present = this.#known.get(key);
    this.#known.delete(key);
    const entry = present?.mark === mark ? present : { mark, value: read() };
    this.#known.set(key, entry);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#max) break;
      this.#known.delete(oldest);
    }
    if (entry !== present) {
      entry.value.catch(() => {
        if (this.#known.get(key) === entry) this.#known.delete(key);
      });
    }
    return entry.value;
  }
}
