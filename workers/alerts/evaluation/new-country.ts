import type { Store } from '../../clickhouse/store.ts';
import type { AlertEvidence } from '../alert.ts';
import { judgeNovelty, type NoveltyVerdict, type SeenValues } from '../detectors/novelty.ts';
import type { SettingsOf } from '../rules/settings.ts';
import { EVALUATION_SETTINGS } from './baselines.ts';
import type { KeyHistory } from './key-history.ts';
import { type Candidates, type KindEvaluation, MAX_CANDIDATES } from './kind.ts';
import { countText } from './wording.ts';

type Settings = SettingsOf<'new_country'>;

const DAY_MS = 86_400_000;
/** A country is new for a day; then it belongs to the key, and its alert ends. */
const NEW_MS = DAY_MS;
/** States of countries seen first longer ago than this are not looked for any more. */
const FORGOTTEN_MS = 10 * DAY_MS;
const HISTORY_DAYS = 28;
const MIN_AGE_DAYS = 14;
export const UNKNOWN_COUNTRY = 'ZZ';
const CHUNK = 2_000;

/** Where a key was used from, as far as it matters here. */
export interface SeenCountries {
  requests: number;
  seenOnce: number;
  ageDays: number;
  countries: { country: string; firstSeenMs: number; requests: number }[];
}

/** A country this key was never used from, where that is remarkable. One alert per country. */
export const newCountry: KindEvaluation = {
  kind: 'new_country',
  usesHistory: false,
  scopes: [''],
  fleetGroup: () => '',
  findCandidates,
  addMore,
  judge: ({ keyId, effective, history, atMs }) => {
    const settings = effective.settings as Settings;
    const seen = history.seen;
    if (!seen) return [];
    const recent = seen.countries.filter(({ firstSeenMs }) => firstSeenMs < atMs && firstSeenMs >= atMs - FORGOTTEN_MS);
    const isNew = ({ firstSeenMs }: { firstSeenMs: number }) => firstSeenMs >= atMs - NEW_MS;
    const known = new Set(seen.countries.filter((one) => !isNew(one)).map((one) => one.country));
    const values: SeenValues = { ...seen, known };
    return recent.map((one) => {
      const [verdict] = judgeNovelty(new Map([[one.country, one.requests]]), values, settings.min_requests);
      const unexpected = !settings.expected_countries.includes(one.country);
      const level = isNew(one) && unexpected && verdict?.isAlert ? ('breach' as const) : ('clear' as const);
      const describe = () => evidenceOf(one.country, one.requests, verdict, [...known]);
      const base = { kind: 'new_country' as const, scope: one.country, keyId, severity: 'warning' as const };
      // Its requests are counted from the first one on.
      return { ...base, level, sinceMs: one.firstSeenMs, describe };
    });
  },
};

/** Only keys of which something was seen first lately are looked at in full: a key's other countries are in older rows. */
async function findCandidates({
  store,
  atMs,
  book,
}: Parameters<KindEvaluation['findCandidates']>[0]): Promise<Candidates> {
  const least = Math.min(...book.allSettings('new_country').map((one) => one.min_requests));
  const rows = await store.query<{ key_id: string; total: number }>(
    `SELECT key_id, count() OVER () AS total FROM key_totals AS t
     WHERE key_id IN (
       SELECT key_id FROM key_countries AS c
       WHERE key_id IN (SELECT key_id FROM key_countries AS c WHERE c.first_seen >= fromUnixTimestamp64Milli({since:Int64}))
       GROUP BY key_id, country
       HAVING country != '${UNKNOWN_COUNTRY}' AND sum(c.requests) >= ${least}
          AND min(c.first_seen) >= fromUnixTimestamp64Milli({since:Int64}) AND min(c.first_seen) < fromUnixTimestamp64Milli({at:Int64}))
     GROUP BY key_id HAVING min(t.tracking_since) <= fromUnixTimestamp64Milli({at:Int64}) - INTERVAL ${MIN_AGE_DAYS} DAY
     LIMIT ${MAX_CANDIDATES}`,
    { since: atMs - NEW_MS, at: atMs },
    EVALUATION_SETTINGS,
  );
  return { keyIds: rows.map((row) => row.key_id), total: rows[0]?.total ?? 0 };
}

interface CountryRow {
  key_id: string;
  rows: [country: string, firstSeenMs: number, requests: number][];
}

async function addMore(store: Store, histories: ReadonlyMap<string, KeyHistory>, atMs: number): Promise<void> {
  const keyIds = [...histories.keys()];
  for (let at = 0; at < keyIds.length; at += CHUNK) {
    const params = {
      key_ids: keyIds.slice(at, at + CHUNK),
      at: atMs,
      from: Math.floor((atMs - HISTORY_DAYS * DAY_MS) / 1000),
    };
    const [countries, months] = await Promise.all([
      store.query<CountryRow>(
        `SELECT key_id, groupArray((toString(country), toUnixTimestamp64Milli(first), n)) AS rows FROM (
           SELECT key_id, country, min(c.first_seen) AS first, sum(c.requests) AS n FROM key_countries AS c
           WHERE key_id IN {key_ids:Array(String)} AND country != '${UNKNOWN_COUNTRY}' GROUP BY key_id, country)
         GROUP BY key_id`,
        params,
        EVALUATION_SETTINGS,
      ),
      store.query<{ key_id: string; requests: number; once: number; age_days: number }>(
        `SELECT d.key_id AS key_id, d.requests AS requests, d.once AS once, t.age_days AS age_days
         FROM (SELECT key_id, sum(n) AS requests, countIf(n = 1) AS once FROM (
                 SELECT key_id, country, sum(c.requests) AS n FROM countries_day AS c
                 WHERE key_id IN {key_ids:Array(String)} AND start >= toDateTime({from:Int64}, 'UTC') AND country != '${UNKNOWN_COUNTRY}'
                 GROUP BY key_id, country) GROUP BY key_id) AS d
         INNER JOIN (SELECT key_id, ({at:Int64} - toUnixTimestamp64Milli(min(t.tracking_since))) / 86400000 AS age_days
                     FROM key_totals AS t WHERE key_id IN {key_ids:Array(String)} GROUP BY key_id) AS t ON t.key_id = d.key_id`,
        params,
        EVALUATION_SETTINGS,
      ),
    ]);
    const byKey = new Map(months.map((row) => [row.key_id, row]));
    for (const { key_id, rows } of countries) {
      const month = byKey.get(key_id);
      histories.get(key_id)!.seen = {
        requests: month?.requests ?? 0,
        seenOnce: month?.once ?? 0,
        ageDays: month?.age_days ?? 0,
        countries: rows.map(([country, firstSeenMs, requests]) => ({ country, firstSeenMs, requests })),
      };
    }
  }
}

const SHOWN = 5;

function evidenceOf(
  country: string,
  requests: number,
  verdict: NoveltyVerdict | undefined,
  known: readonly string[],
): AlertEvidence {
  const usual =
    known.length === 0
      ? 'nowhere known'
      : known.slice(0, SHOWN).join(', ') + (known.length > SHOWN ? ` and ${known.length - SHOWN} more` : '');
  return {
    summary: `${countText(requests)} requests from ${country}, where this key was never used before; it is used from ${usual}.`,
    value: requests,
    expected: 0,
    unit: 'requests',
    country,
    ...(verdict && {
      baseline: verdict.baselineSpan,
      statistic: { name: 'chance that a request shows something new', value: verdict.novelty, threshold: 0.001 },
    }),
  };
}
