import type { Settings, Store } from '../../clickhouse/store.ts';
import { dayOf, ensureDay, FILL_SETTINGS } from './days.ts';
import { fillLatency, latencySamples, MIN_WEEKS_OF_LATENCY } from './latency-hours.ts';

/** One processor at most: what counts requests comes first. */
export const EVALUATION_SETTINGS: Settings = { max_threads: 1, do_not_merge_across_partitions_select_final: 1 };

export const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
const WEEK_SECONDS = 7 * DAY_SECONDS;
const WEEKS = 6;
/** A young key is judged by the same hour of days like this one: working days or weekends. */
const SIMILAR_DAYS_BACK = 14;
/** Rows of the last day tell how unsteady a key usually is and how it grows. */
const STEADYING_HOURS = 24;
/** Growth out of fewer hours would be the incident itself. */
const MIN_GROWTH_HOURS = 6;

const before = (hour: number, count: number, step: number) =>
  Array.from({ length: count }, (_, n) => hour - (n + 1) * step);

/** This hour in the weeks before, epoch seconds. */
export const sameHourOfWeeks = (hour: number): number[] => before(hour, WEEKS, WEEK_SECONDS);

/** Earlier hours whose samples make the baseline of an hour, by rung of the ladder; epoch seconds. */
export function sampleHours(hour: number): { weeks: number[]; days: number[]; lastDay: number[] } {
  const isWeekend = (at: number) => [0, 6].includes(new Date(at * 1000).getUTCDay());
  return {
    weeks: sameHourOfWeeks(hour),
    days: before(hour, SIMILAR_DAYS_BACK, DAY_SECONDS).filter((at) => isWeekend(at) === isWeekend(hour)),
    lastDay: before(hour, 24, HOUR_SECONDS),
  };
}

/** Makes the baselines of the hours that have none yet. @returns those that were made */
export async function ensureBaselines(store: Store, hours: readonly number[]): Promise<number[]> {
  const present = await store.query<{ at: number }>(
    `SELECT DISTINCT toUnixTimestamp(hour) AS at FROM alert_baselines WHERE toUnixTimestamp(hour) IN {hours:Array(UInt32)} AND key_id = ''`,
    { hours },
  );
  const known = new Set(present.map(({ at }) => at));
  const missing = [...new Set(hours)].filter((hour) => !known.has(hour)).sort((a, b) => a - b);
  for (const hour of missing) await makeBaselines(store, hour);
  return missing;
}

/** Keys by rung: hours of young keys are read only where there are young keys. */
async function rungsPresent(store: Store, hour: number): Promise<Set<string>> {
  const rows = await store.query<{ rung: string }>(
    `SELECT DISTINCT rung FROM (${ages(hour)})`,
    {},
    EVALUATION_SETTINGS,
  );
  return new Set(rows.map(({ rung }) => rung));
}

const at = (seconds: number) => `toDateTime(${seconds}, 'UTC')`;

/** As `rungFor` of request-baseline.ts. Age counts from when Keytally first received something of the key. */
const ages = (hour: number) =>
  `SELECT key_id, toUnixTimestamp(min(tracking_since)) AS since, (${hour} - since) / ${DAY_SECONDS} AS age_days,
     multiIf(age_days < 1, 'caps only', age_days < 7, 'last day', age_days < 28, 'hour of day', 'hour of week') AS rung
   FROM key_totals WHERE key_id != '' GROUP BY key_id`;

async function makeBaselines(store: Store, hour: number): Promise<void> {
  await ensureDay(store, hour);
  if (await hasHistory(store, hour)) await fillBaselines(store, hour);
  // Last: an hour without this row was left half made by a process that died.
  await store.insertRows('alert_baselines', [
    { hour: new Date(hour * 1000).toISOString(), key_id: '', rung: 'caps only' },
  ]);
}

/** Whether anything was counted before this hour. Finding out for every key that nothing was costs the engine more than a third of a second for each hour. */
async function hasHistory(store: Store, hour: number): Promise<boolean> {
  const found = await store.query(
    `SELECT 1 AS found FROM traffic_buckets WHERE start < ${at(hour)} LIMIT 1
     UNION ALL SELECT 1 AS found FROM alert_days WHERE day = ${at(dayOf(hour))} AND key_id != '' LIMIT 1`,
  );
  return found.length > 0;
}

