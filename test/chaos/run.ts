import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { Random } from '../support/random.ts';
import { AlertWatch } from './alert-watch.ts';
import { type Comparison, compare, isClean, type Read, storeReader } from './compare.ts';
import { type AlertComparison, compareAlerts, openOfActive } from './compare-alerts.ts';
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
  /** Wait until alerts whose reason is gone have ended, up to a minute. */
  untilEnded: boolean;
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
  alerts: AlertComparison;
  /** Requests at the receiver of the two channels, and those among them that repeat a message. */
  alertRequests: number;
  alertRepeats: number;
  /** From the end of the faults until everybody was told. */
  toldInSeconds: number;
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
/** A test's patience is longer: it then says what was not told. */
const TOLD_TIMEOUT_MS = 300_000;
const TOLD_POLL_MS = 1_000;

/** Runs one seed: load, faults, healing, waiting until everything is settled, comparison. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const folder = mkdtempSync(join(tmpdir(), `keytally-chaos-${options.seed}-`));
  const startedAt = Date.now();
  const random = new Random(options.seed);
  const system = await ChaosSystem.start(folder, options.fsync, options.smallDisk);
  // What a run that broke off left is worth looking at, too.
  let keep = true;
  const watch = await AlertWatch.start(system.apiUrl, CHAOS_TOKEN);
  const ledger = new Ledger();
  const target = { urls: system.collectorUrls, token: CHAOS_TOKEN };
  const gateways = GATEWAYS.map(
    ({ name, repeats }) => new Gateway(name, repeats, target, new Random(random.integer(0, 2 ** 31)), ledger),
  );
  const keys = new KeyWriter(system.apiUrl, CHAOS_TOKEN, new Random(random.integer(0, 2 ** 31)));
  try {
    await keys.prepare();
    const load = [...gateways, keys].map((actor) => actor.run());
    const failed = Promise.all(load);
    const injection: Injection = { kills: 0, faults: {}, running: [] };
    await Promise.race([runSchedule(system, random, options, injection), failed.then(() => undefined)]);
    await Promise.all(injection.running);
    for (const part of Object.values(system.parts)) await part.untilAlive();
    for (const actor of [...gateways, keys]) actor.finish();
    await failed;
    const healedAt = Date.now();
    await keys.settle();
    await drain(system);
    await gateways[0]!.settle();
    const drained = await drain(system);
    const drainedInSeconds = (Date.now() - healedAt) / 1000;
    const read = storeReader(system.ports.store);
    const comparison = await compare(read, ledger, keys.truth);
    const alerts = await untilTold(read, watch, ledger, keys, options.untilEnded);
    const result = summarize(options, comparison, { system, gateways, keys, injection, drained, watch, alerts });
    result.drainedInSeconds = round(drainedInSeconds);
    result.toldInSeconds = round((Date.now() - healedAt) / 1000);
    result.seconds = round((Date.now() - startedAt) / 1000);
    result.folder = result.clean ? '' : folder;
    keep = !result.clean;
    return result;
  } finally {
    await system.stop();
    await watch.close();
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

/** Waits until everything that the ledger foretells was told, and compares. */
async function untilTold(
  read: Read,
  watch: AlertWatch,
  ledger: Ledger,
  keys: KeyWriter,
  untilEnded: boolean,
): Promise<AlertComparison> {
  const look = async () => {
    const found = await compareAlerts(read, watch.receiver.requests, ledger, keys.expected);
    const open = untilEnded ? await openOfActive(read, keys.expected) : [];
    return { ...found, wrong: [...found.wrong, ...watch.forged, ...open.map((key) => `the alert of ${key} is open`)] };
  };
  let found = await look();
  for (const startedAt = Date.now(); found.wrong.length > 0 && Date.now() - startedAt < TOLD_TIMEOUT_MS; ) {
    await sleep(TOLD_POLL_MS);
    found = await look();
  }
  return found;
}

interface Ran {
  system: ChaosSystem;
  gateways: readonly Gateway[];
  keys: KeyWriter;
  injection: Injection;
  drained: boolean;
  watch: AlertWatch;
  alerts: AlertComparison;
}

function summarize({ seed }: ChaosOptions, comparison: Comparison, ran: Ran): ChaosResult {
  const { system, gateways, keys, injection, drained, watch, alerts } = ran;
  const sum = (name: keyof Gateway['stats']) => gateways.reduce((total, { stats }) => total + stats[name], 0);
  const refused = gateways.flatMap((gateway) => gateway.refused);
  const changes = [...keys.truth.values()].reduce(
    (n, { deactivated, reactivated }) => n + deactivated + reactivated,
    0,
  );
  return {
    seed,
    clean: drained && isClean(comparison) && refused.length === 0 && alerts.wrong.length === 0,
    ...{ seconds: 0, drainedInSeconds: 0, toldInSeconds: 0, folder: '' },
    faults: injection.faults,
    kills: injection.kills,
    posts: sum('posts'),
    failedPosts: sum('failures'),
    repeatedPosts: sum('repeated'),
    acknowledged: sum('acknowledged'),
    refused,
    keyChanges: changes,
    alerts,
    alertRequests: watch.requests,
    alertRepeats: watch.repeats,
    cutAfterCommit: system.proxy.cutAfterCommit,
    unaskedExits: Object.values(system.parts).flatMap(({ unasked }) =>
      unasked.map(({ name, code, lastLine }) => `${name} ended with ${code}: ${lastLine}`),
    ),
    drained,
    ...comparison,
  };
}
