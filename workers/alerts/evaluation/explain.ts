import type { Store } from '../../clickhouse/store.ts';
import type { AlertEvent, Contribution } from '../alert.ts';
import { EVALUATION_SETTINGS } from './baselines.ts';

/** Alerts of one kind and window that are explained by traffic; with more at once, people look at the whole platform first. */
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

/** Adds to alerts that are told what in the traffic explains them most. What is usual is read once for all that ask the same. */
export async function explain(store: Store, events: AlertEvent[]): Promise<AlertEvent[]> {
  const told = events.filter(
    ({ notify, key_id, evidence }) =>
      notify !== '' &&
      notify !== 'resolved' &&
      key_id !== '' &&
      evidence.direction !== 'silence' &&
      !evidence.contributions,
  );
  const explained = grouped(told, ({ kind }) => kind).flatMap((its) => its.slice(0, MAX_EXPLAINED));
  for (const its of grouped(explained, usualOf)) await explainGroup(store, its);
  return events;
}

function grouped(events: readonly AlertEvent[], groupOf: (event: AlertEvent) => string): AlertEvent[][] {
  const groups = new Map<string, AlertEvent[]>();
  for (const event of events) groups.set(groupOf(event), [...(groups.get(groupOf(event)) ?? []), event]);
  return [...groups.values()];
}

/** Alerts with the same answer are compared with the same usual requests. */
const usualOf = ({ kind, scope }: AlertEvent): string => (kind === 'error_rate' ? scope : '');

interface Part {
  dimension: Contribution['dimension'];
  value: string;
  requests: number;
}

type KeyPart = Part & { key_id: string };

/** Requests that the alert speaks of, as SQL: those that failed, or came from the new country. */
function conditionOf({ kind, scope }: AlertEvent): string {
  if (kind === 'error_rate') return FAILING[scope] ?? '1';
  return kind === 'new_country'
    ? "country = transform(key_id, {key_ids:Array(String)}, {scopes:Array(String)}, '')"
    : '1';
}

async function explainGroup(store: Store, events: readonly AlertEvent[]): Promise<void> {
  const before = await readUsual(store, events);
  // A key is asked about once per query: what is asked of it is looked up by its id.
  const seen = new Map<string, number>();
  const nth = ({ key_id }: AlertEvent) => {
    seen.set(key_id, (seen.get(key_id) ?? 0) + 1);
    return seen.get(key_id);
  };
  const rounds = new Map(events.map((event) => [event, nth(event)]));
  for (const its of grouped(events, (event) => `${conditionOf(event)} ${rounds.get(event)}`)) {
    const now = await readNow(store, its);
    for (const event of its) {
      const ofKey = (parts: readonly KeyPart[]) => parts.filter((part) => part.key_id === event.key_id);
      const contributions = strongest(ofKey(now), ofKey(before), event.evidence.direction === 'drop');
      if (contributions.length > 0) event.evidence = { ...event.evidence, contributions };
    }
  }
}

const startOf = ({ at, evidence }: AlertEvent): number =>
  Math.floor(Date.parse(at) / 1000) - (evidence.windowMinutes ?? 60) * 60;

function readNow(store: Store, events: readonly AlertEvent[]): Promise<KeyPart[]> {
  const froms = events.map(startOf);
  return store.query<KeyPart>(
    nowSql(conditionOf(events[0]!)),
    {
      key_ids: events.map((event) => event.key_id),
      scopes: events.map((event) => event.scope),
      froms,
      from: Math.min(...froms),
      to: Math.floor(Date.parse(events[0]!.at) / 1000),
    },
    EVALUATION_SETTINGS,
  );
}

function readUsual(store: Store, events: readonly AlertEvent[]): Promise<KeyPart[]> {
  const { kind, scope } = events[0]!;
  const from = Math.min(...events.map(startOf));
  const key_ids = [...new Set(events.map((event) => event.key_id))];
  return store.query<KeyPart>(
    historySql(scope, kind === 'error_rate' ? (FAILING[scope] ?? '1') : '1'),
    { key_ids, from, since: from - HISTORY_DAYS * 86_400 },
    EVALUATION_SETTINGS,
  );
}

/** Pure: shares now beside usual shares, those that changed most first. */
function strongest(now: readonly Part[], before: readonly Part[], missing = false): Contribution[] {
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
         WHERE key_id IN {key_ids:Array(String)} AND timestamp >= toDateTime64({from:Int64}, 3, 'UTC') AND timestamp < toDateTime64({to:Int64}, 3, 'UTC')
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
