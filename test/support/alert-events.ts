import {
  type AlertEvent,
  type AlertEvidence,
  type AlertKind,
  alertIdOf,
  alertKeyOf,
  eventIdOf,
} from '../../workers/alerts/alert.ts';
import { initialState, type NotifyReason } from '../../workers/alerts/state.ts';
import type { Store } from '../../workers/clickhouse/store.ts';

export interface EventRequest {
  key?: string;
  organization?: string;
  kind?: AlertKind;
  scope?: string;
  severity?: AlertEvent['severity'];
  notify?: NotifyReason | '';
  environment?: string;
  openedAtMs?: number;
  atMs?: number;
  evidence?: Partial<AlertEvidence>;
}

/** A step of an alert as the evaluation would write it. */
export function alertEvent(request: EventRequest = {}): AlertEvent {
  const { key = 'key-1', kind = 'error_rate', scope = '', notify = 'opened', severity = 'warning' } = request;
  const atMs = request.atMs ?? Date.now();
  const openedAtMs = request.openedAtMs ?? atMs;
  const alertKey = alertKeyOf(kind, key, scope);
  const at = new Date(atMs).toISOString();
  const phase = notify === 'resolved' ? 'resolved' : 'firing';
  return {
    event_id: eventIdOf(alertKey, atMs, notify),
    alert_key: alertKey,
    alert_id: alertIdOf(alertKey, openedAtMs),
    at,
    recorded_at: new Date().toISOString(),
    kind,
    scope,
    key_id: key,
    organization_id: request.organization ?? 'acme',
    environment: request.environment ?? 'production',
    rule_id: '',
    phase,
    severity,
    transition: notify === 'resolved' ? 'resolved' : 'opened',
    notify,
    withheld: '',
    actor: '',
    evidence: { summary: 'Something happened.', ...request.evidence },
    state: { ...initialState(), phase, severity, openedAtMs, lastAtMs: atMs },
  };
}

/** Stores events as the evaluation does. */
export async function writeAlertEvents(store: Store, events: readonly AlertEvent[]): Promise<void> {
  const row = ({ evidence, state, ...plain }: AlertEvent) => ({
    ...plain,
    evidence: JSON.stringify(evidence),
    state: JSON.stringify(state),
  });
  await store.insertRows('alert_events', events.map(row));
}
