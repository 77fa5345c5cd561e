import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * What keeps a process: the engine holds one data folder at a time, connections and children outlive a test, and what is heard of every server
 * of a process, or counted in it, is heard and counted by the next test as well.
 */
const KEEPS_A_PROCESS = [
  'ioredis',
  'bullmq',
  'ingest/bullmq.ts',
  'playwright-core',
  'prom-client',
  'node:child_process',
  'node:diagnostics_channel',
  'node:worker_threads',
];
const OPENS_THE_ENGINE = 'workers/clickhouse/store.ts';
/** What a test that stops all it started still leaves to the next of its process, by what its text says of it. */
const OUTLIVES_A_TEST = [
  // Counters go on from file to file.
  /\/metrics\b|metrics\.ts'|prom-client/,
  // Every server of the process is heard.
  /node:diagnostics_channel/,
  // A browser would live on where a file fails before it closes it.
  /playwright-core/,
  // A module that is replaced is replaced for the others.
  /\bvi\.mock\(/,
  // Looks at its own process.
  /\/proc\//,
];
/** A file that several tests import is run once per process, and its hooks would be those of the first test. */
const HOOKS = /^(?:before|after)(?:Each|All)\(/m;
/** `import type` is nothing at run time. */
const IMPORTS = /(?:^|\n)\s*(?:import|export)\s+(?!type\b)(?:[^'"]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

/** Which files of tests share processes, as paths from the repository's root; all others have one of their own. */
export interface SharedProcesses {
  /** Reach, by what they import, no engine, no connection and no other process. */
  pure: string[];
  /** Start parts of the program in their own process and stop them at their end: engine and modules are loaded once for many of them. */
  stacks: string[];
}

/**
 * @param root leads to the repository
 * @throws when a file that tests share has hooks at its outermost level
 */
export function sharedProcesses(root: string): SharedProcesses {
  const sources = new Sources(root);
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  const tests = files.filter((name) => name.endsWith('.test.ts')).map((name) => join('test', name));
  for (const name of files) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts') || !HOOKS.test(sources.textOf(join('test', name)))) continue;
    throw new Error(`test/${name}: hooks must be in a function that each test calls`);
  }
  const isPure = (test: string) =>
    sources.reachedFrom(test).every((file) => file !== OPENS_THE_ENGINE && !KEEPS_A_PROCESS.includes(file));
  const isStack = (test: string) => {
    const texts = sources
      .reachedFrom(test, (file) => file.startsWith('test/'))
      .filter((file) => file.startsWith('test/'))
      .map((file) => sources.textOf(file));
    return OUTLIVES_A_TEST.every((mark) => !texts.some((text) => mark.test(text)));
  };
  const pure = tests.filter(isPure).sort();
  return { pure, stacks: tests.filter((test) => !pure.includes(test) && isStack(test)).sort() };
}

class Sources {
  readonly #root: string;
  readonly #imports = new Map<string, string[]>();

  constructor(root: string) {
    this.#root = root;
  }

  textOf(file: string): string {
    return readFileSync(join(this.#root, file), 'utf8');
  }

  /** The file and all that it imports, and what those import, as far as they are followed. */
  reachedFrom(file: string, isFollowed: (file: string) => boolean = () => true): string[] {
    const reached = new Set([file]);
    for (const each of reached) {
      const isOurs = /\.tsx?$/.test(each) && existsSync(join(this.#root, each));
      if (isOurs && isFollowed(each)) for (const next of this.#importsOf(each)) reached.add(next);
    }
    return [...reached];
  }

  #importsOf(file: string): string[] {
    const known = this.#imports.get(file);
    if (known) return known;
    const found = [...this.textOf(file).matchAll(IMPORTS)].map(([, name, dynamic]) => (name ?? dynamic)!);
    const names = found.map((name) => (name.startsWith('.') ? join(dirname(file), name) : name));
    this.#imports.set(file, names);
    return names;
  }
}
