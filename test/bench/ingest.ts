import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { Queue } from 'bullmq';
import { Batch } from '../../ingest/batch.ts';
import { parseConfig } from '../../ingest/config.ts';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { packageRoot } from '../../ingest/package-root.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { parseRecord } from '../../ingest/record.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { openStore } from '../../workers/clickhouse/store.ts';
import { openGeo } from '../../workers/geo.ts';
import { insertRequests } from '../../workers/insert.ts';
import { requestBlock } from '../../workers/request-block.ts';
import { startPart } from '../support/process.ts';
import { Random } from '../support/random.ts';
import { BENCH_TOKEN, benchTraffic, bodiesOf } from './bench-traffic.ts';
import type { LongestTurns } from './turn-watch.ts';
import { bytesPerWaitingRecord } from './waiting.ts';

const RECORDS = 800_000;
const RECORDS_PER_POST = 5_000;
const POSTERS = 12;
const BARE_BLOCK_ROWS = [20_000, 50_000];
/** As many as go the whole way: merges come up with both. */
const BARE_ROWS = RECORDS;
/** In turns, and the middle one by its ratio counts: a shared machine is a quarter slower in one minute than in the next. */
const ROUNDS = 3;
const PLAIN_RECORDS = 60_000;
const PLAIN_RECORDS_PER_POST = 1_000;

/** Result of `npm run bench -- ingest --json`. Rates are records per second of one run on this machine. */
export interface IngestBench {
  records: number;
  end_to_end_per_second: number;
  bare_engine_per_second: number;
  bare_engine_block_rows: number;
  ratio_to_bare_engine: number;
  one_job_per_record_per_second: number;
  ratio_to_one_job_per_record: number;
  redis_bytes_per_waiting_record: number;
  redis_bytes_per_waiting_record_with_uuid: number;
  counted: number;
  collector_longest_turn_ms: number;
  collector_longest_turn_own_cpu_ms: number | null;
  worker_longest_turn_ms: number;
  worker_longest_turn_own_cpu_ms: number | null;
}

