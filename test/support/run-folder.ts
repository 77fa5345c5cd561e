import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * One folder for everything that a run of the tests leaves in the system's folder for such: vitest ends its processes by a
 * signal, so none of them can tidy up at its end (thousands of folders had gathered).
 */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'keytally-tests-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
