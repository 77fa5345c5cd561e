import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'bullmq';
import express from 'express';
import { Batch, decodeBatch, encodeBatch, MAX_BATCH_ROWS } from '../../ingest/batch.ts';
import { BatchCleaner } from '../../ingest/clean-batch.ts';
import { parseConfig } from '../../ingest/config.ts';
import { listen } from '../../ingest/http-server.ts';
import { type LocalRedis, startLocalRedis } from '../../ingest/local-redis.ts';
import { BATCH_QUEUE, openBatchQueue, shardPrefix } from '../../ingest/queue.ts';
import { parseRecordsBody } from '../../ingest/records-body.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { RouteLimit } from '../../ingest/route-limit.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { openStore, type Store } from '../../workers/clickhouse/store.ts';
import { type Geo, openGeo } from '../../workers/geo.ts';
import { insertRequests, insertSettings } from '../../workers/insert.ts';
import { REQUEST_COLUMNS, requestBlock } from '../../workers/request-block.ts';
import { startPart } from '../support/process.ts';
import { Random } from '../support/random.ts';
import { BENCH_TOKEN, bodiesOf, knowToken } from './bench-traffic.ts';
import { cpuOf, leastCpuOf, partCpuMicros, redisCpuMicros } from './cpu-time.ts';
import { Poster } from './poster.ts';

const RECORDS = 4 * MAX_BATCH_ROWS;
const PER_POST = 5_000;
const ROUNDS = 5;
const INSERT_ROUNDS = 3;
/** What an insert costs whatever is in it. */
const FEW_ROWS = 100;
const SMALL_ROUNDS = 20;
const WINDOW = { pastMs: 1e10, futureMs: 1e10 };

