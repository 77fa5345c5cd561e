import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../ingest/config.ts';
import { packageRoot } from '../ingest/package-root.ts';
import type { Redis } from '../ingest/redis.ts';
import type { Store } from './clickhouse/store.ts';

/** A query that must return no row. */
export interface Invariant {
  name: string;
  /** What it says when it holds. */
  says: string;
  sql: string;
}

/** What one check found. */
export interface InvariantResult {
  name: string;
  says: string;
  /** Rows that the query returned each time; -1 when it failed. */
  violations: number;
  /** What the first of them are about: a day, a key, a batch. */
  examples: string[];
  error?: string;
}

export interface InvariantReport {
  checkedAtMs: number;
  invariants: InvariantResult[];
}

export interface CheckOptions {
  nowMs?: number;
  /** How far back raw rows are compared. Default: two days, which an hourly check covers many times over. */
  days?: number;
  /** Leave out what is being written now. A test that has stopped writing compares everything. */
  settled?: boolean;
  /** Between two questions about the same row. */
  pauseMs?: number;
}

const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;
const DAYS = 2;
/** Written this long ago, a change has its audit row or was completed by the sweep. */
const SETTLED_MS = 10 * 60_000;
/** Under load a row that is only being written is met several times in a row: a real difference is met every time. */
const ROUNDS = 6;
const PAUSE_MS = 2_000;
const MAX_EXAMPLES = 5;
const REPORT_KEY = '{keytally}:invariants';
const SETTINGS = { max_execution_time: 300, max_bytes_before_external_group_by: 1_000_000_000 };

/** The queries of workers/invariants.sql, which ship with the program. */
export function readInvariants(path = join(packageRoot(), 'workers/invariants.sql')): Invariant[] {
  const [, ...blocks] = readFileSync(path, 'utf8').split(/^-- @ /m);
  return blocks.map((block) => {
    const [head = '', ...lines] = block.split('\n');
    const [name = '', says = ''] = head.split(/:\s+/, 2);
    const sql = lines.filter((line) => !line.startsWith('--')).join('\n');
    return { name, says, sql: sql.trim().replace(/;$/, '') };
  });
}

/** Runs every query. A failing query is reported, never thrown: the others still tell. */
export async function checkInvariants(
  store: Store,
  config: Config,
  options: CheckOptions = {},
): Promise<InvariantReport> {
  const { nowMs = Date.now(), pauseMs = PAUSE_MS } = options;
  const params = rangeOf(config, nowMs, options);
  const results: InvariantResult[] = [];
  for (const invariant of readInvariants()) results.push(await check(store, invariant, params, pauseMs));
  return { checkedAtMs: nowMs, invariants: results };
}

/** Times of the queries, in seconds. The range is one that raw rows and minutes still hold. */
export function rangeOf(config: Config, nowMs: number, options: CheckOptions): Record<string, number> {
  const { days = DAYS, settled = true } = options;
  // Retention drops rows at a merge some time after their age: a day less is surely whole.
  const whole = Math.max(1, Math.min(days, config.RETENTION_REQUESTS_DAYS - 1, config.RETENTION_MINUTE_DAYS - 1));
  const today = nowMs - (nowMs % DAY_MS);
  const seconds = (ms: number) => Math.floor(ms / 1000);
  const to = settled ? nowMs - SETTLED_MS - ((nowMs - SETTLED_MS) % QUARTER_MS) : today + 2 * DAY_MS;
  return {
    from: seconds(today - whole * DAY_MS),
    to: seconds(to),
    to_day: seconds(settled ? today : today + 2 * DAY_MS),
    keys_since: seconds(Math.max(0, today - (config.RETENTION_DAY_DAYS - 1) * DAY_MS)),
    settled: seconds(settled ? nowMs - SETTLED_MS : today + 2 * DAY_MS),
  };
}

async function check(
  store: Store,
  { name, says, sql }: Invariant,
  params: Record<string, number>,
  pauseMs: number,
): Promise<InvariantResult> {
  try {
    let persisting: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const rows = await store.queryAside<{ what: string; difference: number }>(sql, params, SETTINGS);
      const now = new Map(rows.map(({ what, difference }) => [String(what), difference]));
      persisting = round === 0 ? [...now.keys()] : persisting.filter((what) => now.has(what));
      if (persisting.length === 0) break;
      if (round < ROUNDS - 1) await sleep(pauseMs);
    }
    return { name, says, violations: persisting.length, examples: persisting.slice(0, MAX_EXAMPLES) };
  } catch (error) {
    return { name, says, violations: -1, examples: [], error: (error as Error).message.slice(0, 500) };
  }
}

/** Keeps the newest report for every process: one worker checks, all export it. */
export async function storeReport(redis: Redis, report: InvariantReport): Promise<void> {
  await redis.set(REPORT_KEY, JSON.stringify(report));
}

/** The newest report of any worker; undefined before the first. */
export async function readReport(redis: Redis): Promise<InvariantReport | undefined> {
  const json = await redis.get(REPORT_KEY);
  return json === null ? undefined : (JSON.parse(json) as InvariantReport);
}
