import type { QueryParams, Store } from '../clickhouse/store.ts';
import {
  ALERT_LOOK_BACK_MS,
  areAlertsJudged,
  EXPLAINING,
  EXPLAINS_ERRORS,
  EXPLAINS_REQUESTS,
  explains,
  readPlatformAlerts,
} from './platform-part.ts';
import type { Policy, PolicyKind } from './policy.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const DEFAULT_WINDOW_MINUTES = 15;
const DEFAULT_MIN_REQUESTS = 100;

/** A key that a policy means, and the facts that say why. */
export interface Candidate {
  key_id: string;
  organization_id: string;
  name: string;
  version: number;
  /** All keys that match, also those beyond the limit. */
  matched: number;
  /** Epoch milliseconds, 0 = never. */
  last_used_ms: number;
  tracked_ms: number;
  requests: number;
  client_errors: number;
  limit_per_minute: number | null;
  /** When the oldest open alert of its behaviour opened, 0 = none. */
  anomaly_ms: number;
  anomaly_kind: string;
  expires_at: string | null;
  leaked_at: string | null;
}

/** Each kind: rows joined to the key as `u`, and the condition. All give the columns of {@link Candidate}. */
const KINDS: Record<PolicyKind, { use: string; condition: string }> = {
  expired: { use: NO_USE(), condition: 'expires_at <= fromUnixTimestamp64Milli({now:Int64})' },
  leaked: { use: NO_USE(), condition: 'leaked_at IS NOT NULL' },
  // Silence proves something only while somebody listened: the time counts from the last use, from when Keytally
  // first knew the key, and from when somebody last activated it, whichever is latest.
  unused: {
    use: `SELECT key_id, sum(requests) AS requests, 0 AS client_errors, 0 AS anomaly_ms, '' AS anomaly_kind,
            toUnixTimestamp64Milli(tupleElement(max(last_used), 'at')) AS last_ms,
            toUnixTimestamp64Milli(min(tracking_since)) AS since_ms
          FROM key_totals GROUP BY key_id`,
    condition: `if(last_used_ms > 0,
        {unused_before:Int64} > 0 AND greatest(last_used_ms, tracked_ms, activated_ms) <= {unused_before:Int64},
        {never_used_before:Int64} > 0 AND greatest(tracked_ms, activated_ms) <= {never_used_before:Int64})`,
  },
  abusive: {
    use: `SELECT key_id, sum(requests) AS requests, sum(client_errors) AS client_errors, max(opened_ms) AS anomaly_ms,
            argMax(kind, opened_ms) AS anomaly_kind, 0 AS last_ms, 0 AS since_ms
          FROM (
            SELECT key_id, requests, client_errors, 0 AS opened_ms, '' AS kind FROM usage_minute
            WHERE start >= toDateTime({window_from:Int64}, 'UTC') AND start < toDateTime({window_to:Int64}, 'UTC')
            UNION ALL ${OPEN_ANOMALIES()})
          GROUP BY key_id`,
    // What a key did before somebody activated it is judged already, and what was refused meanwhile is our own doing: a window counts that began
    // after the activation, and an alert that opened after it.
    condition: `(requests >= {min_requests:UInt64} AND activated_ms <= {window_from:Int64} * 1000 AND (
        ({client_error_rate:Float64} > 0 AND client_errors >= {client_error_rate:Float64} * requests)
        OR ({limit_factor:Float64} > 0 AND limit_per_minute > 0
            AND requests >= {limit_factor:Float64} * limit_per_minute * {window_minutes:UInt32})))
      OR anomaly_ms > activated_ms`,
  },
};

function NO_USE(): string {
  return `SELECT '' AS key_id, 0 AS requests, 0 AS client_errors, 0 AS anomaly_ms, '' AS anomaly_kind, 0 AS last_ms,
    0 AS since_ms WHERE 0`;
}

/**
 * Alerts of what the key itself does (far more traffic, traffic from elsewhere, refused or wrong requests) that have been open for
 * the policy's time. One that a person acknowledged is in hands, also when that was longer ago than is looked back: judged rows carry it. One whose like is
 * open for the whole platform is not the key's doing, also when it was told before the platform's was; afterwards its time begins anew.
 */
