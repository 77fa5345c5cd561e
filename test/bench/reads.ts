import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../workers/clickhouse/store.ts';
import { buildGeneration } from '../../workers/keys/key-list.ts';
import { partMetric } from '../support/part-metric.ts';
import type { PartProcess } from '../support/process.ts';
import { Poster } from './poster.ts';
import { fillKeys, fillRequests, READ_DAYS, READ_KEYS } from './reads-data.ts';
import { filledFolder, headers, type System, startSystem, untilIdle } from './reads-system.ts';

const SIZES = [100_000, 1_000_000, 10_000_000, 100_000_000];
/** Where reads beside ingest are measured. */
const BESIDE_ROWS = 1_000_000;
const REPEATS = 300;
const ROUNDS = 10;
const WARM_UP_READS = 10;
const READERS = 50;
const READERS_MS = 10_000;
const WARM_UP_MS = 3_000;
/** Somebody who looks at one key after another. Without a pause one reader alone keeps a processor busy, which the next figure is about. */
const PAUSE_BESIDE_INGEST_MS = 100;
const READS_BESIDE_INGEST = 200;
const FRESH_LIMIT_MS = 30_000;
const FRESH_RECORDS = 100;
/** Each look takes a `/usage`: looking without a pause would keep a processor busy and be what is measured. Times are longer by up to this. */
const FRESH_LOOK_MS = 100;
/** What is sent as fast as it is taken, twice, to learn the top speed: the first time warms up. As in bench `ingest`. */
const TOP_SPEED_RECORDS = 250_000;
const TOP_SPEED_POST = { recordsPerPost: 5_000, posters: 12 };
const TOP_SPEED_PATIENCE_MS = 120_000;
const LOOK_AT_METRICS_MS = 100;
/** Gateways that each send what they have about once a second. */
const GATEWAYS = 50;
/** Half of the top speed, a whole number of records for each gateway. */
const halfOf = (perSecond: number) => Math.round(perSecond / 2 / GATEWAYS) * GATEWAYS;
const MANY_KEYS = 1_000_000;
const DAY_MS = 86_400_000;

type Say = (line: string) => void;
type Figures = Record<string, number>;

/**
 * Times of reads over HTTP, milliseconds: of one key's usage, groups, the explorer and the key list, for several numbers of raw
 * rows, whose programs run side by side and are asked in turns; beside ingest at half speed; with 50 readers; and of a registry of
 * a million keys. `--rows 1000000` measures that size alone, `--rows 100000,100000000` those against each other and nothing else, `--keys` the
 * million keys alone, `--beside` leaves out the reads that are alone.
 */
export async function benchReads(say: Say, flags: readonly string[] = []): Promise<Figures> {
  if (flags.includes('--keys')) return manyKeys(say);
  const isBeside = flags.includes('--beside');
  const sizes = flags.includes('--rows') ? sizesOf(flags) : isBeside ? [BESIDE_ROWS] : SIZES;
  // Each part of each system ends with this process.
  process.setMaxListeners(4 * SIZES.length);
  const systems = new Map<number, System>();
  const endMs = Date.now() - 60_000;
  const beside = sizes.length === 1 ? sizes[0]! : BESIDE_ROWS;
  const figures: Figures = {};
  try {
    await startAll(systems, sizes, endMs, say);
    if (!isBeside) Object.assign(figures, await readsInTurns(systems, endMs, say));
    if (!systems.has(beside)) return figures;
    for (const [rows, other] of systems) {
      if (rows === beside) continue;
      systems.delete(rows);
      await other.stop();
    }
    const system = systems.get(beside)!;
    const perSecond = await topSpeed(system);
    say(`top speed: ${perSecond} records/s`);
    Object.assign(figures, { top_speed_per_second: perSecond });
    const half = halfOf(perSecond);
    Object.assign(figures, await readsBesideIngest(system, half, say), await manyReaders(system, half, say));
  } finally {
    await Promise.all([...systems.values()].map((system) => system.stop()));
  }
  return sizes.length === 1 ? figures : { ...figures, ...(await manyKeys(say)) };
}

