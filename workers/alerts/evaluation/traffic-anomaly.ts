import type { AlertEvidence } from '../alert.ts';
import {
  judgeRequestRate,
  RATE_WINDOWS,
  type RateBucket,
  type RateVerdict,
  SINGLE_Z,
} from '../detectors/request-rate.ts';
import { judgeSilence, type SilenceVerdict, silenceThreshold } from '../detectors/silence.ts';
import type { SettingsOf } from '../rules/settings.ts';
import type { Level } from '../state.ts';
import { EVALUATION_SETTINGS } from './baselines.ts';
import { HISTORY_BUCKETS, hoursOf, rateBuckets, reportedBuckets } from './key-history.ts';
import { type Candidates, type KindEvaluation, MAX_CANDIDATES } from './kind.ts';
import { chartOf, countText, spanText } from './wording.ts';

type Settings = SettingsOf<'traffic_anomaly'>;

const MINUTES_PER_BUCKET = 5;
/** Thresholds by window in buckets, as the detector has them. */
const WINDOWS = [{ buckets: 1, z: SINGLE_Z }, ...RATE_WINDOWS];
/** Lengths of silence that are looked for, in buckets: one that lasts lies between two of them. */
const SILENCES = [1, 3, 6, 12, 24, 36];
/** SQL rounds differently from the detector: it lets a little more through. */
const GENEROUS = 0.95;

/** Far more requests than usual (spike), far fewer or none at all (drop; silence is its strongest form). */
export const trafficAnomaly: KindEvaluation = {
  kind: 'traffic_anomaly',
  usesHistory: true,
  scopes: ['spike', 'drop'],
  fleetGroup: (scope) => scope,
  findCandidates,
  judge: ({ keyId, effective, history, atMs }) => {
    const settings = effective.settings as Settings;
    const recent = rateBuckets(history);
    const reported = reportedBuckets(history);
    if (reported.length === 0 && recent.length > 0) return [];
    const rate = judgeRequestRate(reported, {
      thresholdFactor: settings.threshold_factor,
      minRequests: settings.min_requests,
    });
    const silence = judgeSilence(reported, history.baselines.at(-1)?.ageDays ?? 0);
    const silent = settings.silence && silence.level === 'breach';
    const { spike, drop } = levelsOf(rate, silent, settings);
    const base = { kind: 'traffic_anomaly' as const, keyId, severity: 'warning' as const };
    return [
      {
        ...base,
        scope: 'spike',
        level: spike,
        isUnwanted: !settings.spike,
        describe: () => rateEvidence(rate, 'spike', spike, recent, atMs),
      },
      {
        ...base,
        scope: 'drop',
        level: drop,
        isUnwanted: !settings.drop && !settings.silence,
        describe: () =>
          silent ? silenceEvidence(silence, recent, atMs) : rateEvidence(rate, 'drop', drop, recent, atMs),
      },
    ];
  },
};

/** Spikes and drops are alerts of their own: each holds while the other speaks. Too few requests never open one. */
export function levelsOf(rate: RateVerdict, silent: boolean, settings: Settings): { spike: Level; drop: Level } {
  const level: Level = rate.digestOnly && rate.level === 'breach' ? 'hold' : rate.level;
  const ofOther = (direction: RateVerdict['direction']): Level =>
    level === 'breach' && rate.direction !== direction ? 'hold' : level;
  return {
    spike: settings.spike ? ofOther('spike') : 'clear',
    drop: silent
      ? 'breach'
      : settings.drop
        ? ofOther('drop')
        : settings.silence && level !== 'clear'
          ? 'hold'
          : 'clear',
  };
}

/** What these buckets add up to, as SQL, from the values of each hour. */
function sumOf(value: string, starts: readonly number[], hours: readonly number[]): string {
  const parts = hours.flatMap((hour, n) => {
    const inside = starts.filter((start) => start >= hour && start < hour + 3_600).length;
    return inside > 0 ? `${inside} * ${value}_${n}` : [];
  });
  return parts.join(' + ');
}

/**
 * The score of the detector (`countScore`) over its four windows, for all keys in one query; and keys whose silence, which lasts
 * for a window and less than the next longer one, would be strange enough if it were as long as that.
 */