/** Runs every part of the comparison in one go, so that the ratios belong together. */
export async function benchIngest(say: (line: string) => void): Promise<IngestBench> {
  const folder = mkdtempSync(join(tmpdir(), 'keytally-bench-'));
  const redis = await startLocalRedis({ dataDir: join(folder, 'queue'), log: () => {}, maxMemoryBytes: 2 ** 31 });
  try {
    const rounds: Round[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const bare = await bareEngine(join(folder, `bare-${round}`));
      const endToEnd = await endToEndRate(join(folder, `round-${round}`), redis);
      const ratio = round2(endToEnd.perSecond / bare.perSecond);
      say(
        `bare engine ${bare.perSecond} rows/s at ${bare.blockRows} a block, end to end ${endToEnd.perSecond}: ${ratio}`,
      );
      rounds.push({ bare, endToEnd, ratio });
    }
    const { bare, endToEnd, ratio } = rounds.sort((a, b) => a.ratio - b.ratio)[Math.floor(ROUNDS / 2)]!;
    const plain = await oneJobPerRecord(folder, redis);
    say(`one job per record: ${plain} records/s`);
    const bytes = await bytesPerWaitingRecord(redis, false);
    const bytesUuid = await bytesPerWaitingRecord(redis, true);
    return {
      records: RECORDS,
      end_to_end_per_second: endToEnd.perSecond,
      bare_engine_per_second: bare.perSecond,
      bare_engine_block_rows: bare.blockRows,
      ratio_to_bare_engine: ratio,
      one_job_per_record_per_second: plain,
      ratio_to_one_job_per_record: round2(endToEnd.perSecond / plain),
      redis_bytes_per_waiting_record: bytes,
      redis_bytes_per_waiting_record_with_uuid: bytesUuid,
      counted: endToEnd.counted,
      collector_longest_turn_ms: Math.round(endToEnd.collector.turnMs),
      collector_longest_turn_own_cpu_ms: wholeMs(endToEnd.collector.ranMs),
      worker_longest_turn_ms: Math.round(endToEnd.worker.turnMs),
      worker_longest_turn_own_cpu_ms: wholeMs(endToEnd.worker.ranMs),
    };
  } finally {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const wholeMs = (ms: number | null) => (ms === null ? null : Math.round(ms));

function round2(value: number): number {
  return Number(value.toFixed(2));
}

interface BareRate {
  perSecond: number;
  blockRows: number;
}

interface EndToEndRate {
  perSecond: number;
  counted: number;
  /** Other processes on its processor are part of the time of a turn, not of what it ran. */
  collector: LongestTurns;
  worker: LongestTurns;
}

interface Round {
  bare: BareRate;
  endToEnd: EndToEndRate;
  ratio: number;
}

function perSecond(count: number, startedAtMs: number): number {
  return Math.round((count / (performance.now() - startedAtMs)) * 1000);
}

/** The same rows into the same tables with the same settings, ready-made blocks: what the engine alone can take. */
async function bareEngine(folder: string): Promise<BareRate> {
  const config = parseConfig({});
  const geo = await openGeo(config);
  const store = await openStore(config, folder);
  await migrate(store, config);
  const best = { perSecond: 0, blockRows: 0 };
  for (const blockRows of BARE_BLOCK_ROWS) {
    const blocks: Buffer[] = [];
    const random = new Random(blockRows);
    for (let at = 0; at < BARE_ROWS; at += blockRows) {
      const now = Date.now();
      const batch = new Batch();
      for (const record of benchTraffic(random, blockRows, now, false)) {
        const parsed = parseRecord(record, 0, now, { pastMs: 1e10, futureMs: 1e10 });
        if ('record' in parsed) batch.add({ ...parsed.record, route: record.route }, '');
      }
      blocks.push(
        await requestBlock(batch, `bare-${blockRows}-${at}`, now, [{ first: 0, end: blockRows }], {
          geo,
          ipStorage: 'truncated',
        }),
      );
    }
    const startedAt = performance.now();
    for (const [n, block] of blocks.entries()) await insertRequests(store, `bare-${blockRows}-${n}`, block);
    const rate = perSecond(BARE_ROWS, startedAt);
    if (rate > best.perSecond) Object.assign(best, { perSecond: rate, blockRows });
  }
  await store.close();
  return best;
}

async function endToEndRate(dataDir: string, redis: LocalRedis): Promise<EndToEndRate> {
  const env = {
    REDIS_URL: redis.url,
    KEYTALLY_DATA_DIR: dataDir,
    KEYTALLY_ADMIN_TOKEN: BENCH_TOKEN,
    LOG_LEVEL: 'info',
  };
  const [worker, collector] = [await watchedPart('worker', env), await watchedPart('ingest', env)];
  const bodies = bodiesOf(new Random(1), RECORDS, RECORDS_PER_POST, false);
  for (const { part } of [collector, worker]) part.child.kill('SIGUSR2');
  const startedAt = performance.now();
  await postAll(`${collector.part.url}/v1/requests`, bodies);
  const connection = await connectRedis(redis.url, 'producer', () => {});
  const queue = openBatchQueue(connection, 0);
  await untilDrained(queue);
  const rate = perSecond(RECORDS, startedAt);
  await queue.close();
  connection.disconnect();
  for (const { part } of [collector, worker]) await part.kill('SIGTERM');
  const store = await openStore(parseConfig({}), join(dataDir, 'clickhouse'));
  const [row] = await store.query<{ counted: number }>('SELECT sum(requests) AS counted FROM usage_day');
  await store.close();
  return { perSecond: rate, counted: row!.counted, collector: collector.turns(), worker: worker.turns() };
}

/** A part whose turns are watched from the next SIGUSR2 until it is told to stop. */
async function watchedPart(command: string, env: Record<string, string>) {
  const file = join(env.KEYTALLY_DATA_DIR!, `turns-${command}.json`);
  mkdirSync(env.KEYTALLY_DATA_DIR!, { recursive: true });
  const watch = pathToFileURL(join(packageRoot(), 'dist/test/bench/turn-watch.js')).href;
  const part = await startPart(command, { ...env, TURN_WATCH_FILE: file }, ['--import', watch]);
  return { part, turns: () => JSON.parse(readFileSync(file, 'utf8')) as LongestTurns };
}

async function postAll(url: string, bodies: readonly Buffer[]): Promise<void> {
  let next = 0;
  const poster = async () => {
    while (next < bodies.length) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { Authorization: `Bearer ${BENCH_TOKEN}`, 'Content-Type': 'application/x-ndjson' },
        body: bodies[next++] as unknown as string,
      });
      if (response.status !== 202)
        throw new Error(`the collector answered ${response.status}: ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: POSTERS }, poster));
}

async function untilDrained(queue: Queue): Promise<void> {
  for (;;) {
    const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed');
    if (Object.values(counts).every((count) => count === 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A plain pipeline from HTTP to the same tables, as two processes like ours: see plain-part.ts. */
async function oneJobPerRecord(folder: string, redis: LocalRedis): Promise<number> {
  const worker = await startPlain('worker', redis.url, join(folder, 'plain'));
  const collector = await startPlain('collector', redis.url, folder);
  const bodies = bodiesOf(new Random(2), PLAIN_RECORDS, PLAIN_RECORDS_PER_POST, false);
  const connection = await connectRedis(redis.url, 'producer', () => {});
  const queue = new Queue('plain', { connection, prefix: '{plain}' });
  const startedAt = performance.now();
  await postAll(`${collector.url}/v1/requests`, bodies);
  await untilDrained(queue);
  const rate = perSecond(PLAIN_RECORDS, startedAt);
  for (const { child } of [collector, worker]) child.kill('SIGKILL');
  await queue.obliterate({ force: true });
  await queue.close();
  connection.disconnect();
  return rate;
}

async function startPlain(
  part: string,
  redisUrl: string,
  folder: string,
): Promise<{ url: string; child: ChildProcess }> {
  const program = join(packageRoot(), 'dist/test/bench/plain-part.js');
  const child = spawn(process.execPath, ['--max-semi-space-size=64', program, part, redisUrl, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  return { ...(JSON.parse(line) as { url: string }), child };
}
