import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../../../ingest/config.ts';
import { type LocalRedis, startLocalRedis } from '../../../../ingest/local-redis.ts';
import { createLogger } from '../../../../ingest/logger.ts';
import { connectRedis } from '../../../../ingest/redis.ts';
import { evaluate } from '../../../../workers/alerts/evaluation/evaluate.ts';
import { readProgress } from '../../../../workers/alerts/evaluation/progress.ts';
import { openDeliveryQueue } from '../../../../workers/alerts/outbox.ts';
import { migrate } from '../../../../workers/clickhouse/migrate.ts';
import { openStore, type Store } from '../../../../workers/clickhouse/store.ts';
import { brokenAlertLogs } from '../../../support/alert-log.ts';
import { ALERTS_KEPT_MS } from '../../../support/alert-parts.ts';
import { builtModule } from '../../../support/built-module.ts';
import { ClickHouseHttp } from '../../../support/clickhouse-http.ts';
import { Random } from '../../../support/random.ts';
import { tempFolder } from '../../../support/temp-folder.ts';
import { SeededHistory } from './seeded-history.ts';

/** ALERT_KILLS=50 for the long run, which is also at full scale. */
const KILLS = Number(process.env.ALERT_KILLS ?? 1);
const IS_LONG = KILLS > 1;
const SCHEDULERS = 3;
/** Fewer than make a matter of the whole platform; in the long run many others keep them one in a hundred. */
const KEYS = IS_LONG ? 8 : 4;
const OTHERS = IS_LONG ? 1_000 : 0;
const SEED = 11;
/** Fewer than an interruption may last: none is skipped. */
const WINDOWS = Math.min(140, IS_LONG ? 14 + KILLS * 3 : 18);
/** Time passes so fast that the windows last as long as the kills. */
const SPEED = Math.round((WINDOWS * 300) / (KILLS * 5));
const NOW = Math.floor(Date.now() / 3_600_000) * 3_600 - 3_600 * 24 * 3;

/** End of the last window, epoch milliseconds. */
const LAST = (NOW + WINDOWS * 300) * 1000;

let redis: LocalRedis;
let clickHouse: ClickHouseHttp;
let store: Store;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  redis = await startLocalRedis({ dataDir: tempFolder(), log: () => {}, maxMemoryBytes: 268_435_456 });
  clickHouse = new ClickHouseHttp(tempFolder());
  await clickHouse.start();
  const config = parseConfig({ CLICKHOUSE_URL: clickHouse.url });
  store = await openStore(config, '');
  await migrate(store, config);
}, 120_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await store.close();
  await clickHouse.stop();
  clickHouse.close();
  await redis.stop();
});

/** Alerts that open and resolve all the time: each key fails for ten windows and is well for fourteen, at its own time. */
async function seed(): Promise<void> {
  const history = new SeededHistory(store, NOW);
  const keyIds = Array.from({ length: KEYS }, (_, n) => `key_${n}`);
  const calm = Array.from({ length: OTHERS }, (_, n) => `calm_${n}`);
  await history.keys(keyIds, 40, { hours: 2 });
  const rows: object[] = [];
  for (let bucket = 0; bucket < WINDOWS; bucket++) {
    const start = new Date((NOW + bucket * 300) * 1000).toISOString();
    for (const [n, key_id] of keyIds.entries())
      rows.push({ start, key_id, requests: 40, server_errors: (bucket + n * 5) % 24 < 10 && bucket > 2 ? 18 : 0 });
    if (bucket % 10 === 0) for (const key_id of calm) rows.push({ start, key_id, requests: 1 });
  }
  await store.insertRows('traffic_buckets', rows);
}

async function start(startWallMs: number): Promise<ChildProcess> {
  const program = builtModule('test/workers/alerts/evaluation/evaluating-process.ts');
  const args = [redis.url, clickHouse.url, String(startWallMs), String(NOW * 1000), String(SPEED), String(LAST)];
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  await once(child.stdout!, 'data');
  return child;
}

interface Row {
  event_id: string;
  alert_key: string;
  at: string;
  transition: string;
  notify: string;
}
const rows = () =>
  store.query<Row>(
    'SELECT event_id, alert_key, at, transition, notify FROM alert_events ORDER BY at, alert_key, event_id',
  );
const turns = (all: readonly Row[]) =>
  all
    .filter((row) => row.transition === 'opened' || row.transition === 'resolved')
    .map((row) => `${row.at} ${row.alert_key} ${row.transition}`);

test(`kill -9 of the evaluating process ${KILLS} times, three schedulers: every transition once, every route job once`, async () => {
  await seed();
  const random = new Random(SEED);
  const startWallMs = Date.now();
  const running = await Promise.all(Array.from({ length: SCHEDULERS }, () => start(startWallMs)));
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(random.integer(300, 4_000));
    const victim = random.integer(0, SCHEDULERS - 1);
    running[victim]!.kill('SIGKILL');
    children.delete(running[victim]!);
    running[victim] = await start(startWallMs);
  }
  await expect
    .poll(async () => (await readProgress(store, 'buckets')) ?? 0, { timeout: 120_000 + KILLS * 10_000, interval: 200 })
    .toBe(LAST);
  for (const child of running) child.kill('SIGKILL');
  const written = await rows();
  expect(new Set(written.map((row) => row.event_id)).size).toBe(written.length);
  expect(await brokenAlertLogs(store)).toEqual([]);

  const connection = await connectRedis(redis.url, 'worker', () => {});
  const delivery = openDeliveryQueue(connection);
  const jobs = (await delivery.getJobs(['waiting'], 0, -1)).map((job) => job.id).sort();
  const told = written
    .filter((row) => row.notify !== '')
    .map((row) => `route_${row.event_id}`)
    .sort();
  expect(jobs).toEqual(told);
  const lasted = Math.round((Date.now() - startWallMs) / 1000);
  console.log(
    `${KILLS} kills, ${WINDOWS} windows in ${lasted} s: ${written.length} steps, ${turns(written).length} openings and ends, ${told.length} told`,
  );

  // The same windows judged without a single interruption.
  const until = (await readProgress(store, 'buckets'))!;
  await store.command('TRUNCATE TABLE alert_events');
  await store.command('TRUNCATE TABLE alert_progress');
  const parts = {
    store,
    delivery,
    log: createLogger(parseConfig({ LOG_LEVEL: 'error' }), 'test'),
    oldestWaitingMs: async () => undefined,
    settleMs: 0,
    alertsKeptMs: ALERTS_KEPT_MS,
  };
  const first = Math.min(...written.map((row) => Date.parse(row.at)));
  for (let at = first; at <= until; at += 300_000) await evaluate(parts, at);
  expect(turns(written)).toEqual(turns(await rows()));
  await delivery.close();
  connection.disconnect();
}, 1_800_000);
