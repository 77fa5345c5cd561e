import type { AlertEvent, AlertEvidence, AlertKind } from '../../workers/alerts/alert.ts';
import { KEY_EVENT_KINDS } from '../../workers/alerts/key-events/key-alert.ts';
import type { AlertPhase, AlertState, Severity } from '../../workers/alerts/state.ts';
import type { Store } from '../../workers/clickhouse/store.ts';

/** Which alerts are listed. '' = any. */
export interface AlertFilter {
  alertId: string;
  keyId: string;
  kind: string;
  phase: string;
  severity: string;
  /** '' = of every organization and of the platform. */
  organizationId: string;
  sinceMs: number;
  limit: number;
  after: AlertCursor | undefined;
}

/** Position behind the last alert of a page. */
export interface AlertCursor {
  openedMs: number;
  alertId: string;
}

/** One opening of an alert, with the newest of everything. */
export interface AlertRow {
  alert_id: string;
  alert_key: string;
  kind: AlertKind;
  scope: string;
  key_id: string;
  organization_id: string;
  environment: string;
  rule_id: string;
  phase: AlertPhase;
  severity: Severity;
  opened_ms: number;
  changed_ms: number;
  resolved_ms: number;
  told: number;
  withheld: string;
  ack_ms: number;
  ack_by: string;
  evidence: AlertEvidence;
  latest: AlertEvidence;
  state: AlertState;
}

type StoredRow = Omit<AlertRow, 'evidence' | 'latest' | 'state'> & { evidence: string; latest: string; state: string };

const KEY_KINDS = KEY_EVENT_KINDS.map((kind) => `'${kind}'`).join(', ');

/**
 * One row per opening. What an acknowledgement wrote counts as that alone: it may lie beside a judged step of the same moment.
 * An acknowledged notice about a key is over. Who acknowledged and whether it was told may stand in rows older than those that are read: judged rows carry it.
 */
const OPENINGS = `SELECT alert_id, any(e.alert_key) AS alert_key, any(e.kind) AS kind, any(e.scope) AS scope, any(e.key_id) AS key_id,
    argMax(e.organization_id, at) AS organization_id, argMax(e.environment, at) AS environment,
    argMaxIf(e.rule_id, (at, recorded_at), transition != 'acknowledged') AS rule_id,
    argMaxIf(e.severity, (at, recorded_at), transition != 'acknowledged') AS severity,
    argMaxIf(e.withheld, (at, recorded_at), transition != 'acknowledged') AS withheld,
    argMaxIf(e.state, (at, recorded_at), transition != 'acknowledged') AS state,
    argMaxIf(e.evidence, (at, recorded_at), transition != 'acknowledged') AS latest,
    argMaxIf(e.evidence, (at, recorded_at), transition IN ('opened', 'severity_raised') OR notify = 'repeated') AS why,
    if(countIf(transition = 'acknowledged') > 0, toUnixTimestamp64Milli(maxIf(at, transition = 'acknowledged')),
      toInt64(JSONExtractFloat(state, 'acknowledged', 'atMs'))) AS ack_ms,
    if(countIf(transition = 'acknowledged') > 0, argMaxIf(actor, at, transition = 'acknowledged'),
      JSONExtractString(state, 'acknowledged', 'by')) AS ack_by,
    if(ack_ms > 0 AND kind IN (${KEY_KINDS}), 'resolved', argMaxIf(e.phase, (at, recorded_at), transition != 'acknowledged')) AS phase,
    toInt64(JSONExtractFloat(state, 'openedAtMs')) AS opened_ms, toUnixTimestamp64Milli(max(at)) AS changed_ms,
    toUnixTimestamp64Milli(maxIf(at, transition = 'resolved')) AS resolved_ms,
    countIf(notify != '') > 0 OR JSONExtractFloat(state, 'announcedAtMs') > 0 AS told, if(why = '', latest, why) AS evidence
  FROM alert_events AS e FINAL
  WHERE alert_id != '' AND at >= fromUnixTimestamp64Milli({since:Int64})
    AND ({alert_id:String} = '' OR alert_id = {alert_id:String})
    AND ({key_id:String} = '' OR e.key_id = {key_id:String})
    AND ({kind:String} = '' OR e.kind = {kind:String})
    AND ({organization_id:String} = '' OR e.organization_id = {organization_id:String})
  GROUP BY alert_id HAVING state != ''`;

/** Alerts, the newest openings first, in one query. */
export async function listAlerts(store: Store, filter: AlertFilter): Promise<AlertRow[]> {
  const older = filter.after ? 'AND (opened_ms, alert_id) < ({after_ms:Int64}, {after_id:String})' : '';
  const rows = await store.query<StoredRow>(
    `SELECT * EXCEPT why FROM (${OPENINGS})
     WHERE ({severity:String} = '' OR severity = {severity:String})
       AND ({phase:String} = '' OR phase = {phase:String} OR ({phase:String} = 'open' AND phase IN ('firing', 'recovering'))) ${older}
     ORDER BY opened_ms DESC, alert_id DESC LIMIT {limit:UInt32}`,
    {
      alert_id: filter.alertId,
      key_id: filter.keyId,
      kind: filter.kind,
      phase: filter.phase,
      severity: filter.severity,
      organization_id: filter.organizationId,
      since: filter.sinceMs,
      limit: filter.limit,
      after_ms: filter.after?.openedMs ?? 0,
      after_id: filter.after?.alertId ?? '',
    },
  );
  return rows.map((row) => ({
    ...row,
    evidence: JSON.parse(row.evidence) as AlertEvidence,
    latest: JSON.parse(row.latest) as AlertEvidence,
    state: JSON.parse(row.state) as AlertState,
  }));
}

type StoredEvent = Omit<AlertEvent, 'evidence' | 'state'> & { evidence: string };
/** Steps of one alert that are shown at most: the newest. */
const MAX_STEPS = 500;

/** Every step of one opening, oldest first. */
export async function alertSteps(store: Store, alertKey: string, alertId: string) {
  const rows = await store.query<StoredEvent>(
    `SELECT event_id, at, phase, severity, transition, notify, withheld, actor, evidence FROM alert_events FINAL
     WHERE alert_key = {key:String} AND alert_id = {id:String} ORDER BY at DESC, event_id LIMIT ${MAX_STEPS}`,
    { key: alertKey, id: alertId },
  );
  return rows.reverse().map((row) => ({ ...row, evidence: JSON.parse(row.evidence) as AlertEvidence }));
}
