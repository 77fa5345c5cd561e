import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Compiles one source file and what it imports to JavaScript, for tests that run it in a process of its own: Node 20
 * does not run TypeScript, and `dist/` may be older than the source under test.
 *
 * @returns folder that mirrors the repository's layout; it lies inside the repository, so packages are found. The
 *   caller removes it.
 */
export function compiledSource(entry: string): string {
  mkdirSync('test/output', { recursive: true });
  const outDir = mkdtempSync(resolve('test/output/compiled-'));
  writeFileSync(join(outDir, 'package.json'), '{"type":"module"}');
  const options = {
    outDir,
    rootDir: '.',
    target: 'es2023',
    lib: 'es2023',
    module: 'nodenext',
    types: 'node',
  };
  execFileSync(process.execPath, [
    'node_modules/typescript/bin/tsc',
    entry,
    '--ignoreConfig',
    '--skipLibCheck',
    '--rewriteRelativeImportExtensions',
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
  ]);
  return outDir;
}
