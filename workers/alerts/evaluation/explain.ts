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

/** Adds to alerts that are told what in the traffic explains them most: two queries for all of one kind and scope. */
export async function explain(store: Store, events: AlertEvent[]): Promise<AlertEvent[]> {
  const told = events.filter(
    ({ notify, key_id, evidence }) =>
      notify !== '' &&
      notify !== 'resolved' &&
      key_id !== '' &&
      evidence.direction !== 'silence' &&
      !evidence.contributions,
  );
  const groups = new Map<string, AlertEvent[]>();
  for (const event of told.slice(0, MAX_EXPLAINED)) {
    const group = `${event.kind} ${event.scope}`;
    groups.set(group, [...(groups.get(group) ?? []), event]);
  }
  for (const group of groups.values()) await explainGroup(store, group);
  return events;
}

interface Part {
  dimension: Contribution['dimension'];
  value: string;
  requests: number;
}

type KeyPart = Part & { key_id: string };

/** Requests that the alert speaks of, as SQL: those that failed, or came from the new country. */
function conditionOf(kind: AlertEvent['kind'], scope: string): string {
  if (kind === 'error_rate') return FAILING[scope] ?? '1';
  return kind === 'new_country' ? 'country = {scope:String}' : '1';
}

async function explainGroup(store: Store, events: readonly AlertEvent[]): Promise<void> {
  const { kind, scope, at } = events[0]!;
  const condition = conditionOf(kind, scope);
  const to = Math.floor(Date.parse(at) / 1000);
  const froms = events.map(({ evidence }) => to - (evidence.windowMinutes ?? 60) * 60);
  const from = Math.min(...froms);
  const key_ids = events.map((event) => event.key_id);
  const params = { key_ids, froms, from, to, since: from - HISTORY_DAYS * 86_400, scope };
  const [now, before] = await Promise.all([
    store.query<KeyPart>(nowSql(condition), params, EVALUATION_SETTINGS),
    store.query<KeyPart>(historySql(scope, kind === 'error_rate' ? condition : '1'), params, EVALUATION_SETTINGS),
  ]);
  for (const event of events) {
    const its = (parts: readonly KeyPart[]) => parts.filter((part) => part.key_id === event.key_id);
    const contributions = strongest(its(now), its(before), event.evidence.direction === 'drop');
    if (contributions.length > 0) event.evidence = { ...event.evidence, contributions };
  }
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

const PARTS_PER_KEY = 200;

const nowSql = (condition: string) =>
  `SELECT key_id, dimension, value, count() AS requests
   FROM (SELECT key_id, tupleElement(one, 1) AS dimension, tupleElement(one, 2) AS value
         FROM requests
         ARRAY JOIN [('endpoint', concat(method, ' ', route)), ('country', toString(country)), ('status', toString(status))] AS one
         WHERE key_id IN {key_ids:Array(String)} AND timestamp >= toDateTime({from:Int64}, 'UTC') AND timestamp < toDateTime({to:Int64}, 'UTC')
           AND toUnixTimestamp(timestamp) >= transform(key_id, {key_ids:Array(String)}, {froms:Array(UInt32)}, toUInt32(0)) AND ${condition})
   GROUP BY key_id, dimension, value ORDER BY requests DESC, value LIMIT ${PARTS_PER_KEY} BY key_id`;

const historySql = (scope: string, condition: string) => {
  const column = { server_errors: 'server_errors', client_errors: 'client_errors' }[scope] ?? 'requests';
  const span = `key_id IN {key_ids:Array(String)} AND start >= toDateTime({since:Int64}, 'UTC') AND start < toDateTime({from:Int64}, 'UTC')`;
  return `SELECT * FROM (
      SELECT key_id, 'endpoint' AS dimension, concat(method, ' ', route) AS value, sum(t.${column}) AS requests FROM endpoints_day AS t WHERE ${span} GROUP BY key_id, value
      UNION ALL SELECT key_id, 'country', toString(country) AS value, sum(t.${column}) FROM countries_day AS t WHERE ${span} GROUP BY key_id, value
      UNION ALL SELECT key_id, 'status', toString(status) AS value, sum(t.requests) FROM statuses_day AS t WHERE ${span} AND ${condition} GROUP BY key_id, value)
    WHERE requests > 0 ORDER BY requests DESC LIMIT ${PARTS_PER_KEY * 2} BY key_id`;
};
