import { forecast } from '../../workers/alerts/detectors/near-limit.ts';
import type { QueryParams, Store } from '../../workers/clickhouse/store.ts';
import { MINUTE_SECONDS } from './calendar.ts';

/** Requests of a key against its limits, as shares; above 1 the limit is overrun, null = no such limit. */
export interface Utilization {
  per_minute: number | null;
  per_day: number | null;
  per_month: number | null;
  /** When a limit will be reached at the pace of its window so far, RFC 3339; null = not in this window, or too early to say. */
  forecast: { per_day: string | null; per_month: string | null };
}

export interface LimitedKey {
  key_id: string;
  limit_per_minute: number | null;
  limit_per_day: number | null;
  limit_per_month: number | null;
}

/** Requests of a key in the windows that limits count. */
export interface WindowCounts {
  /** The busier of the last whole minute and the present one. */
  minute: number;
  /** Since 00:00 UTC. */
  day: number;
  /** Since the first of the UTC month. */
  month: number;
}

/** Pure: counts beside limits. */
export function utilizationOf(key: LimitedKey, counts: WindowCounts, nowMs: number): Utilization {
  const share = (count: number, limit: number | null) => (limit === null || limit === 0 ? null : count / limit);
  return {
    per_minute: share(counts.minute, key.limit_per_minute),
    per_day: share(counts.day, key.limit_per_day),
    per_month: share(counts.month, key.limit_per_month),
    forecast: {
      per_day: fullAt('day', counts.day, key.limit_per_day, nowMs),
      per_month: fullAt('month', counts.month, key.limit_per_month, nowMs),
    },
  };
}

function fullAt(period: 'day' | 'month', used: number, limit: number | null, nowMs: number): string | null {
  if (limit === null) return null;
  const at = forecast({ period, used, limit, ...windowOf(period, nowMs), nowMs });
  return at === undefined ? null : new Date(at).toISOString();
}

/** Bounds of the UTC day or month. */
function windowOf(period: 'day' | 'month', nowMs: number): { windowStartMs: number; windowEndMs: number } {
  const now = new Date(nowMs);
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  return period === 'day'
    ? { windowStartMs: Date.UTC(year, month, day), windowEndMs: Date.UTC(year, month, day + 1) }
    : { windowStartMs: Date.UTC(year, month), windowEndMs: Date.UTC(year, month + 1) };
}

/** Utilization of the keys of one page that have limits, in one query; keys without any limit are left out. */
export async function readUtilization(
  store: Store,
  keys: readonly LimitedKey[],
  nowMs: number,
): Promise<Map<string, Utilization>> {
  const limited = keys.filter((key) => key.limit_per_minute ?? key.limit_per_day ?? key.limit_per_month);
  if (limited.length === 0) return new Map();
  const [sql, params] = countsOf(limited, nowMs);
  const rows = sql === '' ? [] : await store.query<{ key_id: string } & WindowCounts>(sql, params);
  const counts = new Map(rows.map((row) => [row.key_id, row]));
  const none: WindowCounts = { minute: 0, day: 0, month: 0 };
  return new Map(limited.map((key) => [key.key_id, utilizationOf(key, counts.get(key.key_id) ?? none, nowMs)]));
}

/** The counts that the limits of these keys ask for, and no others: every table costs the engine milliseconds before it is read. */
function countsOf(limited: readonly LimitedKey[], nowMs: number): [sql: string, params: QueryParams] {
  const idsOf = (wanted: (key: LimitedKey) => boolean) => limited.filter(wanted).map((key) => key.key_id);
  const long = idsOf((key) => Boolean(key.limit_per_day || key.limit_per_month));
  const short = idsOf((key) => Boolean(key.limit_per_minute));
  const minute = Math.floor(nowMs / 1000 / MINUTE_SECONDS) * MINUTE_SECONDS;
  const { windowStartMs: monthMs } = windowOf('month', nowMs);
  const { windowStartMs: dayMs } = windowOf('day', nowMs);
  const at = (name: string) => `toDateTime({${name}:Int64}, 'UTC')`;
  const parts: string[] = [];
  // The row of today grows with every request, as those of past days did.
  if (long.length > 0)
    parts.push(`SELECT key_id, requests AS month, if(start = ${at('day')}, requests, 0) AS day, 0 AS last, 0 AS present
      FROM usage_day WHERE key_id IN {long:Array(String)} AND start >= ${at('month')} AND start <= ${at('day')}`);
  if (short.length > 0)
    parts.push(`SELECT key_id, 0 AS month, 0 AS day, if(start < ${at('minute')}, requests, 0) AS last, if(start < ${at('minute')}, 0, requests) AS present
      FROM usage_minute WHERE key_id IN {short:Array(String)} AND start >= ${at('minute')} - 60 AND start <= ${at('minute')}`);
  if (parts.length === 0) return ['', {}];
  return [
    `SELECT key_id, sum(month) AS month, sum(day) AS day, greatest(sum(last), sum(present)) AS minute
     FROM (${parts.join(' UNION ALL ')}) GROUP BY key_id`,
    { long, short, minute, day: dayMs / 1000, month: monthMs / 1000 },
  ];
}