async function fillBaselines(store: Store, hour: number): Promise<void> {
  await fillLatency(store, hour);
  const rungs = await rungsPresent(store, hour);
  const { weeks, days, lastDay } = sampleHours(hour);
  const hours = {
    'hour of week': weeks,
    'hour of day': rungs.has('hour of day') ? days : [],
    'last day': rungs.has('last day') ? lastDay : [],
  };
  await store.command(`INSERT INTO alert_baselines
    (hour, key_id, rung, age_days, means, variances, usual_spread, growth, mean, within, between, last_ratio, last_expected,
     p95s, usual_p95_ms, requests_28d, server_errors_28d, client_errors_28d, refused_28d, rate_limited_28d)
    ${baselineSelect(hour, hours)} ${FILL_SETTINGS}, optimize_aggregation_in_order = 1`);
}

type RungHours = Record<'hour of week' | 'hour of day' | 'last day', number[]>;

const list = (hours: readonly number[]) => `[${hours.map((hour) => `toUInt32(${hour})`).join(', ')}]`;

function baselineSelect(hour: number, hours: RungHours): string {
  const own = (name: keyof RungHours) => (hours[name].length > 0 ? list(hours[name]) : 'emptyArrayUInt32()');
  return `
    SELECT ${at(hour)} AS hour, key_id, rung, age_days, means, variances,
      usual_spread,
      if(length(pairs) < ${MIN_GROWTH_HOURS}, 1, least(2, greatest(0.5, arrayFirst((one, sum) -> sum >= total / 2, sorted, sums).1))) AS growth,
      greatest(0.001, if(means = [], 0, arrayReduce('median', means))) AS mean,
      greatest(if(rung = 'last day', 4, 1), if(ratios = [], 1, arrayReduce('median', ratios))) AS within,
      if(usual_spread > 0, (freedom * spread + 5 * usual_spread * mean * mean) / (freedom + 5), spread) AS between,
      last_ratio, last_expected, p95s,
      if(length(p95s) < ${MIN_WEEKS_OF_LATENCY}, 0, exp(arrayReduce('median', arrayMap(one -> log(one), p95s)))) AS usual_p95_ms,
      requests_28d, server_errors_28d, client_errors_28d, refused_28d, rate_limited_28d
    FROM (
      SELECT a.key_id AS key_id, a.rung AS rung, a.age_days AS age_days,
        multiIf(rung = 'hour of week', ${own('hour of week')}, rung = 'hour of day', ${own('hour of day')},
                rung = 'last day', ${own('last day')}, emptyArrayUInt32()) AS wanted,
        toUInt64(greatest(length(s.ms), arrayCount(one -> one >= a.since, wanted))) AS samples,
        if(rung = 'caps only', [], arrayResize(s.ms, samples, 0)) AS means,
        if(rung = 'caps only', [], arrayResize(s.vs, samples, 0)) AS variances,
        arrayMap((v, m) -> v / m, arrayFilter((v, m) -> m > 0, variances, means), arrayFilter(m -> m > 0, means)) AS ratios,
        toFloat64(greatest(0, toInt64(length(means)) - 1)) AS freedom,
        if(freedom < 1, 0, arrayReduce('varSamp', means)) AS spread,
        p.usual_spread AS usual_spread, p.pairs AS earlier, n.last_ratio AS last_ratio, n.last_expected AS last_expected,
        arrayConcat(earlier, if(last_expected > 0, [(last_ratio, last_expected)], [])) AS pairs,
        arraySort(one -> one.1, pairs) AS sorted, arrayCumSum(one -> one.2, sorted) AS sums,
        if(sums = [], 0, sums[-1]) AS total,
        l.p95s AS p95s, e.requests AS requests_28d, e.server_errors AS server_errors_28d, e.client_errors AS client_errors_28d,
        e.refused AS refused_28d, e.rate_limited AS rate_limited_28d
      FROM (${ages(hour)}) AS a
      LEFT JOIN (${errorHistory(hour)}) AS e ON e.key_id = a.key_id
      LEFT JOIN (${samples(hour, hours)}) AS s ON s.key_id = a.key_id
      LEFT JOIN (${steadying(hour)}) AS p ON p.key_id = a.key_id
      LEFT JOIN (${lastHour(hour)}) AS n ON n.key_id = a.key_id
      LEFT JOIN (${latencySamples(hour)}) AS l ON l.key_id = a.key_id
      WHERE e.requests > 0 OR s.ms != [] OR n.seen > 0)`;
}

