import type { Store } from '../../clickhouse/store.ts';
import type { AlertEvidence } from '../alert.ts';
import { judgeCountryMix, type Mix, type MixVerdict } from '../detectors/country-mix.ts';
import type { SettingsOf } from '../rules/settings.ts';
import { EVALUATION_SETTINGS } from './baselines.ts';
import { dayOf } from './days.ts';
import type { KeyHistory } from './key-history.ts';
import { type Candidates, type KindEvaluation, MAX_CANDIDATES } from './kind.ts';
import { percentText } from './wording.ts';

type Settings = SettingsOf<'country_mix'>;

const HOUR_MS = 3_600_000;
const HISTORY_DAYS = 28;
const CHUNK = 2_000;

/** Whether the requests of the last hour come from elsewhere than those of 28 days; judged once an hour. */
export const countryMix: KindEvaluation = {
  kind: 'country_mix',
  usesHistory: false,
  scopes: [''],
  fleetGroup: () => '',
  everyMs: HOUR_MS,
  findCandidates,
  addMore,
  judge: ({ keyId, effective, history }) => {
    const { min_distance, min_requests } = effective.settings as Settings;
    const { now, usual } = history.mixes ?? { now: new Map(), usual: new Map() };
    const verdict = judgeCountryMix(now, usual, `the last ${HISTORY_DAYS} days`, {
      minDistance: min_distance,
      minRequests: min_requests,
    });
    const severity = 'warning' as const;
    return [
      {
        kind: 'country_mix',
        scope: '',
        keyId,
        level: verdict.level,
        severity,
        describe: () => evidenceOf(verdict, min_distance),
      },
    ];
  },
};

export interface Mixes {
  now: Mix;
  usual: Mix;
}

/**
 * Keys whose two mixes differ as far as is needed by what countries have more than their usual share (total variation): the
 * Jensen-Shannon divergence in bits is never larger than that, so nothing is missed. Repeated rows of a day have the same share.
 */
async function findCandidates({
  store,
  atMs,
  book,
}: Parameters<KindEvaluation['findCandidates']>[0]): Promise<Candidates> {
  const to = atMs / 1000;
  const all = book.allSettings('country_mix');
  const least = Math.min(...all.map((one) => one.min_requests));
  const distance = Math.min(...all.map((one) => one.min_distance));
  const rows = await store.query<{ key_id: string; total: number }>(
    `SELECT key_id, count() OVER () AS total FROM (
       SELECT key_id
       FROM (SELECT key_id, country, sum(now) AS a, max(usual) AS share, max(n) AS m
             FROM (SELECT key_id, country, toFloat64(c.requests) AS now, toFloat32(0) AS usual, 0 AS n FROM country_hours AS c WHERE start = toDateTime(${to - 3_600}, 'UTC')
                   UNION ALL
                   SELECT key_id, country, 0, share, requests AS n FROM alert_day_countries WHERE day = toDateTime(${dayOf(to - 3_600)}, 'UTC'))
             GROUP BY key_id, country)
       GROUP BY key_id
       HAVING sum(a) >= ${least} AND sum(m) >= ${least}
          AND arraySum((seen, usual) -> greatest(0, seen / sum(a) - usual), groupArray(a), groupArray(share)) > ${0.98 * distance * distance})
     LIMIT ${MAX_CANDIDATES}`,
    {},
    EVALUATION_SETTINGS,
  );
  return { keyIds: rows.map((row) => row.key_id), total: rows[0]?.total ?? 0 };
}

async function addMore(store: Store, histories: ReadonlyMap<string, KeyHistory>, atMs: number): Promise<void> {
  const to = atMs / 1000;
  const keyIds = [...histories.keys()];
  for (let at = 0; at < keyIds.length; at += CHUNK) {
    const rows = await store.query<{ key_id: string; country: string; a: number; b: number }>(
      `SELECT key_id, country, sum(now) AS a, sum(usual) AS b
       FROM (SELECT key_id, country, c.requests AS now, 0 AS usual FROM country_hours AS c
             WHERE start = toDateTime(${to - 3_600}, 'UTC') AND key_id IN {key_ids:Array(String)}
             UNION ALL
             SELECT key_id, country, 0, c.requests FROM alert_day_countries AS c FINAL
             WHERE day = toDateTime(${dayOf(to - 3_600)}, 'UTC') AND key_id IN {key_ids:Array(String)})
       GROUP BY key_id, country`,
      { key_ids: keyIds.slice(at, at + CHUNK) },
      EVALUATION_SETTINGS,
    );
    for (const { key_id, country, a, b } of rows) {
      const history = histories.get(key_id)!;
      history.mixes ??= { now: new Map<string, number>(), usual: new Map<string, number>() };
      if (a > 0) (history.mixes.now as Map<string, number>).set(country, a);
      if (b > 0) (history.mixes.usual as Map<string, number>).set(country, b);
    }
  }
}

function evidenceOf(verdict: MixVerdict, minDistance: number): AlertEvidence {
  const { level, distance, requests, gained, baselineSpan } = verdict;
  const [most] = gained;
  const lead =
    level === 'clear'
      ? 'Back to normal: requests come from where they usually do'
      : 'Requests come from elsewhere than usual';
  const detail = most
    ? `: ${percentText(most.share)} from ${most.value}, which is usually ${percentText(most.usualShare)}`
    : '';
  return {
    summary: `${lead}${level === 'clear' ? '' : detail} (${requests.toLocaleString('en')} requests in the last hour).`,
    value: requests,
    unit: 'requests',
    windowMinutes: 60,
    baseline: baselineSpan,
    statistic: { name: 'Jensen-Shannon distance', value: distance, threshold: minDistance },
    contributions: gained.map(({ value, share, usualShare }) => ({
      dimension: 'country' as const,
      value,
      requests: Math.round(share * requests),
      share,
      usualShare,
    })),
  };
}
