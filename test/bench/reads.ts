import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConfig } from '../../ingest/config.ts';
import { startLocalRedis } from '../../ingest/local-redis.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { openStore, type Store } from '../../workers/clickhouse/store.ts';
import { buildGeneration } from '../../workers/keys/key-list.ts';
import { type PartProcess, startPart } from '../support/process.ts';
import { BENCH_TOKEN } from './bench-traffic.ts';
import { Poster } from './poster.ts';
import { fillKeys, fillRequests, READ_DAYS, READ_KEYS } from './reads-data.ts';

const SIZES = [100_000, 1_000_000, 10_000_000, 100_000_000];
/** Where reads beside ingest are measured. */
const BESIDE_ROWS = 1_000_000;
const REPEATS = 150;
const READERS = 50;
const READERS_MS = 10_000;
const WARM_UP_MS = 3_000;
/** Somebody who looks at one key after another. Without a pause one reader alone keeps a processor busy, which the next figure is about. */
const PAUSE_BESIDE_INGEST_MS = 100;
const FRESH_LIMIT_MS = 30_000;
const START_WORK_MS = 120_000;
const IDLE_LOOK_MS = 3_000;
/** Of a processor. */
const IDLE_SHARE = 0.15;
/** About half of what the whole path takes on two cores (bench `ingest`). */
const INGEST_PER_SECOND = 35_000;
/** Gateways that each send what they have about once a second. */
const GATEWAYS = 50;
const RECORDS_PER_POST = INGEST_PER_SECOND / GATEWAYS;
const MANY_KEYS = 1_000_000;
const DAY_MS = 86_400_000;

type Say = (line: string) => void;
type Figures = Record<string, number>;

/**
 * Times of reads over HTTP, milliseconds: of one key's usage, groups, the explorer and the key list, for several numbers of raw
 * rows; beside ingest at half speed; with 50 readers; and of a registry of a million keys. `--rows 1000000` measures that size alone,
 * `--keys` the million keys alone, `--beside` leaves out the reads that are alone.
 */
export async function benchReads(say: Say, flags: readonly string[] = []): Promise<Figures> {
  if (flags.includes('--keys')) return manyKeys(say);
  const only = Number(flags[flags.indexOf('--rows') + 1]);
  const isBeside = flags.includes('--beside');
  const sizes = flags.includes('--rows') && only > 0 ? [only] : isBeside ? [BESIDE_ROWS] : SIZES;
  const figures: Figures = {};
  for (const rows of sizes) {
    await withSystem(
      (store) =>
        fillRequests(
          store,
          rows,
          Date.now() - 60_000,
          (done) => Math.floor(done / 2e7) > Math.floor((done - rows / READ_DAYS) / 2e7) && say(`${done} rows`),
        ),
      async (system) => {
        if (!isBeside) Object.assign(figures, await readsAlone(system.part, rows, say));
        if (rows === BESIDE_ROWS || sizes.length === 1)
          Object.assign(figures, await readsBesideIngest(system, say), await manyReaders(system, say));
      },
    );
  }
  if (sizes.length === 1) return figures;
  const [first, last] = [sizes[0]!, sizes.at(-1)!];
  figures[`usage_p99_times_slower_at_${last / first}_times_the_rows`] = round(
    figures[`usage_p99_ms_at_${last}`]! / figures[`usage_p99_ms_at_${first}`]!,
  );
  Object.assign(figures, await manyKeys(say));
  return figures;
}

/** The program, and a collector beside it that takes what is sent, as bench `ingest` has it. */
interface System {
  part: PartProcess;
  collector: PartProcess;
}

