import type { AlertEvidence } from '../alert.ts';
import { type ErrorVerdict, judgeErrorRatio, usualErrorRatio } from '../detectors/error-ratio.ts';
import type { RuleBook } from '../rules/rule.ts';
import { ERROR_SCOPES, type ErrorScope, type SettingsOf } from '../rules/settings.ts';
import type { Severity } from '../state.ts';
import { EVALUATION_SETTINGS } from './baselines.ts';
import { keyIdsOf, NO_COUNTS } from './key-history.ts';
import { type Candidates, type KindEvaluation, MAX_CANDIDATES } from './kind.ts';
import { chartOf, percentText } from './wording.ts';

/** Buckets of the error ratio's longest window. */
const HOUR_BUCKETS = 12;
const WINDOWS = [1, 3, 6, HOUR_BUCKETS];
const HISTORY = 'the last 28 days';

type Settings = SettingsOf<'error_rate'>;

/** 5xx, 4xx, 401 with 403, and 429, each against its usual share. */
export const errorRate: KindEvaluation = {
  kind: 'error_rate',
  usesHistory: true,
  scopes: ERROR_SCOPES,
  fleetGroup: (scope) => scope,
  findCandidates,
  judge: ({ keyId, effective, history, atMs }) =>
    ERROR_SCOPES.map((scope) => {
      const settings = effective.settings as Settings;
      const usual = history.baselines.findLast((one) => one !== undefined)?.usual ?? NO_COUNTS;
      const recent = history.buckets
        .slice(-HOUR_BUCKETS)
        .map((bucket) => ({ requests: bucket.requests, errors: bucket[scope] }));
      const verdict = judgeErrorRatio(recent, usualErrorRatio(usual[scope], usual.requests), HISTORY, {
        minRatio: scope === 'server_errors' ? settings.min_ratio : settings.min_client_ratio,
        timesUsual: settings.times_usual,
        minErrors: settings.min_errors,
      });
      return {
        kind: 'error_rate',
        scope,
        keyId,
        level: settings.scopes.includes(scope) ? verdict.level : 'clear',
        isUnwanted: !settings.scopes.includes(scope),
        severity: severityOf(scope, verdict, settings),
        describe: () => evidenceOf(scope, verdict, recent, atMs),
      };
    }),
};

function severityOf(scope: ErrorScope, verdict: ErrorVerdict, settings: Settings): Severity {
  if (scope !== 'server_errors') return 'warning';
  return verdict.lowerBound >= settings.critical_ratio ? 'critical' : 'warning';
}

/** The bound of a ratio lies below the ratio: what is filtered here could not have been a breach. */
async function findCandidates({
  store,
  atMs,
  book,
}: Parameters<KindEvaluation['findCandidates']>[0]): Promise<Candidates> {
  const to = atMs / 1000;
  const loosest = loosestOf(book);
  const column = (scope: ErrorScope | 'requests', buckets: number) => `${scope}_${buckets}`;
  const sums = ['requests' as const, ...ERROR_SCOPES].flatMap((name) =>
    WINDOWS.map(
      (buckets) => `sumIf(b.${name}, start >= toDateTime(${to - buckets * 300}, 'UTC')) AS ${column(name, buckets)}`,
    ),
  );
  const any = ERROR_SCOPES.map((scope) => `${column(scope, HOUR_BUCKETS)} >= ${loosest.min_errors}`).join(' OR ');
  const above = ERROR_SCOPES.flatMap((scope) => {
    const floor = scope === 'server_errors' ? loosest.min_ratio : loosest.min_client_ratio;
    return WINDOWS.map((buckets) => {
      const [errors, requests] = [column(scope, buckets), column('requests', buckets)];
      const usual = `least(0.9, ${loosest.times_usual} * (h.${scope}_28d + 1) / (h.requests_28d + 50))`;
      return `(${errors} >= ${loosest.min_errors} AND ${errors} > greatest(${floor}, ${usual}) * ${requests})`;
    });
  });
  const rows = await store.query<{ key_id: string; hash: string; total: number }>(
    `SELECT h.key_id AS key_id, toString(s.key_hash) AS hash, count() OVER () AS total
     FROM (SELECT key_hash, ${sums.join(', ')} FROM traffic_buckets AS b
           WHERE start >= toDateTime(${to - HOUR_BUCKETS * 300}, 'UTC') AND start < toDateTime(${to}, 'UTC')
           GROUP BY key_hash HAVING ${any}) AS s
     LEFT JOIN (SELECT key_id, key_hash, requests_28d, ${ERROR_SCOPES.map((scope) => `${scope}_28d`).join(', ')} FROM alert_baselines FINAL
                WHERE hour = toDateTime(${to - 300 - ((to - 300) % 3_600)}, 'UTC')) AS h ON h.key_hash = s.key_hash
     WHERE ${above.join(' OR ')}
     ORDER BY server_errors_12 DESC, requests_12 DESC LIMIT ${MAX_CANDIDATES}`,
    {},
    EVALUATION_SETTINGS,
  );
  const known = rows.filter((row) => row.key_id !== '').map((row) => row.key_id);
  // Keys younger than the baselines of the hour.
  const young = await keyIdsOf(
    store,
    rows.filter((row) => row.key_id === '').map((row) => row.hash),
    to - HOUR_BUCKETS * 300,
    to,
  );
  return { keyIds: [...known, ...young], total: rows[0]?.total ?? 0 };
}

function loosestOf(book: RuleBook): Pick<Settings, 'min_errors' | 'min_ratio' | 'min_client_ratio' | 'times_usual'> {
  const all = book.allSettings('error_rate');
  const least = (name: 'min_errors' | 'min_ratio' | 'min_client_ratio' | 'times_usual') =>
    Math.min(...all.map((settings) => settings[name]));
  return {
    min_errors: least('min_errors'),
    min_ratio: least('min_ratio'),
    min_client_ratio: least('min_client_ratio'),
    times_usual: least('times_usual'),
  };
}

const ERROR_WORDS: Record<ErrorScope, string> = {
  server_errors: 'failed with a server error (5xx)',
  client_errors: 'were answered with a client error (4xx)',
  refused: 'were refused (401 or 403)',
  rate_limited: 'were rate limited (429)',
};

function evidenceOf(
  scope: ErrorScope,
  verdict: ErrorVerdict,
  recent: readonly { requests: number; errors: number }[],
  atMs: number,
): AlertEvidence {
  const { windowMinutes, ratio, usualRatio, errors, requests } = verdict;
  const window = `in the last ${windowMinutes} minutes`;
  const summary =
    verdict.level === 'clear'
      ? `Back to normal: ${percentText(ratio)} of requests ${ERROR_WORDS[scope]} ${window}, ${percentText(usualRatio)} is usual.`
      : `${percentText(ratio)} of requests ${ERROR_WORDS[scope]} ${window} (${errors} of ${requests}); ${percentText(usualRatio)} is usual.`;
  return {
    summary,
    value: ratio,
    expected: usualRatio,
    unit: 'ratio',
    windowMinutes,
    baseline: verdict.baselineSpan,
    statistic: { name: 'lower bound of the share', value: verdict.lowerBound, threshold: verdict.threshold },
    chart: chartOf(
      atMs,
      recent.map((one) => (one.requests > 0 ? one.errors / one.requests : 0)),
      recent.map(() => usualRatio),
    ),
  };
}
