import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * What keeps a process: the engine binds one data folder for good, connections and children outlive a test, and what is heard of every server
 * of a process, or counted in it, is heard and counted by the next test as well.
 */
const KEEPS_A_PROCESS = [
  'ioredis',
  'bullmq',
  'playwright-core',
  'prom-client',
  'node:child_process',
  'node:diagnostics_channel',
  'node:worker_threads',
];
const OPENS_THE_ENGINE = 'workers/clickhouse/store.ts';
/** `import type` is nothing at run time. */
const IMPORTS = /(?:^|\n)\s*(?:import|export)\s+(?!type\b)(?:[^'"]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

/**
 * Tests that reach, by what they import, no engine, no connection and no other process. They share processes, which saves each of them
 * the start of one; all others need a process of their own.
 * @returns paths from the repository's root, to which `root` leads
 */
export function pureTests(root: string): string[] {
  const imported = new Map<string, string[]>();
  const importsOf = (file: string): string[] => {
    const known = imported.get(file);
    if (known) return known;
    const text = readFileSync(join(root, file), 'utf8');
    const found = [...text.matchAll(IMPORTS)].map(([, name, dynamic]) => (name ?? dynamic)!);
    const names = found.map((name) => (name.startsWith('.') ? join(dirname(file), name) : name));
    imported.set(file, names);
    return names;
  };
  const keepsAProcess = (test: string): boolean => {
    const reached = new Set([test]);
    for (const file of reached) {
      if (file === OPENS_THE_ENGINE || KEEPS_A_PROCESS.includes(file)) return true;
      if (/\.tsx?$/.test(file) && existsSync(join(root, file))) for (const next of importsOf(file)) reached.add(next);
    }
    return false;
  };
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  const tests = files.filter((name) => name.endsWith('.test.ts')).map((name) => join('test', name));
  return tests.filter((test) => !keepsAProcess(test)).sort();
}