function OPEN_ANOMALIES(): string {
  const judged = (column: string) => `argMaxIf(${column}, (at, recorded_at), transition != 'acknowledged')`;
  return `
    SELECT key_id, 0, 0, opened_ms, kind
    FROM (
      SELECT key_id, kind, any(scope) AS of_scope, ${judged('phase')} AS last_phase, ${judged('withheld')} AS last_withheld,
             ${judged('alert_id')} AS opening, ${judged('state')} AS last_state,
             toInt64(JSONExtractFloat(last_state, 'openedAtMs')) AS opened_ms,
             groupUniqArrayIf(alert_id, transition = 'acknowledged') AS acknowledged,
             trim(concat(kind, ' ', if(kind = 'country_mix', '', of_scope))) AS platform_name
      FROM alert_events
      WHERE {anomaly_minutes:UInt32} > 0 AND at >= fromUnixTimestamp64Milli({now:Int64} - ${ALERT_LOOK_BACK_MS}) AND key_id != ''
        AND ((kind = 'traffic_anomaly' AND scope = 'spike') OR kind = 'country_mix'
             OR (kind = 'error_rate' AND scope IN ('client_errors', 'refused', 'rate_limited')))
      GROUP BY alert_key, kind, key_id)
    WHERE last_phase IN ('firing', 'recovering') AND last_withheld != 'inhibited'
      AND NOT has(acknowledged, opening) AND JSONExtractRaw(last_state, 'acknowledged') IN ('', 'null')
      AND NOT has({open_platform:Array(String)}, platform_name)
      AND opened_ms > 0 AND greatest(opened_ms, transform(platform_name, {platform:Array(String)}, {platform_ended:Array(Int64)}, toInt64(0)))
        <= {now:Int64} - {anomaly_minutes:UInt32} * 60000`;
}

/** Active keys that the policy means now, the first `limit` by id; one query over all keys. */
export async function policyCandidates(
  store: Store,
  policy: Policy,
  nowMs: number,
  limit: number,
): Promise<Candidate[]> {
  const { use, condition } = KINDS[policy.kind];
  return store.queryWriter<Candidate>(
    `SELECT key_id, organization_id, name, version, count() OVER () AS matched, last_used_ms, tracked_ms, requests,
            client_errors, anomaly_ms, anomaly_kind, limit_per_minute, expires_at, leaked_at
     FROM (
       SELECT k.key_id AS key_id, k.organization_id AS organization_id, k.name AS name, k.version AS version,
              ifNull(k.limit_per_minute, if(own.plan != '', own.limit_per_minute, common.limit_per_minute)) AS limit_per_minute,
              k.expires_at AS expires_at, k.leaked_at AS leaked_at,
              u.requests AS requests, u.client_errors AS client_errors, u.last_ms AS last_used_ms,
              u.anomaly_ms AS anomaly_ms, u.anomaly_kind AS anomaly_kind,
              toUnixTimestamp64Milli(k.registered_at) AS registered_ms,
              if(u.since_ms > 0, least(u.since_ms, registered_ms), registered_ms) AS tracked_ms,
              ifNull(toUnixTimestamp64Milli(k.status_changed_at), 0) AS activated_ms
       FROM (SELECT * FROM keys FINAL
             WHERE NOT deleted AND status = 'active'
               AND ({organization_id:String} = '' OR organization_id = {organization_id:String})
               AND ({environment:String} = '' OR environment = {environment:String})
               AND ({plan:String} = '' OR plan = {plan:String})
               AND NOT has({exempt:Array(String)}, key_id)) AS k
       LEFT JOIN (${use}) AS u ON u.key_id = k.key_id
       LEFT JOIN (SELECT organization_id, plan, limit_per_minute FROM plans FINAL WHERE NOT deleted AND organization_id != '') AS own
         ON own.organization_id = k.organization_id AND own.plan = k.plan
       LEFT JOIN (SELECT plan, limit_per_minute FROM plans FINAL WHERE NOT deleted AND organization_id = '') AS common
         ON common.plan = k.plan)
     WHERE (${condition})
     ORDER BY key_id LIMIT {limit:UInt32}`,
    { ...paramsOf(policy, nowMs), ...(await anomalyParams(store, policy, nowMs)), limit },
  );
}