/** @throws Error for what is no list of numbers */
function sizesOf(flags: readonly string[]): number[] {
  const given = flags[flags.indexOf('--rows') + 1] ?? '';
  const sizes = given.split(',').map(Number);
  if (sizes.some((rows) => !(rows > 0)))
    throw new Error(`--rows: ${given} is not a number of rows, or several with commas`);
  return sizes;
}

/** All are filled before the first starts. */
async function startAll(
  systems: Map<number, System>,
  sizes: readonly number[],
  endMs: number,
  say: Say,
): Promise<void> {
  const folders = new Map<number, string>();
  for (const rows of sizes) {
    const onRows = (done: number) =>
      Math.floor(done / 2e7) > Math.floor((done - rows / READ_DAYS) / 2e7) && say(`${done} rows`);
    folders.set(rows, await filledFolder((store) => fillRequests(store, rows, endMs, onRows)));
  }
  for (const [rows, folder] of folders) systems.set(rows, await startSystem(folder));
}

async function read(part: PartProcess, path: string): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(part.url + path, { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  return performance.now() - startedAt;
}

/**
 * Every query differs from the last, so that nothing between here and the engine can answer from memory. Ranges end at `atMs`: where the
 * rows end, an edge after them would cost nothing. `usage_tab` is what the dashboard asks at its default range (dashboards/time/range.ts): from
 * a local midnight to the present. `usage` begins and ends in the middle of a quarter hour, so that single requests complete both edges.
 */
function queries(atMs: number): Record<string, (n: number) => string> {
  const iso = (ms: number) => encodeURIComponent(new Date(ms).toISOString());
  const end = Math.floor(atMs / 60_000) * 60_000;
  const month = (n: number) => `from=${iso(end - (READ_DAYS - 1) * DAY_MS - (n % 50) * 60_000)}&to=${iso(end)}`;
  const key = (n: number) => `key_${(n * 7) % READ_KEYS}`;
  return {
    usage: (n) => `/v1/keys/${key(n)}/usage?${month(n)}&bucket=day&timezone=Asia/Kolkata`,
    usage_tab: (n) =>
      `/v1/keys/${key(n)}/usage?from=${iso(midnightOf(Date.now()) - 7 * DAY_MS)}&to=${iso(Date.now())}&bucket=auto&timezone=Asia/Kolkata`,
    usage_24h: (n) => `/v1/keys/${key(n)}/usage?from=${iso(end - DAY_MS - (n % 50) * 60_000)}&to=${iso(end)}`,
    group_by: (n) => `/v1/usage?group_by=key_id&${month(n)}`,
    explorer: (n) => `/v1/requests?key_id=${key(n)}&status=5xx&${month(n)}`,
    key_list: (n) => `/v1/keys?sort=-requests_30d&search=${n % 10}`,
  };
}

/** Start of the day in India, whose offset never changes. */
function midnightOf(ms: number): number {
  const offsetMs = 5.5 * 3_600_000;
  return Math.floor((ms + offsetMs) / DAY_MS) * DAY_MS - offsetMs;
}

async function measure(
  part: PartProcess,
  path: (n: number) => string,
  repeats = REPEATS,
  pauseMs = 0,
): Promise<number[]> {
  for (let n = 0; n < WARM_UP_READS; n++) await read(part, path(n));
  const times: number[] = [];
  for (let n = 0; n < repeats; n++) {
    times.push(await read(part, path(n + WARM_UP_READS)));
    if (pauseMs > 0) await sleep(pauseMs);
  }
  return times.sort((a, b) => a - b);
}

const at = (sorted: readonly number[], share: number) => round(sorted[Math.floor(sorted.length * share)]!);
const round = (value: number) => Math.round(value * 10) / 10;

/** One size after the other in every round, so that a slower hour of the machine is one of all sizes. */
async function readsInTurns(systems: ReadonlyMap<number, System>, endMs: number, say: Say): Promise<Figures> {
  const figures: Figures = {};
  const each = REPEATS / ROUNDS;
  for (const [name, path] of Object.entries(queries(endMs))) {
    const times = new Map<number, number[]>();
    for (let turn = 0; turn < ROUNDS; turn++)
      for (const [rows, { part }] of systems) {
        const own = await measure(part, (n) => path(turn * each + n), each);
        times.set(rows, [...(times.get(rows) ?? []), ...own]);
      }
    for (const [rows, all] of times) {
      all.sort((a, b) => a - b);
      figures[`${name}_p50_ms_at_${rows}`] = at(all, 0.5);
      figures[`${name}_p99_ms_at_${rows}`] = at(all, 0.99);
      say(`${rows} rows, ${name}: p50 ${at(all, 0.5)} ms, p99 ${at(all, 0.99)} ms`);
    }
    if (systems.size > 1) Object.assign(figures, timesSlower(name, times));
  }
  return figures;
}

/** The largest size against the smallest. */
function timesSlower(name: string, sorted: ReadonlyMap<number, number[]>): Figures {
  const [few, many] = [Math.min(...sorted.keys()), Math.max(...sorted.keys())];
  const ratio = (share: number) => round2(at(sorted.get(many)!, share) / at(sorted.get(few)!, share));
  return Object.fromEntries(
    [50, 99].map((percent) => [
      `${name}_p${percent}_times_slower_at_${many / few}_times_the_rows`,
      ratio(percent / 100),
    ]),
  );
}

const round2 = (value: number) => Math.round(value * 100) / 100;

/**
 * Records a second from HTTP into all tables, on this system in this hour: a fixed number is 40 % of it in a fast hour and 75 % in a slow
 * one. Ends when what it sent is merged, which would else go on beside what is measured next.
 */
async function topSpeed({ part, collector }: System): Promise<number> {
  const url = `${collector.url}/v1/requests`;
  const poster = await Poster.start({ url, records: TOP_SPEED_RECORDS, ...TOP_SPEED_POST, seed: 7 });
  try {
    await secondsToTake(poster, part.url);
    const seconds = await secondsToTake(poster, part.url);
    await untilIdle(part);
    return Math.round(TOP_SPEED_RECORDS / seconds);
  } finally {
    poster.stop();
  }
}

async function secondsToTake(poster: Poster, url: string): Promise<number> {
  const rowsInserted = () => partMetric(url, 'keytally_worker_rows_inserted_total');
  const before = await rowsInserted();
  const startedAt = performance.now();
  await poster.post();
  while ((await rowsInserted()) < before + TOP_SPEED_RECORDS) {
    if (performance.now() - startedAt > TOP_SPEED_PATIENCE_MS) throw new Error('what was sent did not arrive');
    await sleep(LOOK_AT_METRICS_MS);
  }
  return (performance.now() - startedAt) / 1_000;
}

/** A process of its own that holds bodies for ten seconds: neither making nor sending them holds up a read's clock. */
const startPoster = ({ collector }: System, perSecond: number) =>
  Poster.start({
    url: `${collector.url}/v1/requests`,
    records: perSecond * 10,
    recordsPerPost: perSecond / GATEWAYS,
    posters: GATEWAYS,
    seed: 11,
  });

async function readsBesideIngest(system: System, perSecond: number, say: Say): Promise<Figures> {
  const poster = await startPoster(system, perSecond);
  const load = poster.steadily(perSecond);
  await sleep(WARM_UP_MS);
  const { usage, usage_tab } = queries(Date.now());
  const times = await measure(system.part, usage!, READS_BESIDE_INGEST, PAUSE_BESIDE_INGEST_MS);
  const tabTimes = await measure(system.part, usage_tab!, READS_BESIDE_INGEST, PAUSE_BESIDE_INGEST_MS);
  const freshness = await measureFreshness(system);
  const rate = await load.stopped();
  poster.stop();
  say(
    `beside ${rate} records/s: usage p99 ${at(times, 0.99)} ms, as the tab asks ${at(tabTimes, 0.99)} ms, freshness p99 ${at(freshness, 0.99)} ms`,
  );
  return {
    ingest_per_second_beside_reads: rate,
    usage_p50_ms_beside_ingest: at(times, 0.5),
    usage_p99_ms_beside_ingest: at(times, 0.99),
    usage_tab_p50_ms_beside_ingest: at(tabTimes, 0.5),
    usage_tab_p99_ms_beside_ingest: at(tabTimes, 0.99),
    freshness_p50_ms: at(freshness, 0.5),
    freshness_p99_ms: at(freshness, 0.99),
  };
}

/** From the moment a record is posted, where all others are, until `/usage` counts it; no longer than {@link FRESH_LIMIT_MS}. */
async function measureFreshness({ part, collector }: System): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < FRESH_RECORDS; n++) {
    const key = `fresh_${n}`;
    const startedAt = performance.now();
    const body = JSON.stringify({ key_id: key, status: 200 });
    const json = { ...headers, 'Content-Type': 'application/json' };
    await (await fetch(`${collector.url}/v1/requests`, { method: 'POST', headers: json, body })).arrayBuffer();
    for (;;) {
      const answer = await fetch(`${part.url}/v1/keys/${key}/usage`, { headers });
      const usage = (await answer.json()) as { totals?: { requests: number } };
      if ((usage.totals?.requests ?? 0) > 0 || performance.now() - startedAt > FRESH_LIMIT_MS) break;
      await sleep(FRESH_LOOK_MS);
    }
    times.push(performance.now() - startedAt);
  }
  return times.sort((a, b) => a - b);
}

