import type { Store } from '../../clickhouse/store.ts';
import type { AlertEvent, AlertKind } from '../alert.ts';
import { type AlertState, acknowledge, isLouder, type Severity } from '../state.ts';

/** States are looked for so far back; an open alert writes a row at least once a day. */
export const STATE_LOOK_BACK_MS = 8 * 86_400_000;
/** Alerts of one evaluation whose state is held in memory; beyond them the oldest are left out and counted. */
const MAX_STATES = 200_000;
const INSERT_ROWS = 20_000;
const LOOKUP_CHUNK = 1_000;

/** An alert as the evaluation finds it. */
export interface KnownAlert {
  alertKey: string;
  alertId: string;
  kind: AlertKind;
  scope: string;
  keyId: string;
  state: AlertState;
  withheld: string;
  /** When its newest row was made, so that open alerts write one now and then. */
  rowAtMs: number;
}

interface StateRow {
  alert_key: string;
  kind: AlertKind;
  scope: string;
  key_id: string;
  alert_id: string;
  state: string;
  withheld: string;
  row_ms: number;
  raised_ms: number;
  ack_ms: number;
  ack_by: string;
  ack_alert_id: string;
  ack_severity: Severity;
}

/**
 * Newest state of each alert. An acknowledgement is a row of its own, written whenever somebody acknowledges: it is laid over
 * the newest judged state here, so that an evaluation under way at that moment cannot lose it, nor it the evaluation.
 */
const NEWEST = `SELECT alert_key, kind, scope, key_id,
    argMaxIf(e.alert_id, (at, recorded_at), transition != 'acknowledged') AS alert_id,
    argMaxIf(e.state, (at, recorded_at), transition != 'acknowledged') AS state,
    argMaxIf(e.withheld, (at, recorded_at), transition != 'acknowledged') AS withheld,
    toUnixTimestamp64Milli(maxIf(at, transition != 'acknowledged')) AS row_ms,
    toUnixTimestamp64Milli(maxIf(recorded_at, notify = 'severity_raised')) AS raised_ms,
    toUnixTimestamp64Milli(maxIf(at, transition = 'acknowledged')) AS ack_ms,
    argMaxIf(actor, at, transition = 'acknowledged') AS ack_by,
    argMaxIf(e.alert_id, at, transition = 'acknowledged') AS ack_alert_id,
    argMaxIf(severity, at, transition = 'acknowledged') AS ack_severity
  FROM alert_events AS e`;

/** States of all alerts of these kinds that were judged lately, by alert key. */
export async function loadStates(
  store: Store,
  kinds: readonly AlertKind[],
  sinceMs: number,
): Promise<Map<string, KnownAlert>> {
  const rows = await store.query<StateRow>(
    `${NEWEST} WHERE kind IN {kinds:Array(String)} AND at >= fromUnixTimestamp64Milli({since:Int64})
     GROUP BY alert_key, kind, scope, key_id HAVING state != '' ORDER BY row_ms DESC LIMIT ${MAX_STATES}`,
    { kinds, since: sinceMs },
  );
  return byKey(rows);
}

/** States of the alerts with these keys. */
export async function findStates(store: Store, alertKeys: readonly string[]): Promise<Map<string, KnownAlert>> {
  const found = new Map<string, KnownAlert>();
  for (let at = 0; at < alertKeys.length; at += LOOKUP_CHUNK) {
    const rows = await store.query<StateRow>(
      `${NEWEST} WHERE alert_key IN {keys:Array(String)} GROUP BY alert_key, kind, scope, key_id HAVING state != ''`,
      { keys: alertKeys.slice(at, at + LOOKUP_CHUNK) },
    );
    for (const [key, one] of byKey(rows)) found.set(key, one);
  }
  return found;
}

function byKey(rows: readonly StateRow[]): Map<string, KnownAlert> {
  return new Map(rows.map((row) => [row.alert_key, knownAlert(row)]));
}

function knownAlert(row: StateRow): KnownAlert {
  const judged = JSON.parse(row.state) as AlertState;
  return {
    alertKey: row.alert_key,
    alertId: row.alert_id,
    kind: row.kind,
    scope: row.scope,
    keyId: row.key_id,
    state: hasSeen(row, judged) ? acknowledge(judged, row.ack_by, row.ack_ms) : judged,
    withheld: row.withheld,
    rowAtMs: row.row_ms,
  };
}

/**
 * Whether who acknowledged has seen the alert as it stands: this very opening, no step that was told later, and nothing worse
 * than what was known then. The times of rows say it, not the ends of windows, which are judged a while after.
 */
function hasSeen(row: StateRow, { severity }: AlertState): boolean {
  if (row.ack_ms === 0 || row.ack_alert_id !== row.alert_id) return false;
  return row.ack_ms > row.raised_ms && !isLouder(severity, row.ack_severity);
}

/** The alert as the next judgement finds it after this step. */
export function knownAfter(event: AlertEvent): KnownAlert {
  const { alert_key, alert_id, kind, scope, key_id, state, withheld, at } = event;
  return {
    alertKey: alert_key,
    alertId: alert_id,
    kind,
    scope,
    keyId: key_id,
    state,
    withheld,
    rowAtMs: Date.parse(at),
  };
}

/** Writes steps. All of one window travel in one insert: either every one of them is there after a crash, or none. */
export async function writeAlertEvents(store: Store, events: readonly AlertEvent[]): Promise<void> {
  for (let at = 0; at < events.length; at += INSERT_ROWS) {
    const rows = events.slice(at, at + INSERT_ROWS).map((event) => ({
      ...event,
      evidence: JSON.stringify(event.evidence),
      state: JSON.stringify(event.state),
    }));
    await store.insertRows('alert_events', rows);
  }
}

/** Ids among these that are stored already. */
export async function storedEvents(
  store: Store,
  events: readonly Pick<AlertEvent, 'event_id' | 'alert_key'>[],
): Promise<Set<string>> {
  const found = new Set<string>();
  for (let at = 0; at < events.length; at += LOOKUP_CHUNK) {
    const chunk = events.slice(at, at + LOOKUP_CHUNK);
    const rows = await store.query<{ event_id: string }>(
      'SELECT event_id FROM alert_events WHERE alert_key IN {keys:Array(String)} AND event_id IN {ids:Array(String)}',
      { keys: [...new Set(chunk.map((event) => event.alert_key))], ids: chunk.map((event) => event.event_id) },
    );
    for (const row of rows) found.add(row.event_id);
  }
  return found;
}

/** Events to be told that were written lately, for handing them over again after a crash; at most `limit`. */
export async function toldLately(
  store: Store,
  sinceMs: number,
  limit: number,
): Promise<Pick<AlertEvent, 'event_id' | 'alert_key' | 'notify'>[]> {
  return store.query(
    `SELECT DISTINCT event_id, alert_key, notify FROM alert_events
     WHERE recorded_at >= fromUnixTimestamp64Milli({since:Int64}) AND at >= fromUnixTimestamp64Milli({at_since:Int64})
       AND notify != '' LIMIT {limit:UInt32}`,
    { since: sinceMs, at_since: sinceMs - 86_400_000, limit },
  );
}
