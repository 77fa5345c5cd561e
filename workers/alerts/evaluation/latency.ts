import type { AlertEvidence } from '../alert.ts';
import { judgeLatency, type LatencyBucket, type LatencyVerdict, latencyBaseline } from '../detectors/latency.ts';
import type { SettingsOf } from '../rules/settings.ts';
import { EVALUATION_SETTINGS } from './baselines.ts';
import { addLatencies } from './key-history.ts';
import { type Candidates, type KindEvaluation, MAX_CANDIDATES } from './kind.ts';
import { chartOf, countText } from './wording.ts';

type Settings = SettingsOf<'latency'>;

const OF_LAST = 3;

/** p95 against the same hour of earlier weeks. */
export const latency: KindEvaluation = {
  kind: 'latency',
  usesHistory: true,
  scopes: [''],
  fleetGroup: () => 'latency',
  findCandidates,
  addMore: addLatencies,
  judge: ({ keyId, effective, history, atMs }) => {
    const settings = effective.settings as Settings;
    const samples = history.baselines.at(-1)?.p95sMs ?? [];
    const recent = history.latencies ?? [];
    const verdict = judgeLatency(recent, latencyBaseline(samples, `this hour in the last ${samples.length} weeks`), {
      timesSlower: settings.times_slower,
      minRequests: settings.min_requests,
    });
    const severity = 'warning' as const;
    return [
      {
        kind: 'latency',
        scope: '',
        keyId,
        level: verdict.level,
        severity,
        describe: () => evidenceOf(verdict, recent, atMs),
      },
    ];
  },
};

/** Keys whose newest bucket is slow beside their median; the spread and the buckets before are the detector's matter. */
async function findCandidates({
  store,
  atMs,
  book,
}: Parameters<KindEvaluation['findCandidates']>[0]): Promise<Candidates> {
  const to = atMs / 1000;
  const all = book.allSettings('latency');
  const slower = Math.min(...all.map((one) => one.times_slower));
  const least = Math.min(...all.map((one) => one.min_requests));
  const hour = to - 300 - ((to - 300) % 3_600);
  const rows = await store.query<{ key_id: string; total: number }>(
    `SELECT h.key_id AS key_id, count() OVER () AS total
     FROM (SELECT key_hash, sum(b.timed) AS n, quantileDDMerge(0.01, 0.95)(latency) AS p95 FROM traffic_buckets AS b
                 PREWHERE start = toDateTime(${to - 300}, 'UTC') AND key_hash IN (
                   SELECT key_hash FROM traffic_buckets AS b WHERE start = toDateTime(${to - 300}, 'UTC') GROUP BY key_hash HAVING sum(b.timed) >= ${least})
                 GROUP BY key_hash) AS s
     INNER JOIN (SELECT key_id, key_hash, usual_p95_ms FROM alert_baselines FINAL WHERE hour = toDateTime(${hour}, 'UTC') AND usual_p95_ms > 0) AS h
       ON h.key_hash = s.key_hash
     WHERE s.p95 > ${0.98 * slower} * h.usual_p95_ms ORDER BY n DESC LIMIT ${MAX_CANDIDATES}`,
    {},
    EVALUATION_SETTINGS,
  );
  return { keyIds: rows.map((row) => row.key_id), total: rows[0]?.total ?? 0 };
}

const shown = (ms: number) => (ms >= 1_000 ? `${(ms / 1_000).toFixed(1)} s` : `${countText(ms)} ms`);

function evidenceOf(verdict: LatencyVerdict, recent: readonly LatencyBucket[], atMs: number): AlertEvidence {
  const { level, p95Ms, expectedMs, ratio, robustZ, baselineSpan } = verdict;
  const lead = level === 'clear' ? 'Back to normal' : 'Answers have become slow';
  return {
    summary: `${lead}: 95 % of requests took up to ${shown(p95Ms)}; ${shown(expectedMs)} is usual at this hour (${ratio.toFixed(1)} times).`,
    value: p95Ms,
    expected: expectedMs,
    unit: 'ms',
    windowMinutes: OF_LAST * 5,
    baseline: baselineSpan,
    statistic: { name: 'robust z of the logarithm', value: robustZ, threshold: 4 },
    chart: chartOf(
      atMs,
      recent.map((one) => one.p95Ms),
      recent.map(() => expectedMs),
    ),
  };
}
