import type { Store } from '../clickhouse/store.ts';
import { writeAudit } from '../keys/audit.ts';
import { type AlertEvent, eventIdOf } from './alert.ts';
import { findStates, writeAlertEvents } from './evaluation/event-store.ts';
import { KEY_EVENT_KINDS } from './key-events/key-alert.ts';
import { acknowledge, isOpen } from './state.ts';

export interface Acknowledgement {
  alertKey: string;
  /** The opening that was seen; another one since then is not acknowledged by it. */
  alertId: string;
  /** Who: id of the token, or of the link that was followed. */
  actor: string;
  note?: string;
}

/** `done` also when it was acknowledged before; `over` when this opening has ended; `unknown` when there never was one. */
export type AcknowledgeOutcome = 'done' | 'over' | 'unknown';

/**
 * Notes that somebody has seen an alert: it is not repeated until it ends or grows worse. A notice about a key (expiry,
 * deactivation and the like) ends with it. Repeating is harmless.
 */
export async function acknowledgeAlert(
  store: Store,
  { alertKey, alertId, actor, note = '' }: Acknowledgement,
  atMs = Date.now(),
): Promise<AcknowledgeOutcome> {
  const known = (await findStates(store, [alertKey])).get(alertKey);
  const [opening] = await store.queryWriter<Pick<AlertEvent, 'organization_id' | 'environment' | 'rule_id'>>(
    `SELECT organization_id, environment, rule_id FROM alert_events
     WHERE alert_key = {key:String} AND alert_id = {id:String} ORDER BY at DESC, recorded_at DESC LIMIT 1`,
    { key: alertKey, id: alertId },
  );
  if (!known || !opening) return 'unknown';
  if (known.alertId !== alertId || !isOpen(known.state.phase)) return 'over';
  if (known.state.acknowledged) return 'done';
  const at = new Date(atMs).toISOString();
  const ends = KEY_EVENT_KINDS.includes(known.kind);
  await writeAlertEvents(store, [
    {
      ...opening,
      event_id: eventIdOf(alertKey, known.state.openedAtMs ?? atMs, `acknowledged by ${actor} at ${atMs}`),
      alert_key: alertKey,
      alert_id: alertId,
      at,
      recorded_at: at,
      kind: known.kind,
      scope: known.scope,
      key_id: known.keyId,
      severity: known.state.severity,
      phase: ends ? 'resolved' : known.state.phase,
      transition: 'acknowledged',
      // Whoever opened an incident for a notice closes it with this; a condition goes on, and its end is told when it ends.
      notify: ends && known.state.announced ? 'resolved' : '',
      withheld: '',
      actor,
      evidence: { summary: note === '' ? 'Acknowledged.' : `Acknowledged: ${note}` },
      state: acknowledge(known.state, actor, atMs),
    },
  ]);
  const subject = { action: 'alert.acknowledged' as const, subject: alertId, organizationId: opening.organization_id };
  const after = { kind: known.kind, scope: known.scope, key_id: known.keyId };
  await writeAudit(store, [{ ...subject, actor, reason: note, before: null, after }]);
  return 'done';
}
