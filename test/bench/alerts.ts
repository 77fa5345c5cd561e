import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../ingest/config.ts';
import { startLocalRedis } from '../../ingest/local-redis.ts';
import { createLogger } from '../../ingest/logger.ts';
import { connectRedis } from '../../ingest/redis.ts';
import { ensureBaselines } from '../../workers/alerts/evaluation/baselines.ts';
import { type EvaluationParts, judgeWindow } from '../../workers/alerts/evaluation/evaluate.ts';
import { hoursOf } from '../../workers/alerts/evaluation/key-history.ts';
import { openDeliveryQueue } from '../../workers/alerts/outbox.ts';
import { migrate } from '../../workers/clickhouse/migrate.ts';
import { openStore, type Store } from '../../workers/clickhouse/store.ts';
import { ALERTS_KEPT_MS } from '../support/alert-parts.ts';

const KEYS = [100_000, 1_000_000];
const RUNS = 3;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

/** Result of `npm run bench -- alerts --json`: one window of all rules over so many active keys, one processor. */
export type AlertsBench = Record<string, number>;

/** Keys that sent something in every one of the last 36 buckets, with six weeks of history; a few hundred misbehave. */
export async function benchAlerts(say: (line: string) => void): Promise<AlertsBench> {
  const result: AlertsBench = {};
  const sizes = process.env.BENCH_KEYS ? process.env.BENCH_KEYS.split(',').map(Number) : KEYS;
  for (const keys of sizes) Object.assign(result, await benchSize(keys, say));
  return result;
}