async function withSystem(fill: (store: Store) => Promise<void>, use: (system: System) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'keytally-bench-'));
  const redis = await startLocalRedis({ dataDir: join(folder, 'queue'), log: () => {}, maxMemoryBytes: 2 ** 31 });
  try {
    const config = parseConfig({ KEYTALLY_DATA_DIR: folder });
    const store = await openStore(config, join(folder, 'clickhouse'));
    await migrate(store, config);
    await fill(store);
    await store.close();
    // Else reads wait while the system writes gigabytes of the fill behind them.
    spawnSync('sync');
    const env = {
      REDIS_URL: redis.url,
      KEYTALLY_DATA_DIR: folder,
      KEYTALLY_ADMIN_TOKEN: BENCH_TOKEN,
      API_REQUESTS_PER_MINUTE: '10000000',
      INGEST_REQUESTS_PER_MINUTE: '10000000',
      // As on any day but that of the import: its first sweep would have 160,000 reminders of a million new keys to tell.
      KEY_SWEEP_CRON: '0 0 1 1 *',
    };
    const part = await startPart('start', env);
    const collector = await startPart('ingest', { ...env, KEYTALLY_DATA_DIR: join(folder, 'collector') });
    await untilIdle(part);
    await use({ part, collector }).finally(() => Promise.all([part, collector].map((each) => each.kill('SIGTERM'))));
  } finally {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const headers = { Authorization: `Bearer ${BENCH_TOKEN}` };

/** A program that has just started builds its list of keys and what is usual for each, which takes both processors with much data. */
async function untilIdle(part: PartProcess): Promise<void> {
  const cpuSeconds = async () => {
    const metrics = await (await fetch(`${part.url}/metrics`, { headers })).text();
    return Number(/^process_cpu_seconds_total (\S+)$/m.exec(metrics)![1]);
  };
  let before = await cpuSeconds();
  for (const until = Date.now() + START_WORK_MS; Date.now() < until; ) {
    await sleep(IDLE_LOOK_MS);
    const now = await cpuSeconds();
    if ((now - before) * 1_000 < IDLE_LOOK_MS * IDLE_SHARE) return;
    before = now;
  }
}

async function read(part: PartProcess, path: string): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(part.url + path, { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  return performance.now() - startedAt;
}

/** Every query differs from the last, so that nothing between here and the engine can answer from memory. */
function queries(): Record<string, (n: number) => string> {
  const iso = (ms: number) => encodeURIComponent(new Date(ms).toISOString());
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  const month = (n: number) => `from=${iso(now - (READ_DAYS - 1) * DAY_MS - (n % 50) * 60_000)}&to=${iso(now)}`;
  const key = (n: number) => `key_${(n * 7) % READ_KEYS}`;
  return {
    usage: (n) => `/v1/keys/${key(n)}/usage?${month(n)}&bucket=day&timezone=Asia/Kolkata`,
    usage_24h: (n) => `/v1/keys/${key(n)}/usage?from=${iso(now - DAY_MS - (n % 50) * 60_000)}&to=${iso(now)}`,
    group_by: (n) => `/v1/usage?group_by=key_id&${month(n)}`,
    explorer: (n) => `/v1/requests?key_id=${key(n)}&status=5xx&${month(n)}`,
    key_list: (n) => `/v1/keys?sort=-requests_30d&search=${n % 10}`,
  };
}

async function measure(
  part: PartProcess,
  path: (n: number) => string,
  repeats = REPEATS,
  pauseMs = 0,
): Promise<number[]> {
  for (let n = 0; n < 10; n++) await read(part, path(n));
  const times: number[] = [];
  for (let n = 0; n < repeats; n++) {
    times.push(await read(part, path(n + 10)));
    if (pauseMs > 0) await sleep(pauseMs);
  }
  return times.sort((a, b) => a - b);
}

const at = (sorted: readonly number[], share: number) => round(sorted[Math.floor(sorted.length * share)]!);
const round = (value: number) => Math.round(value * 10) / 10;

async function readsAlone(part: PartProcess, rows: number, say: Say): Promise<Figures> {
  const figures: Figures = {};
  for (const [name, path] of Object.entries(queries())) {
    const times = await measure(part, path);
    figures[`${name}_p50_ms_at_${rows}`] = at(times, 0.5);
    figures[`${name}_p99_ms_at_${rows}`] = at(times, 0.99);
    say(`${rows} rows, ${name}: p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms`);
  }
  return figures;
}

/** A process of its own that holds bodies for ten seconds: neither making nor sending them holds up a read's clock. */
const startPoster = ({ collector }: System) =>
  Poster.start({
    url: `${collector.url}/v1/requests`,
    records: INGEST_PER_SECOND * 10,
    recordsPerPost: RECORDS_PER_POST,
    posters: GATEWAYS,
    seed: 11,
  });

async function readsBesideIngest(system: System, say: Say): Promise<Figures> {
  const poster = await startPoster(system);
  const load = poster.steadily(INGEST_PER_SECOND);
  await sleep(WARM_UP_MS);
  const times = await measure(system.part, queries().usage!, 200, PAUSE_BESIDE_INGEST_MS);
  const freshness = await measureFreshness(system.part);
  const rate = await load.stopped();
  poster.stop();
  say(`beside ${rate} records/s: usage p99 ${at(times, 0.99)} ms, freshness p99 ${at(freshness, 0.99)} ms`);
  return {
    ingest_per_second_beside_reads: rate,
    usage_p50_ms_beside_ingest: at(times, 0.5),
    usage_p99_ms_beside_ingest: at(times, 0.99),
    freshness_p50_ms: at(freshness, 0.5),
    freshness_p99_ms: at(freshness, 0.99),
  };
}

/** From the moment a record is posted until `/usage` counts it; no longer than {@link FRESH_LIMIT_MS}. */
async function measureFreshness(part: PartProcess): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < 40; n++) {
    const key = `fresh_${n}`;
    const startedAt = performance.now();
    const body = JSON.stringify({ key_id: key, status: 200 });
    const json = { ...headers, 'Content-Type': 'application/json' };
    await (await fetch(`${part.url}/v1/requests`, { method: 'POST', headers: json, body })).arrayBuffer();
    for (;;) {
      const answer = await fetch(`${part.url}/v1/keys/${key}/usage`, { headers });
      const usage = (await answer.json()) as { totals?: { requests: number } };
      if ((usage.totals?.requests ?? 0) > 0 || performance.now() - startedAt > FRESH_LIMIT_MS) break;
      await sleep(20);
    }
    times.push(performance.now() - startedAt);
  }
  return times.sort((a, b) => a - b);
}

/** Fifty readers at once, and what they and the writer leave each other. */
async function manyReaders(system: System, say: Say): Promise<Figures> {
  const poster = await startPoster(system);
  const alone = poster.steadily(INGEST_PER_SECOND);
  await sleep(READERS_MS);
  const ingestAlone = await alone.stopped();
  const load = poster.steadily(INGEST_PER_SECOND);
  const times: number[] = [];
  const until = performance.now() + READERS_MS;
  const reader = async (_: unknown, which: number) => {
    for (let n = which; performance.now() < until; n += READERS)
      times.push(await read(system.part, queries().usage!(n)));
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  const ingest = await load.stopped();
  poster.stop();
  times.sort((a, b) => a - b);
  const perSecond = Math.round((times.length * 1000) / READERS_MS);
  say(
    `50 readers: ${perSecond} reads/s, p99 ${at(times, 0.99)} ms; ingest ${Math.round(ingest)} of ${Math.round(ingestAlone)}/s`,
  );
  return {
    readers_50_per_second: perSecond,
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
  await withSystem(fill, async ({ part }) => {
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
  });
  return figures;
}