/** Fifty readers at once, and what they and the writer leave each other. */
async function manyReaders(system: System, perSecond: number, say: Say): Promise<Figures> {
  const poster = await startPoster(system, perSecond);
  const alone = poster.steadily(perSecond);
  await sleep(READERS_MS);
  const ingestAlone = await alone.stopped();
  const load = poster.steadily(perSecond);
  const times: number[] = [];
  const until = performance.now() + READERS_MS;
  const reader = async (_: unknown, which: number) => {
    for (let n = which; performance.now() < until; n += READERS)
      times.push(await read(system.part, queries(Date.now()).usage!(n)));
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  const ingest = await load.stopped();
  poster.stop();
  times.sort((a, b) => a - b);
  const answers = Math.round((times.length * 1000) / READERS_MS);
  say(
    `50 readers: ${answers} reads/s, p99 ${at(times, 0.99)} ms; ingest ${Math.round(ingest)} of ${Math.round(ingestAlone)}/s`,
  );
  return {
    readers_50_per_second: answers,
    readers_50_p99_ms: at(times, 0.99),
    ingest_share_kept_beside_50_readers: Math.round((ingest / ingestAlone) * 100) / 100,
  };
}

async function manyKeys(say: Say): Promise<Figures> {
  const figures: Figures = { keys: MANY_KEYS };
  const fill = async (store: Store) => {
    await fillKeys(store, MANY_KEYS);
    const startedAt = performance.now();
    await buildGeneration(store, Date.now());
    figures.key_list_build_ms = Math.round(performance.now() - startedAt);
  };
  const system = await startSystem(await filledFolder(fill));
  const { part } = system;
  try {
    const paths: Record<string, (n: number) => string> = {
      by_requests: (n) => `/v1/keys?sort=-requests_30d&limit=${50 + (n % 5)}`,
      by_last_use: (n) => `/v1/keys?sort=-last_used&environment=production&limit=${50 + (n % 5)}`,
      by_errors: (n) => `/v1/keys?sort=-error_rate_30d&status=active&limit=${50 + (n % 5)}`,
      of_one_organization: (n) => `/v1/keys?organization_id=org_${n % 500}`,
      search: (n) => `/v1/keys?search=${777 + n}`,
      one_key: (n) => `/v1/keys/key_${String(n * 997).padStart(8, '0')}`,
      denied: () => '/v1/keys/denied',
    };
    for (const [name, path] of Object.entries(paths)) {
      const times = await measure(part, path, 100);
      figures[`million_keys_${name}_p50_ms`] = at(times, 0.5);
      figures[`million_keys_${name}_p99_ms`] = at(times, 0.99);
      say(`${MANY_KEYS} keys, ${name}: p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms`);
    }
  } finally {
    await system.stop();
  }
  return figures;
}
