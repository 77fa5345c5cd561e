import { mkdirSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Blocks on their way into the embedded engine. Its connection passes statements as text, which a block in binary is not, so
 * the engine reads it from a file. The file is in the page cache and gone a moment later; a crash leaves it behind, and
 * nobody needs it then, because the batch is still in the queue.
 */
export class BlockFiles {
  readonly #folder: string;
  #written = 0;

  /** @param folder of this process alone; emptied now */
  constructor(folder: string) {
    this.#folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Writes the block, gives `insert` its path, and removes it whatever came of it. */
  async pass(block: Buffer, insert: (path: string) => Promise<void>): Promise<void> {
    const path = join(this.#folder, `${++this.#written}.native`);
    try {
      await writeFile(path, block, { mode: 0o600 });
      await insert(path);
    } finally {
      await rm(path, { force: true });
    }
  }
}
