import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { Random } from '../support/random.ts';
import { type Comparison, compare, isClean, storeReader } from './compare.ts';
import { Gateway } from './gateway.ts';
import { type Injection, inject } from './inject.ts';
import { KeyWriter } from './key-writer.ts';
import { Ledger } from './ledger.ts';
import { describeFault, scheduleOf } from './schedule.ts';
import { CHAOS_TOKEN, ChaosSystem } from './system.ts';

export interface ChaosOptions {
  kills: number;
  seed: number;
  fsync: 'always' | 'everysec';
  storeDownMs: number;
  /** Fill the disk of Redis, too, where a small file system can be mounted. */
  smallDisk: boolean;
  say: (line: string) => void;
}

/** What one seed did and what came out. */
export interface ChaosResult extends Comparison {
  seed: number;
  clean: boolean;
  seconds: number;
  drainedInSeconds: number;
  faults: Record<string, number>;
  kills: number;
  posts: number;
  failedPosts: number;
  repeatedPosts: number;
  acknowledged: number;
  refused: string[];
  keyChanges: number;
  /** Inserts that the store had committed when their answer was cut off. */
  cutAfterCommit: number;
  /** Processes that ended by themselves, e.g. because they started while the store was away. */
  unaskedExits: string[];
  drained: boolean;
  folder: string;
}

const GATEWAYS = [
  { name: 'north', repeats: 'idempotency_key' },
  { name: 'south', repeats: 'idempotency_key' },
  { name: 'east', repeats: 'request_id' },
  { name: 'west', repeats: 'request_id' },
] as const;
const DRAIN_TIMEOUT_MS = 600_000;

/** Runs one seed: load, faults, healing, waiting until everything is settled, comparison. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const folder = mkdtempSync(join(tmpdir(), `keytally-chaos-${options.seed}-`));
  const startedAt = Date.now();
  const random = new Random(options.seed);
  const system = await ChaosSystem.start(folder, options.fsync, options.smallDisk);
  // What a run that broke off left is worth looking at, too.
  let keep = true;
  const ledger = new Ledger();
  const target = { urls: system.collectorUrls, token: CHAOS_TOKEN };
  const gateways = GATEWAYS.map(
    ({ name, repeats }) => new Gateway(name, repeats, target, new Random(random.integer(0, 2 ** 31)), ledger),
  );
  const keys = new KeyWriter(system.apiUrl, CHAOS_TOKEN, new Random(random.integer(0, 2 ** 31)));
  try {
    const load = [...gateways, keys].map((actor) => actor.run());
    const failed = Promise.all(load);
    const injection: Injection = { kills: 0, faults: {}, running: [] };
    await Promise.race([runSchedule(system, random, options, injection), failed.then(() => undefined)]);
    await Promise.all(injection.running);
    for (const part of Object.values(system.parts)) await part.untilAlive();
    for (const actor of [...gateways, keys]) actor.finish();
    await failed;
    await keys.settle();
    const healedAt = Date.now();
    const drained = await drain(system);
    const drainedInSeconds = (Date.now() - healedAt) / 1000;
    const comparison = await compare(storeReader(system.ports.store), ledger, keys.truth);
    const result = summarize(options, comparison, { system, gateways, keys, injection, drained });
    result.drainedInSeconds = round(drainedInSeconds);
    result.seconds = round((Date.now() - startedAt) / 1000);
    result.folder = result.clean ? '' : folder;
    keep = !result.clean;
    return result;
  } finally {
    await system.stop();
    if (keep) options.say(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

const round = (seconds: number) => Math.round(seconds * 10) / 10;

async function runSchedule(
  system: ChaosSystem,
  random: Random,
  options: ChaosOptions,
  injection: Injection,
): Promise<void> {
  const { kills, storeDownMs, say } = options;
  for (const { afterMs, fault } of scheduleOf(random, { kills, storeDownMs, diskFull: system.ownDisk })) {
    await sleep(afterMs);
    say(`  ${describeFault(fault)}`);
    await inject(system, fault, injection);
  }
}

/** Waits until no batch waits, runs or failed. */
async function drain(system: ChaosSystem): Promise<boolean> {
  const connection = await connectRedis(`redis://127.0.0.1:${system.ports.redis}`, 'worker', () => {});
  const queue = openBatchQueue(connection, 0);
  let empty = 0;
  // Twice in a row: a batch is in no list for the moment of a script.
  for (const startedAt = Date.now(); empty < 2 && Date.now() - startedAt < DRAIN_TIMEOUT_MS; await sleep(250)) {
    const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed', 'prioritized');
    empty = Object.values(counts).every((count) => count === 0) ? empty + 1 : 0;
  }
  await queue.close();
  connection.disconnect();
  return empty >= 2;
}

interface Ran {
  system: ChaosSystem;
  gateways: readonly Gateway[];
  keys: KeyWriter;
  injection: Injection;
  drained: boolean;
}

function summarize({ seed }: ChaosOptions, comparison: Comparison, ran: Ran): ChaosResult {
  const { system, gateways, keys, injection, drained } = ran;
  const sum = (name: keyof Gateway['stats']) => gateways.reduce((total, { stats }) => total + stats[name], 0);
  const refused = gateways.flatMap((gateway) => gateway.refused);
  const changes = [...keys.truth.values()].reduce(
    (n, { deactivated, reactivated }) => n + deactivated + reactivated,
    0,
  );
  return {
    seed,
    clean: drained && isClean(comparison) && refused.length === 0,
    ...{ seconds: 0, drainedInSeconds: 0, folder: '' },
    faults: injection.faults,
    kills: injection.kills,
    posts: sum('posts'),
    failedPosts: sum('failures'),
    repeatedPosts: sum('repeated'),
    acknowledged: sum('acknowledged'),
    refused,
    keyChanges: changes,
    cutAfterCommit: system.proxy.cutAfterCommit,
    unaskedExits: Object.values(system.parts).flatMap(({ unasked }) =>
      unasked.map(({ name, code, lastLine }) => `${name} ended with ${code}: ${lastLine}`),
    ),
    drained,
    ...comparison,
  };
}
