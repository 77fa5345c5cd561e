/** Reads that many want at the same moment are made once: a change wakes every waiting gateway at once. */
export class SharedReads<Value> {
  readonly #gatherMs: number;
  readonly #next = new Map<string, Promise<Value>>();

  /** @param gatherMs how long a read waits for others that want the same */
  constructor(gatherMs: number) {
    this.#gatherMs = gatherMs;
  }

  /** The value as it is at this moment or later; `read` starts after this call, never before. */
  get(key: string, read: () => Promise<Value>): Promise<Value> {
    const joined = this.#next.get(key);
    if (joined) return joined;
    const promise = new Promise<void>((resolve) => setTimeout(resolve, this.#gatherMs)).then(() => {
      this.#next.delete(key);
      return read();
    });
    this.#next.set(key, promise);
    return promise;
  }
}