/** What counts as abuse now: not what the platform's own alerts explain, and by alerts only while they are judged. */
async function anomalyParams(store: Store, { kind, settings }: Policy, nowMs: number): Promise<QueryParams> {
  if (kind !== 'abusive') return {};
  const { client_error_rate = 0, limit_factor = 0, anomaly_minutes = 0 } = settings;
  const alerts = await readPlatformAlerts(store, nowMs);
  const windowFromMs = windowOf(settings, nowMs).window_from * 1000;
  const isJudged = anomaly_minutes > 0 && (await areAlertsJudged(store, anomaly_minutes, nowMs));
  return {
    client_error_rate: explains(alerts, EXPLAINS_ERRORS, windowFromMs) ? 0 : client_error_rate,
    limit_factor: explains(alerts, EXPLAINS_REQUESTS, windowFromMs) ? 0 : limit_factor,
    anomaly_minutes: isJudged ? anomaly_minutes : 0,
    open_platform: alerts.filter(({ open }) => open).map(({ name }) => name),
    platform: EXPLAINING,
    platform_ended: EXPLAINING.map((name) => alerts.find((alert) => alert.name === name)?.ended_ms ?? 0),
  };
}

function paramsOf(policy: Policy, nowMs: number): QueryParams {
  const { settings } = policy;
  const daysAgo = (days: number | undefined) => (days === undefined ? 0 : nowMs - days * DAY_MS);
  return {
    organization_id: policy.organization_id,
    environment: policy.environment,
    plan: policy.plan,
    exempt: policy.exempt_key_ids,
    now: nowMs,
    unused_before: daysAgo(settings.unused_days),
    never_used_before: daysAgo(settings.never_used_days),
    ...windowOf(settings, nowMs),
    min_requests: settings.min_requests ?? DEFAULT_MIN_REQUESTS,
  };
}

/** Epoch seconds. */
function windowOf({ window_minutes = DEFAULT_WINDOW_MINUTES }: Policy['settings'], nowMs: number) {
  const window_to = Math.floor(nowMs / MINUTE_MS) * 60;
  return { window_from: window_to - window_minutes * 60, window_to, window_minutes };
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Why the policy means this key, in words for its owner. */
export function because(policy: Pick<Policy, 'kind' | 'settings'>, key: Candidate, nowMs: number): string {
  switch (policy.kind) {
    case 'expired':
      return `expired at ${key.expires_at}`;
    case 'leaked':
      return `reported as leaked at ${key.leaked_at}`;
    case 'unused':
      return key.last_used_ms > 0
        ? `not used since ${day(key.last_used_ms)} (${Math.floor((nowMs - key.last_used_ms) / DAY_MS)} days)`
        : `never used since ${day(key.tracked_ms)}, when tracking began (${Math.floor((nowMs - key.tracked_ms) / DAY_MS)} days)`;
    case 'abusive':
      return abuse(policy.settings, key, nowMs);
  }
}

/** Words for the kinds of alert that {@link OPEN_ANOMALIES} looks at. */
const ANOMALY_WORDS: Readonly<Record<string, string>> = {
  traffic_anomaly: 'far more traffic than usual',
  country_mix: 'traffic from other countries than usual',
  error_rate: 'many refused or wrong requests',
};

function abuse(settings: Policy['settings'], key: Candidate, nowMs: number): string {
  if (key.anomaly_ms > 0) {
    const minutes = Math.floor((nowMs - key.anomaly_ms) / MINUTE_MS);
    return `${ANOMALY_WORDS[key.anomaly_kind] ?? 'an anomaly'} for ${minutes} minutes, and nobody acknowledged the alert`;
  }
  const minutes = settings.window_minutes ?? DEFAULT_WINDOW_MINUTES;
  const share = key.client_errors / key.requests;
  const errors = settings.client_error_rate !== undefined && share >= settings.client_error_rate;
  return errors
    ? `${(share * 100).toFixed(1)} % of ${key.requests} requests in ${minutes} minutes were answered 4xx`
    : `${key.requests} requests in ${minutes} minutes at a limit of ${key.limit_per_minute} per minute`;
}
