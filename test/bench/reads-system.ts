import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConfig } from '../../ingest/config.ts';
import { startLocalRedis } from '../../ingest/local-redis.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { openStore, type Store } from '../../workers/clickhouse/store.ts';
import { type PartProcess, startPart } from '../support/process.ts';
import { BENCH_TOKEN } from './bench-traffic.ts';
import { partCpuMicros } from './cpu-time.ts';

const START_WORK_MS = 120_000;
const IDLE_LOOK_MS = 3_000;
/** Of a processor. */
const IDLE_SHARE = 0.15;

/** The program, and a collector beside it that takes what is sent, as bench `ingest` has it. */
export interface System {
  part: PartProcess;
  collector: PartProcess;
  stop(): Promise<void>;
}

/** A data folder whose store `fill` has filled. */
export async function filledFolder(fill: (store: Store) => Promise<void>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'keytally-bench-'));
  const config = parseConfig({ KEYTALLY_DATA_DIR: folder });
  const store = await openStore(config, join(folder, 'clickhouse'));
  try {
    await migrate(store, config);
    await fill(store);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  } finally {
    await store.close();
  }
  // Else reads wait while the system writes gigabytes of the fill behind them.
  spawnSync('sync');
  return folder;
}

/** Starts the program on a filled folder and waits until it has nothing to do; its end removes the folder. */
export async function startSystem(folder: string): Promise<System> {
  const redis = await startLocalRedis({ dataDir: join(folder, 'queue'), log: () => {}, maxMemoryBytes: 2 ** 31 });
  const env = {
    REDIS_URL: redis.url,
    KEYTALLY_DATA_DIR: folder,
    KEYTALLY_ADMIN_TOKEN: BENCH_TOKEN,
    API_REQUESTS_PER_MINUTE: '10000000',
    INGEST_REQUESTS_PER_MINUTE: '10000000',
    // As on any day but that of the import: its first sweep would have 160,000 reminders of a million new keys to tell.
    KEY_SWEEP_CRON: '0 0 1 1 *',
  };
  const parts: PartProcess[] = [];
  const stop = async () => {
    await Promise.all(parts.map((part) => part.kill('SIGTERM')));
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const [command, dataDir] of [
      ['start', folder],
      ['ingest', join(folder, 'collector')],
    ] as const)
      parts.push(await startPart(command, { ...env, KEYTALLY_DATA_DIR: dataDir }));
    const [part, collector] = parts as [PartProcess, PartProcess];
    await untilIdle(part);
    return { part, collector, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export const headers = { Authorization: `Bearer ${BENCH_TOKEN}` };

/**
 * A program that has just started builds its list of keys and what is usual for each, which takes both processors with much data; one that took
 * much merges it.
 */
export async function untilIdle(part: PartProcess): Promise<void> {
  let before = await partCpuMicros(part.url);
  for (const until = Date.now() + START_WORK_MS; Date.now() < until; ) {
    await sleep(IDLE_LOOK_MS);
    const now = await partCpuMicros(part.url);
    if ((now - before) / 1_000 < IDLE_LOOK_MS * IDLE_SHARE) return;
    before = now;
  }
}
