import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../ingest/package-root.ts';
import { Random } from '../support/random.ts';
import type { Coverage } from './coverage.ts';
import { mutated } from './mutate.ts';
import type { Target } from './targets.ts';
import type { Watchdog } from './watchdog.ts';

/** Inputs between two looks at the coverage. */
const BUNDLE = 100;
const MAX_CORPUS = 400;
/** Kept in the repository per target: small ones that reached something new. */
const MAX_KEPT = 60;
const MAX_KEPT_BYTES = 1_500;

export interface TargetResult {
  target: string;
  inputs: number;
  /** Inputs that reached a block nothing before had reached. */
  found: number;
  corpus: number;
  /** Time of the slowest input, the best of several tries: the first may have met a pause of the machine. */
  slowestMs: number;
  failures: { input: string; error: string }[];
}

const fileOf = (target: Target) =>
  join(packageRoot(), 'test/fuzz/corpus', `${target.name.replaceAll(/[^a-z0-9]+/gi, '-')}.json`);

/** Seeds and what earlier runs found. */
export function corpusOf(target: Target): Buffer[] {
  const file = fileOf(target);
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : [];
  return [...target.seeds, ...kept.map((base64) => Buffer.from(base64, 'base64'))];
}

/** Adds what was found to the repository's corpus. */
export function keepCorpus(target: Target, corpus: readonly Buffer[]): void {
  const seeds = new Set(target.seeds.map((seed) => seed.toString('base64')));
  const small = corpus.filter((input) => input.length <= MAX_KEPT_BYTES).map((input) => input.toString('base64'));
  const kept = [...new Set(small)].filter((input) => !seeds.has(input)).slice(0, MAX_KEPT);
  if (kept.length === 0) return;
  mkdirSync(join(packageRoot(), 'test/fuzz/corpus'), { recursive: true });
  writeFileSync(fileOf(target), `${JSON.stringify(kept, null, 1)}\n`);
}

export function isOurs(url: string): boolean {
  return /\/(ingest|api|workers)\//.test(url) && !url.includes('node_modules');
}

/** Attacks one target with `inputs` changed copies of its corpus, which grows by what reaches new blocks. */
export async function fuzzTarget(
  target: Target,
  options: { inputs: number; seed: number; watchdog: Watchdog; coverage: Coverage },
): Promise<{ result: TargetResult; corpus: Buffer[] }> {
  const { inputs, seed, watchdog, coverage } = options;
  const random = new Random(seed ^ createHash('sha256').update(target.name).digest().readUInt32BE(0));
  const corpus = corpusOf(target);
  const result: TargetResult = { target: target.name, inputs: 0, found: 0, corpus: 0, slowestMs: 0, failures: [] };
  const slowest = { input: corpus[0]!, ms: 0 };
  const attempt = async (input: Buffer) => {
    const ms = await tryInput(target, input, result, watchdog);
    if (ms > slowest.ms) Object.assign(slowest, { input, ms });
  };
  for (const input of corpus) await attempt(input);
  await coverage.fresh();
  while (result.inputs < inputs) {
    const bundle: Buffer[] = [];
    while (bundle.length < BUNDLE && result.inputs < inputs) {
      const input = mutated(random, random.pick(corpus), corpus);
      bundle.push(input);
      await attempt(input);
    }
    watchdog.idle();
    if ((await coverage.fresh()) === 0) continue;
    // One of the bundle did it. Nothing tells which, so all that are short stay, as long as there is room.
    result.found++;
    const kept = bundle.filter((input) => input.length <= MAX_KEPT_BYTES);
    if (corpus.length < MAX_CORPUS) corpus.push(...kept.slice(0, 4));
  }
  result.corpus = corpus.length;
  result.slowestMs = await again(target, slowest.input);
  return { result, corpus };
}

async function tryInput(target: Target, input: Buffer, result: TargetResult, watchdog: Watchdog): Promise<number> {
  watchdog.before(input);
  const startedAt = performance.now();
  try {
    await target.run(input);
  } catch (error) {
    if (result.failures.length < 10) {
      const stack = (error as Error).stack ?? String(error);
      result.failures.push({ input: input.toString('base64'), error: stack.split('\n').slice(0, 4).join('\n') });
    }
  }
  result.inputs++;
  return performance.now() - startedAt;
}

const TRIES = 5;

async function again(target: Target, input: Buffer): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < TRIES; n++) {
    const startedAt = performance.now();
    try {
      await target.run(input);
    } catch {
      // Its failure was noted the first time.
    }
    best = Math.min(best, performance.now() - startedAt);
  }
  return best;
}

/** Names of kept corpora that no target has: a renamed target must not lose its corpus unseen. */
export function orphanedCorpora(targets: readonly Target[]): string[] {
  const folder = join(packageRoot(), 'test/fuzz/corpus');
  if (!existsSync(folder)) return [];
  const known = new Set(targets.map((target) => fileOf(target)));
  return readdirSync(folder).filter((file) => file.endsWith('.json') && !known.has(join(folder, file)));
}