/** Usual shares of errors: those of the day. */
const errorHistory = (hour: number) =>
  `SELECT key_id, requests, server_errors, client_errors, refused, rate_limited FROM alert_days FINAL WHERE day = ${at(dayOf(hour))}`;

const SLOTS = Array.from({ length: 12 }, (_, n) => n);

/**
 * Mean and variance of the twelve buckets of one hour; absent buckets are zeros, so sums are divided by 12. Twelve sums per
 * key cost a quarter of what grouping by bucket and key does, because a row per key stays in the processor's cache.
 */
const hourSamples = (from: number) =>
  `SELECT key_id, ${from} AS h, (${SLOTS.map((n) => `s${n}`).join(' + ')}) / 12 AS m,
     greatest(0, (${SLOTS.map((n) => `s${n} * s${n}`).join(' + ')} - 12 * m * m) / 11) AS v
   FROM (SELECT key_id, ${SLOTS.map((n) => `toFloat64(sumIf(b.requests, toMinute(start) = ${n * 5})) AS s${n}`).join(', ')}
         FROM traffic_buckets AS b WHERE start >= ${at(from)} AND start < ${at(from + HOUR_SECONDS)} GROUP BY key_id)`;

/** Samples of every key: the hours of its own rung. */
function samples(hour: number, hours: RungHours): string {
  const wanted = [...new Set(Object.values(hours).flat())].sort((a, b) => a - b);
  const perHour = wanted.map(hourSamples).join('\nUNION ALL\n');
  const young = hours['hour of day'].length + hours['last day'].length > 0;
  const ofRung = Object.entries(hours)
    .filter(([, its]) => its.length > 0)
    .map(([rung, its]) => `(a.rung = '${rung}' AND h IN ${list(its)})`);
  const ofOwnRung = `SELECT q.key_id AS key_id, q.m AS m, q.v AS v, q.h AS h FROM (${perHour}) AS q
    INNER JOIN (${ages(hour)}) AS a ON a.key_id = q.key_id WHERE ${ofRung.join(' OR ')}`;
  return `SELECT key_id, groupArray(toFloat32(m)) AS ms, groupArray(toFloat32(v)) AS vs FROM (${young ? ofOwnRung : perHour}) GROUP BY key_id`;
}

/** From the key's baselines of the last day: its usual variance between weeks, and how its hours compared with them. */
const steadying = (hour: number) =>
  `SELECT key_id, if(countIf(rung = 'hour of week' AND usual > 0) = 0, 0, medianIf(
        greatest(0, arrayReduce('varSamp', means) - usual / 12) / (usual * usual), rung = 'hour of week' AND usual > 0)) AS usual_spread,
     groupArrayIf((last_ratio, last_expected), last_expected > 0) AS pairs
   FROM (SELECT key_id, rung, last_ratio, last_expected, means, if(length(means) < 2, 0, arrayReduce('median', means)) AS usual
         FROM alert_baselines FINAL WHERE hour >= ${at(hour - STEADYING_HOURS * HOUR_SECONDS)} AND hour < ${at(hour)})
   GROUP BY key_id`;

/** The hour before: what was seen over what its baseline said; five requests are added to both sides. */
const lastHour = (hour: number) =>
  `SELECT key_id, sum(mean) * 12 AS last_expected, sum(r) AS seen, (seen + 5) / (last_expected + 5) AS last_ratio
   FROM (SELECT key_id, toFloat64(mean) AS mean, 0 AS r FROM alert_baselines FINAL
         WHERE hour = ${at(hour - HOUR_SECONDS)} AND rung != 'caps only'
         UNION ALL
         SELECT key_id, 0, toFloat64(sum(requests)) FROM traffic_buckets
         WHERE start >= ${at(hour - HOUR_SECONDS)} AND start < ${at(hour)} GROUP BY key_id)
   GROUP BY key_id`;
