import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** One listener for all of them: Node warns from the eleventh on. */
const folders = new Set<string>();
process.once('exit', () => folders.forEach((folder) => void rmSync(folder, { recursive: true, force: true })));

/** An empty folder that goes with the process. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keytally-test-'));
  folders.add(folder);
  return folder;
}

/** An empty folder that goes with the test. */
export function testFolder(): string {
  const folder = tempFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
