import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLocalRedis } from '../../ingest/local-redis.ts';
import { openBatchQueue } from '../../ingest/queue.ts';
import { connectRedis, type Redis } from '../../ingest/redis.ts';
import { residentMegabytes } from '../support/part-metric.ts';
import { type PartProcess, startPart } from '../support/process.ts';
import { Random } from '../support/random.ts';
import { BENCH_TOKEN, benchTraffic } from './bench-traffic.ts';

const DEFAULT_MINUTES = 5;
const DEFAULT_PER_SECOND = 5_000;
const POSTS_PER_SECOND = 5;
const SAMPLES = 30;
const MEGABYTE = 1_000_000;

interface Sample {
  minute: number;
  collector_mb: number;
  worker_mb: number;
  redis_mb: number;
  waiting_batches: number;
}

/**
 * Memory of each process under steady load: `--minutes N`, `--per-second N`. Every sample is printed as it is taken;
 * the result compares the second third of the time with the last, because the first one fills caches.
 */
export async function benchSoak(say: (line: string) => void, flags: readonly string[]): Promise<object> {
  const minutes = numberAfter(flags, '--minutes', DEFAULT_MINUTES);
  const perSecond = numberAfter(flags, '--per-second', DEFAULT_PER_SECOND);
  const folder = mkdtempSync(join(tmpdir(), 'keytally-soak-'));
  const redis = await startLocalRedis({ dataDir: join(folder, 'queue'), log: () => {}, maxMemoryBytes: 2 ** 31 });
  const env = { REDIS_URL: redis.url, KEYTALLY_ADMIN_TOKEN: BENCH_TOKEN, KEYTALLY_DATA_DIR: join(folder, 'worker') };
  const worker = await startPart('worker', env);
  const collector = await startPart('ingest', env);
  const connection = await connectRedis(redis.url, 'worker', () => {});
  const load = { sent: 0, refused: 0, isOver: false };
  const sending = keepSending(`${collector.url}/v1/requests`, perSecond, load);
  const samples: Sample[] = [];
  say('minute  collector MB  worker MB (with the engine)  redis MB  batches waiting');
  for (let n = 1; n <= SAMPLES; n++) {
    await sleep((minutes * 60_000) / SAMPLES);
    const sample = await sampleOf((n * minutes) / SAMPLES, collector, worker, connection);
    samples.push(sample);
    say(Object.values(sample).join('  '));
  }
  load.isOver = true;
  await sending;
  connection.disconnect();
  await collector.kill('SIGTERM');
  await worker.kill('SIGTERM');
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
  return {
    minutes,
    records_per_second: perSecond,
    records_sent: load.sent,
    posts_refused: load.refused,
    ...growth(samples),
    samples,
  };
}

async function keepSending(url: string, perSecond: number, load: { sent: number; refused: number; isOver: boolean }) {
  const random = new Random(9);
  while (!load.isOver) {
    const startedAt = performance.now();
    const records = benchTraffic(random, Math.round(perSecond / POSTS_PER_SECOND), Date.now(), true);
    const response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${BENCH_TOKEN}`, 'Content-Type': 'application/x-ndjson' },
      body: records.map((record) => JSON.stringify(record)).join('\n'),
    });
    await response.arrayBuffer();
    if (response.status === 202) load.sent += records.length;
    else load.refused++;
    await sleep(Math.max(0, 1_000 / POSTS_PER_SECOND - (performance.now() - startedAt)));
  }
}

async function sampleOf(minute: number, collector: PartProcess, worker: PartProcess, redis: Redis): Promise<Sample> {
  const queue = openBatchQueue(redis, 0);
  const waiting = await queue.getWaitingCount();
  await queue.close();
  const used = Number(/^used_memory_rss:(\d+)/m.exec(await redis.info('memory'))?.[1]);
  return {
    minute: Number(minute.toFixed(1)),
    collector_mb: await residentMegabytes(collector.url),
    worker_mb: await residentMegabytes(worker.url),
    redis_mb: Math.round(used / MEGABYTE),
    waiting_batches: waiting,
  };
}

/** Mean of the last third over the mean of the second. */
function growth(samples: readonly Sample[]): Record<string, number> {
  const third = Math.floor(samples.length / 3);
  const mean = (of: readonly Sample[], name: keyof Sample) =>
    of.reduce((sum, sample) => sum + sample[name], 0) / of.length;
  const ratio = (name: keyof Sample) =>
    Number((mean(samples.slice(2 * third), name) / mean(samples.slice(third, 2 * third), name)).toFixed(3));
  return {
    collector_growth: ratio('collector_mb'),
    worker_growth: ratio('worker_mb'),
    redis_growth: ratio('redis_mb'),
  };
}

function numberAfter(flags: readonly string[], name: string, otherwise: number): number {
  const value = Number(flags[flags.indexOf(name) + 1]);
  return flags.includes(name) && value > 0 ? value : otherwise;
}
