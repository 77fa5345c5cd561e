import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty folder that goes with the run (see run-folder.ts). */
export function tempFolder(): string {
  return mkdtempSync(join(tmpdir(), 'keytally-test-'));
}

/** An empty folder that goes with the test. */
export function testFolder(): string {
  const folder = tempFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
