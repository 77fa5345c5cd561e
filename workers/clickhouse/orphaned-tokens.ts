import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Name of a part without mutations in its partition's id: partition, first and last block, level, mutation. */
const PART = /^[^_]+_(\d+)_(\d+)_\d+(?:_\d+)?$/;
const ADDED = '1';
const LOGS = 'deduplication_logs';
const DRAFT = 'deduplication_log.draft';

/**
 * Lines of a table's log of insert tokens without those of parts that never came to be. The engine writes a token down before it gives the part
 * its name. Killed in between it has the token and not the rows, and would leave them out of every repeat of that batch: in one table of
 * fifteen, for good. Block numbers only grow, so such a part lies behind every part there is. Pure.
 *
 * Source of the order: ClickHouse's `MergeTreeSink`; of the lines (operation, part, token): `MergeTreeDeduplicationLog`.
 * @param names of the table's parts, among other files
 */
export function withoutOrphans(lines: readonly string[], names: readonly string[]): string[] {
  const lastBlock = Math.max(-1, ...names.map((name) => Number(PART.exec(name)?.[2] ?? -1)));
  return lines.filter((line) => {
    const [operation, part = ''] = line.split('\t');
    const firstBlock = PART.exec(part)?.[1];
    return operation !== ADDED || firstBlock === undefined || Number(firstBlock) <= lastBlock;
  });
}

/**
 * Forgets the tokens of parts that a killed process left unnamed, in all tables of an embedded engine's folder. Before the engine opens it.
 * @returns how many
 */
export function forgetOrphanedTokens(dataFolder: string): number {
  let forgotten = 0;
  for (const table of tableFolders(dataFolder)) {
    const names = readdirSync(table);
    if (!names.includes(LOGS)) continue;
    for (const log of readdirSync(join(table, LOGS))) {
      const path = join(table, LOGS, log);
      const lines = readFileSync(path, 'utf8').split('\n');
      const kept = withoutOrphans(lines, names);
      if (kept.length === lines.length) continue;
      replaceFile(path, kept.join('\n'), join(dataFolder, DRAFT));
      forgotten += lines.length - kept.length;
    }
  }
  return forgotten;
}

/**
 * A log that was cut off half way would let every batch of it count twice. The draft lies outside the folder of the logs: the engine takes
 * whatever is there for one.
 */
function replaceFile(path: string, text: string, draft: string): void {
  writeFileSync(draft, text, { flush: true });
  renameSync(draft, path);
}

/** `store/abc/abc…`: one per table and database. */
function tableFolders(dataFolder: string): string[] {
  const store = join(dataFolder, 'store');
  if (!existsSync(store)) return [];
  const foldersIn = (folder: string) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(folder, name));
  return foldersIn(store).flatMap(foldersIn);
}