async function benchSize(keys: number, say: (line: string) => void): Promise<AlertsBench> {
  const folder = mkdtempSync(join(tmpdir(), 'keytally-bench-'));
  const redis = await startLocalRedis({ dataDir: join(folder, 'queue'), log: () => {}, maxMemoryBytes: 2 ** 29 });
  const connection = await connectRedis(redis.url, 'worker', () => {});
  const config = parseConfig({ LOG_LEVEL: 'error' });
  const store = await openStore(config, join(folder, 'clickhouse'));
  const delivery = openDeliveryQueue(connection);
  try {
    await migrate(store, config);
    const hour = Math.floor(Date.now() / 1000 / HOUR_SECONDS) * HOUR_SECONDS;
    say(`${keys} keys: filling …`);
    await fill(store, keys, hour);
    const [made, used] = [performance.now(), process.cpuUsage()];
    await ensureBaselines(store, hoursOf(hour - 3 * HOUR_SECONDS, hour));
    const baselines = (performance.now() - made) / 3;
    const cpu = process.cpuUsage(used);
    const baselinesCpu = (cpu.user + cpu.system) / 3_000;
    say(`baselines of one hour: ${baselines.toFixed(0)} ms, ${baselinesCpu.toFixed(0)} ms of processor`);
    const parts: EvaluationParts = {
      store,
      delivery,
      log: createLogger(config, 'bench'),
      oldestWaitingMs: async () => undefined,
      settleMs: 0,
      alertsKeptMs: ALERTS_KEPT_MS,
    };
    const windows = await timed(parts, hour, say);
    const prefix = `keys_${keys}`;
    return {
      [`${prefix}_window_ms`]: Math.round(windows.fastestMs),
      [`${prefix}_window_slowest_ms`]: Math.round(windows.slowestMs),
      [`${prefix}_window_cpu_ms`]: Math.round(windows.cpuMs),
      [`${prefix}_baselines_of_one_hour_ms`]: Math.round(baselines),
      [`${prefix}_baselines_of_one_hour_cpu_ms`]: Math.round(baselinesCpu),
      [`${prefix}_events`]: windows.events,
      [`${prefix}_memory_mb`]: Math.round(process.memoryUsage.rss() / 1e6),
    };
  } finally {
    await delivery.close();
    connection.disconnect();
    await store.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The window that ends at the full hour: there the country mix is judged too. Its progress is forgotten between the runs. */
async function timed(parts: EvaluationParts, hour: number, say: (line: string) => void) {
  let [fastestMs, slowestMs, cpuMs, events] = [Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY, 0];
  for (let run = 0; run < RUNS; run++) {
    await parts.store.command('TRUNCATE TABLE alert_events');
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    events = (await judgeWindow(parts, hour * 1000, hour * 1000, false)).length;
    const ms = performance.now() - startedAt;
    const used = process.cpuUsage(cpu);
    fastestMs = Math.min(fastestMs, ms);
    slowestMs = Math.max(slowestMs, ms);
    cpuMs = Math.min(cpuMs, (used.user + used.system) / 1000);
    say(
      `window ${run + 1}: ${ms.toFixed(0)} ms, ${((used.user + used.system) / 1000).toFixed(0)} ms of processor, ${events} events`,
    );
  }
  return { fastestMs, slowestMs, cpuMs, events };
}

const SLICE_ROWS = 4_000_000;

/** Rows per (bucket, key) made inside the engine: mean 20 requests (one key in ten 100), one per cent of errors. */
export async function fill(store: Store, keys: number, hour: number): Promise<void> {
  const hours = [
    ...new Set(
      [1, 2, 3].flatMap((back) =>
        Array.from({ length: 7 }, (_, week) => hour - back * HOUR_SECONDS - week * 7 * DAY_SECONDS),
      ),
    ),
  ];
  // The bench judges the window that ends at the hour: its own hour is the one before.
  for (const from of hours) await buckets(store, keys, from, from > hour - DAY_SECONDS);
  const insert = (sql: string) => store.command(`${sql} SETTINGS max_insert_threads = 1`, { keys });
  await insert(`INSERT INTO key_totals (key_id, requests, first_seen, tracking_since)
    SELECT concat('key_', toString(number)), 1000000, now64(3) - toIntervalDay(60), now64(3) - toIntervalDay(60) FROM numbers({keys:UInt64})`);
  await insert(`INSERT INTO statuses_day (key_id, start, status, requests, client_errors, server_errors)
    SELECT concat('key_', toString(intDiv(number, 84))), toStartOfDay(now()) - toIntervalDay(1 + number % 28), [200, 404, 500][1 + intDiv(number, 28) % 3],
           [5700, 29, 29][1 + intDiv(number, 28) % 3], 0, 0 FROM numbers({keys:UInt64} * 84)`);
  await insert(`INSERT INTO countries_day (key_id, start, country, requests)
    SELECT concat('key_', toString(intDiv(number, 56))), toStartOfDay(now()) - toIntervalDay(1 + number % 28), ['SE', 'DE'][1 + intDiv(number, 28) % 2], 2800 FROM numbers({keys:UInt64} * 56)`);
  await insert(`INSERT INTO key_countries (key_id, country, first_seen, requests)
    SELECT concat('key_', toString(intDiv(number, 3))), ['SE', 'DE', 'BR'][1 + number % 3],
           if(number % 3 = 2 AND number % 3000 = 2, toDateTime64(${hour}, 3) - toIntervalHour(1), now64(3) - toIntervalDay(60)), 50 FROM numbers({keys:UInt64} * 3)`);
  await insert(`INSERT INTO country_hours (start, key_id, country, requests)
    SELECT toDateTime(${hour - HOUR_SECONDS}), concat('key_', toString(intDiv(number, 2))), ['SE', 'DE'][1 + number % 2], 120 FROM numbers({keys:UInt64} * 2)`);
}

async function buckets(store: Store, keys: number, from: number, present: boolean): Promise<void> {
  const rows = keys * 12;
  // One key in two thousand is six times as busy, one in two thousand fails, one in two thousand stopped, in the last hour.
  const requests = `12 + cityHash64(number, ${from}) % 17`;
  const misbehaves = (rest: number) => (present ? `(intDiv(number, 12) % 2000 = ${rest})` : '0');
  for (let at = 0; at < rows; at += SLICE_ROWS) {
    await store.command(
      `INSERT INTO traffic_buckets (start, key_id, requests, server_errors, client_errors, timed${present ? ', latency' : ''})
       SELECT toDateTime(${from} + 300 * (number % 12)), concat('key_', toString(intDiv(number, 12))),
              toUInt64((${requests}) * if(intDiv(number, 12) % 10 = 0, 5, 1) * if(${misbehaves(1)}, 6, 1)) AS r, if(${misbehaves(2)}, intDiv(r, 2), cityHash64(number) % 50 = 0), 0, r
              ${present ? ", initializeAggregation('quantileDDState(0.01, 0.95)', toNullable(toFloat32(20 + number % 30)))" : ''}
       FROM numbers(${at}, ${Math.min(SLICE_ROWS, rows - at)}) WHERE NOT ${misbehaves(3)} SETTINGS max_insert_threads = 1`,
    );
  }
}