/** CPU microseconds per record of each stage, all in one run; the whole collector beside the sum of its stages. */
export async function benchStages(say: (line: string) => void): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'keytally-stages-'));
  const redis = await startLocalRedis({ dataDir: join(folder, 'queue'), log: () => {}, maxMemoryBytes: 2 ** 31 });
  const figures: Record<string, number> = {};
  const note = (stage: string, micros: number) => {
    figures[stage] = Number((micros / RECORDS).toFixed(3));
    say(`${stage}: ${figures[stage]} µs per record`);
  };
  try {
    note('http_read', await httpRead());
    const batches = await edgeStages(note);
    const payloads = await Promise.all(batches.map(encodeBatch));
    await redisStages(redis, payloads, note);
    figures.insert_of_100_rows_ms = await workerStages(folder, payloads, note);
    say(`insert of 100 rows: ${figures.insert_of_100_rows_ms} ms`);
    await wholeCollector(redis, note);
    return withSums(figures);
  } finally {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Note = (stage: string, micros: number) => void;

/** Express, its raw body and an answer: what remains of the collector when nothing is done with the body. */
async function httpRead(): Promise<number> {
  const app = express();
  app.post('/', express.raw({ type: () => true, limit: 16_777_216 }), (_req, res) => void res.status(202).json({}));
  const http = await listen({ express: app, drain: () => {} }, '127.0.0.1', 0);
  const poster = await Poster.start({
    url: `http://127.0.0.1:${http.port}/`,
    records: RECORDS,
    recordsPerPost: PER_POST,
  });
  await poster.post();
  const micros = await leastCpuOf(ROUNDS, () => poster.post());
  poster.stop();
  await http.close();
  return micros;
}

/** From the body to a batch that is ready for the queue. */
async function edgeStages(note: Note): Promise<Batch[]> {
  const bodies = bodiesOf(new Random(1), RECORDS, PER_POST, false);
  const limits = { window: WINDOW, maxRecords: MAX_BATCH_ROWS };
  let parsed = await Promise.all(bodies.map((body) => parseRecordsBody(body, 'application/x-ndjson', limits)));
  note(
    'json_parse',
    await leastCpuOf(ROUNDS, () =>
      bodies.map((body) => JSON.parse(`[${body.toString('utf8').replaceAll('\n', ',')}]`).length),
    ),
  );
  const whole = await leastCpuOf(ROUNDS, async () => {
    parsed = [];
    for (const body of bodies) parsed.push(await parseRecordsBody(body, 'application/x-ndjson', limits));
  });
  note('parse_and_validate', whole);
  let batches: Batch[] = [];
  note(
    'batch',
    await leastCpuOf(ROUNDS, () => {
      batches = [];
      for (const [n, { records }] of parsed.entries()) {
        if (n % (MAX_BATCH_ROWS / PER_POST) === 0) batches.push(new Batch());
        batches.at(-1)!.append(records, '');
      }
    }),
  );
  const cleaner = new BatchCleaner(new RouteLimit(200), { match: () => '' });
  note('clean', await leastCpuOf(ROUNDS, () => each(batches, (batch) => cleaner.clean(batch))));
  note('encode', await leastCpuOf(ROUNDS, () => each(batches, encodeBatch)));
  return batches;
}

/** Adding and taking jobs, in this process and in Redis. */
async function redisStages(
  server: LocalRedis,
  payloads: Awaited<ReturnType<typeof encodeBatch>>[],
  note: Note,
): Promise<void> {
  const connection = await connectRedis(server.url, 'worker', () => {});
  const queue = openBatchQueue(connection, 0);
  const add = (payload: (typeof payloads)[number]) =>
    queue.add('batch', { rows: MAX_BATCH_ROWS, claims: [], receivedAtMs: Date.now(), payload });
  const redisBefore = await redisCpuMicros(connection);
  note('redis_add', await leastCpuOf(ROUNDS, () => each(payloads, add)));
  let taken = 0;
  const micros = await cpuOf(async () => {
    const worker = new Worker(BATCH_QUEUE, async () => void taken++, { connection, prefix: shardPrefix(0) });
    while (taken < ROUNDS * payloads.length) await sleep(5);
    await worker.close();
  });
  note('redis_take', micros / ROUNDS);
  note('redis_server', ((await redisCpuMicros(connection)) - redisBefore) / ROUNDS);
  await queue.close();
  connection.disconnect();
}

/** From the payload to the tables. */
async function workerStages(
  folder: string,
  payloads: Awaited<ReturnType<typeof encodeBatch>>[],
  note: Note,
): Promise<number> {
  const config = parseConfig({});
  const geo = await openGeo(config);
  let batches: Batch[] = [];
  note(
    'decode',
    await leastCpuOf(ROUNDS, async () => {
      batches = [];
      for (const payload of payloads) batches.push(await decodeBatch(payload));
    }),
  );
  note('block', await leastCpuOf(ROUNDS, () => each(batches, (batch) => blockOf(batch, geo))));
  const store = await openStore(config, join(folder, 'clickhouse'));
  await migrate(store, config);
  await store.command(
    'CREATE TABLE bare AS requests ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY (key_id, timestamp)',
  );
  const few = await blockOf(batches[0]!, geo, FEW_ROWS);
  // Before the large ones, whose merges would run beside them.
  const small = await leastCpuOf(SMALL_ROUNDS, (round) => insertRequests(store, `few-${round}`, few));
  const blocks = await Promise.all(batches.map((batch) => blockOf(batch, geo)));
  const bare = await inserting(store, 'bare', blocks);
  note('insert_requests_only', bare);
  note('insert_with_views', await inserting(store, 'requests', blocks));
  await store.close();
  return Math.round(small / 1_000);
}

/** Country and stored address are looked up here too. */
function blockOf(batch: Batch, geo: Geo, rows = batch.rows): Promise<Buffer> {
  return requestBlock(batch, 'batch', Date.now(), [{ first: 0, end: rows }], { geo, ipStorage: 'truncated' });
}

/** The CPU time of merges that fall into the time is part of it, as it is in production. */
async function inserting(store: Store, table: string, blocks: readonly Buffer[]): Promise<number> {
  return leastCpuOf(INSERT_ROUNDS, async (round) => {
    for (const [at, block] of blocks.entries()) {
      const token = `${table}-${round}-${at}`;
      if (table === 'requests') await insertRequests(store, token, block);
      else await store.insertBlock(`${table} (${REQUEST_COLUMNS.join(', ')})`, insertSettings(token), block, token);
    }
  });
}

/** The collector as a process: CPU time of everything it does for a record. */
async function wholeCollector(redis: LocalRedis, note: Note): Promise<void> {
  const connection = await connectRedis(redis.url, 'worker', () => {});
  await knowToken(connection);
  const collector = await startPart('ingest', { REDIS_URL: redis.url, KEYTALLY_ADMIN_TOKEN: BENCH_TOKEN });
  const poster = await Poster.start({
    url: `${collector.url}/v1/requests`,
    records: RECORDS,
    recordsPerPost: PER_POST,
  });
  await poster.post();
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = await partCpuMicros(collector.url);
    await poster.post();
    least = Math.min(least, (await partCpuMicros(collector.url)) - before);
  }
  note('collector_process', least);
  poster.stop();
  await collector.kill('SIGTERM');
  connection.disconnect();
}

function withSums(figures: Record<string, number>): Record<string, number> {
  const sum = (...names: string[]) => Number(names.reduce((total, name) => total + figures[name]!, 0).toFixed(3));
  return {
    ...figures,
    collector_stages: sum('http_read', 'parse_and_validate', 'batch', 'clean', 'encode', 'redis_add'),
    worker_stages: sum('redis_take', 'decode', 'block', 'insert_with_views'),
    collector_records_per_second_and_core: Math.round(1e6 / figures.collector_process!),
  };
}

async function each<T>(values: readonly T[], work: (value: T) => unknown): Promise<void> {
  for (const value of values) await work(value);
}
