import type { AlertEvidence } from '../alert.ts';
import { judgeRequestRate, type RateBucket, type RateVerdict, SINGLE_Z } from '../detectors/request-rate.ts';
import { judgeSilence, type SilenceVerdict } from '../detectors/silence.ts';
import type { SettingsOf } from '../rules/settings.ts';
import type { Level } from '../state.ts';
import { EVALUATION_SETTINGS } from './baselines.ts';
import { HISTORY_BUCKETS, rateBuckets, reportedBuckets } from './key-history.ts';
import type { Candidates, KindEvaluation } from './kind.ts';
import { trafficCandidatesSql, WINDOWS } from './traffic-candidates-sql.ts';
import { chartOf, countText, spanText } from './wording.ts';

type Settings = SettingsOf<'traffic_anomaly'>;

const MINUTES_PER_BUCKET = 5;
const BUCKET_SECONDS = MINUTES_PER_BUCKET * 60;
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
function levelsOf(rate: RateVerdict, silent: boolean, settings: Settings): { spike: Level; drop: Level } {
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

async function findCandidates({
  store,
  atMs,
  book,
  missing,
}: Parameters<KindEvaluation['findCandidates']>[0]): Promise<Candidates> {
  const to = atMs / 1000;
  const from = to - HISTORY_BUCKETS * BUCKET_SECONDS;
  const buckets = Array.from({ length: HISTORY_BUCKETS }, (_, n) => from + n * BUCKET_SECONDS);
  const reported = buckets.filter((start) => !missing.has(start));
  if (reported.length === 0) return { keyIds: [], total: 0 };
  const all = book.allSettings('traffic_anomaly');
  const sql = trafficCandidatesSql(
    { from, to, reported },
    {
      factor: Math.min(...all.map((one) => one.threshold_factor)),
      minRequests: Math.min(...all.map((one) => one.min_requests)),
    },
  );
  const rows = await store.query<{ key_id: string; total: number }>(sql, {}, EVALUATION_SETTINGS);
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
