import type { Store } from '../../clickhouse/store.ts';
import type { AlertEvent, Contribution } from '../alert.ts';
import { EVALUATION_SETTINGS } from './baselines.ts';

/** Alerts of one window that are explained by traffic; with more at once, people look at the whole platform first. */
const MAX_EXPLAINED = 40;
const SHOWN = 5;
const HISTORY_DAYS = 28;

/** Statuses that an error alert speaks of, as SQL over `status`. */
const FAILING: Record<string, string> = {
  server_errors: 'status >= 500',
  client_errors: 'status >= 400 AND status < 500 AND status NOT IN (401, 403, 429)',
  refused: 'status IN (401, 403)',
  rate_limited: 'status = 429',
};

/** Adds to alerts that are told what in the traffic explains them most. */
export async function explain(store: Store, events: AlertEvent[]): Promise<AlertEvent[]> {
  let explained = 0;
  for (const event of events) {
    if (event.notify === '' || event.notify === 'resolved' || event.key_id === '') continue;
    if (event.evidence.direction === 'silence' || explained++ >= MAX_EXPLAINED) continue;
    const contributions = await contributionsOf(store, event);
    if (contributions.length > 0) event.evidence = { ...event.evidence, contributions };
  }
  return events;
}

interface Part {
  dimension: Contribution['dimension'];
  value: string;
  requests: number;
}

async function contributionsOf(store: Store, event: AlertEvent): Promise<Contribution[]> {
  const to = Math.floor(Date.parse(event.at) / 1000);
  const from = to - (event.evidence.windowMinutes ?? 60) * 60;
  const condition = event.kind === 'error_rate' ? (FAILING[event.scope] ?? '1') : '1';
  const params = { key_id: event.key_id, from, to, since: from - HISTORY_DAYS * 86_400 };
  const [now, before] = await Promise.all([
    store.query<Part>(nowSql(condition), params, EVALUATION_SETTINGS),
    store.query<Part>(historySql(event.scope, condition), params, EVALUATION_SETTINGS),
  ]);
  return strongest(now, before, event.evidence.direction === 'drop');
}

/** Pure: shares now beside usual shares, those that changed most first. */
export function strongest(now: readonly Part[], before: readonly Part[], missing = false): Contribution[] {
  const totals = (parts: readonly Part[]) => {
    const sums = new Map<string, number>();
    for (const { dimension, requests } of parts) sums.set(dimension, (sums.get(dimension) ?? 0) + requests);
    return sums;
  };
  const [totalNow, totalBefore] = [totals(now), totals(before)];
  const usual = new Map(before.map((part) => [`${part.dimension} ${part.value}`, part.requests]));
  const all = now.map(({ dimension, value, requests }): Contribution => {
    const history = totalBefore.get(dimension) ?? 0;
    return {
      dimension,
      value,
      requests,
      share: requests / totalNow.get(dimension)!,
      usualShare: history > 0 ? (usual.get(`${dimension} ${value}`) ?? 0) / history : null,
    };
  });
  const gain = ({ share, usualShare }: Contribution) => (missing ? -1 : 1) * (share - (usualShare ?? 0));
  return all.sort((a, b) => gain(b) - gain(a) || b.requests - a.requests).slice(0, SHOWN);
}

const nowSql = (condition: string) =>
  `SELECT dimension, value, count() AS requests
   FROM (SELECT tupleElement(one, 1) AS dimension, tupleElement(one, 2) AS value
         FROM requests
         ARRAY JOIN [('endpoint', concat(method, ' ', route)), ('country', toString(country)), ('status', toString(status))] AS one
         WHERE key_id = {key_id:String} AND timestamp >= toDateTime({from:Int64}, 'UTC') AND timestamp < toDateTime({to:Int64}, 'UTC')
           AND ${condition})
   GROUP BY dimension, value ORDER BY requests DESC, value LIMIT 200`;

const historySql = (scope: string, condition: string) => {
  const column = { server_errors: 'server_errors', client_errors: 'client_errors' }[scope] ?? 'requests';
  const span = `key_id = {key_id:String} AND start >= toDateTime({since:Int64}, 'UTC') AND start < toDateTime({from:Int64}, 'UTC')`;
  return `SELECT * FROM (
      SELECT 'endpoint' AS dimension, concat(method, ' ', route) AS value, sum(t.${column}) AS requests FROM endpoints_day AS t WHERE ${span} GROUP BY value
      UNION ALL SELECT 'country', toString(country) AS value, sum(t.${column}) FROM countries_day AS t WHERE ${span} GROUP BY value
      UNION ALL SELECT 'status', toString(status) AS value, sum(t.requests) FROM statuses_day AS t WHERE ${span} AND ${condition} GROUP BY value)
    WHERE requests > 0 ORDER BY requests DESC LIMIT 1000`;
};