async function findCandidates({
  store,
  atMs,
  book,
  missing,
}: Parameters<KindEvaluation['findCandidates']>[0]): Promise<Candidates> {
  const to = atMs / 1000;
  const buckets = Array.from({ length: HISTORY_BUCKETS }, (_, n) => to - (HISTORY_BUCKETS - n) * 300);
  const reported = buckets.filter((start) => !missing.has(start));
  if (reported.length === 0) return { keyIds: [], total: 0 };
  const all = book.allSettings('traffic_anomaly');
  const factor = GENEROUS * Math.min(...all.map((one) => one.threshold_factor));
  const minRequests = Math.min(...all.map((one) => one.min_requests));
  const windows = WINDOWS.map(({ buckets, z }) => ({ z: z * factor, name: String(buckets), buckets }));
  const seen = SILENCES.map(
    (count) => `sumIf(b.requests, start >= toDateTime(${reported.slice(-count)[0]}, 'UTC')) AS seen_${count}`,
  );
  const hours = hoursOf(to - HISTORY_BUCKETS * 300, to);
  const ofHours = hours.flatMap((hour, n) =>
    ['usual', 'noise', 'deviation', 'apart'].map(
      (value) => `sumIf(${value}, hour = toDateTime(${hour}, 'UTC')) AS ${value}_${n}`,
    ),
  );
  const sum = (value: string, count: number) => sumOf(value, reported.slice(-count), hours);
  const expected = [
    ...windows.map(({ name, buckets }) => `${sum('deviation', buckets)} AS d_${name}`),
    ...SILENCES.map(
      (name) =>
        `${sum('usual', name)} AS m_${name}, ${sum('noise', name)} AS i_${name}, ${sum('apart', name)} AS f_${name}`,
    ),
  ];
  const scores = windows.flatMap(({ name }) => [
    `greatest(1, (i_${name} + d_${name} * d_${name}) / greatest(m_${name}, 0.05)) AS phi_${name}`,
    `greatest(m_${name}, 0.01) AS mm_${name}`,
    `(1 + 1 / phi_${name}) / 3 AS p_${name}`,
    `sqrt(phi_${name} / mm_${name}) AS s_${name}`,
    `(pow(if(x_${name} > mm_${name}, greatest(mm_${name}, x_${name} - 0.5), least(mm_${name}, x_${name} + 0.5)) / mm_${name}, p_${name}) - 1
       + p_${name} * (1 - p_${name}) * s_${name} * s_${name} / 2) / (p_${name} * s_${name}) AS z_${name}`,
  ]);
  const strange = windows.map(
    ({ name, z }) => `(abs(z_${name}) > ${z} AND greatest(x_${name}, m_${name}) >= ${GENEROUS * minRequests})`,
  );
  const runs = SILENCES.flatMap((name) => [
    `toFloat64(seen_${name}) AS x_${name}`,
    `greatest(1.001, (i_${name} + f_${name} * f_${name}) / greatest(m_${name}, 0.05)) AS run_${name}`,
  ]);
  const silent = SILENCES.map((name, at) => {
    const longer = SILENCES[at + 1] ?? name;
    return `(seen_${name} = 0 AND m_${longer} * log(run_${name}) / (run_${name} - 1) > ${GENEROUS * silenceThreshold(longer)})`;
  });
  const rows = await store.query<{ key_id: string; total: number }>(
    `SELECT key_id, count() OVER () AS total
     FROM (SELECT e.key_id AS key_id, ${SILENCES.map((name) => `seen_${name}`).join(', ')}, ${[...expected, ...runs, ...scores].join(', ')}
           FROM (SELECT key_hash, any(b.key_id) AS key_id, ${ofHours.join(', ')}
                 FROM (SELECT key_id, key_hash, hour, mean * growth AS usual, within * usual AS noise, sqrt(between) * growth AS deviation,
                              growth * sqrt(greatest(0, between - mean / 12)) AS apart
                       FROM alert_baselines FINAL
                       WHERE hour >= toDateTime(${hours[0]}, 'UTC') AND hour < toDateTime(${to}, 'UTC') AND rung != 'caps only') AS b
                 GROUP BY key_hash) AS e
           LEFT JOIN (SELECT key_hash, ${seen.join(', ')} FROM traffic_buckets AS b
                      WHERE start >= toDateTime(${to - HISTORY_BUCKETS * 300}, 'UTC') AND start < toDateTime(${to}, 'UTC')
                      GROUP BY key_hash) AS s ON s.key_hash = e.key_hash)
     WHERE ${[...strange, ...silent].join(' OR ')}
     ORDER BY greatest(m_36, x_36) DESC LIMIT ${MAX_CANDIDATES}`,
    {},
    EVALUATION_SETTINGS,
  );
  return { keyIds: rows.map((row) => row.key_id), total: rows[0]?.total ?? 0 };
}

const chart = (recent: readonly RateBucket[], atMs: number) =>
  chartOf(
    atMs,
    recent.map((one) => one.requests),
    recent.map((one) => (one.baseline.rung === 'caps only' ? null : one.baseline.mean * one.growth)),
  );

function rateEvidence(
  rate: RateVerdict,
  scope: 'spike' | 'drop',
  level: Level,
  recent: readonly RateBucket[],
  atMs: number,
): AlertEvidence {
  const figures = `${countText(rate.value)} requests in ${spanText(rate.windowMinutes)}; ${countText(rate.expected)} were expected from ${rate.baselineSpan}`;
  const times = rate.expected > 0 ? rate.value / rate.expected : 0;
  const lead = {
    spike:
      times >= 2 ? `About ${countText(Math.round(times))} times as many requests as usual` : 'More requests than usual',
    drop: 'Far fewer requests than usual',
  }[scope];
  return {
    summary: `${level === 'clear' ? 'Back to normal' : lead}: ${figures}.`,
    value: rate.value,
    expected: rate.expected,
    unit: 'requests',
    windowMinutes: rate.windowMinutes,
    baseline: rate.baselineSpan,
    statistic: { name: 'standard score', value: rate.z, threshold: thresholdOf(rate.windowMinutes) },
    direction: scope,
    chart: chart(recent, atMs),
  };
}

const thresholdOf = (minutes: number): number =>
  WINDOWS.find(({ buckets }) => buckets * MINUTES_PER_BUCKET === minutes)?.z ?? SINGLE_Z;

function silenceEvidence(silence: SilenceVerdict, recent: readonly RateBucket[], atMs: number): AlertEvidence {
  return {
    summary: `No request for ${spanText(silence.silentMinutes)}; about ${countText(silence.expected)} were expected from ${silence.baselineSpan}.`,
    value: 0,
    expected: silence.expected,
    unit: 'requests',
    windowMinutes: silence.silentMinutes,
    baseline: silence.baselineSpan,
    statistic: { name: '-ln of the chance of such a silence', value: silence.nats, threshold: silence.threshold },
    direction: 'silence',
    chart: chart(recent, atMs),
  };
}
