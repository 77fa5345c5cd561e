/** Whether a notice about a key that nobody acknowledged is told again: pure. */
import { type AlertEvent, type AlertEvidence, type AlertKind, eventIdOf } from '../alert.ts';
import type { KnownAlert } from '../evaluation/event-store.ts';
import type { KeyFacts } from '../evaluation/key-facts.ts';
import type { Effective } from '../rules/rule.ts';
import { isOpen, isQuiet, type NotifyReason } from '../state.ts';

/** A secret that is found in public is used by others until it is replaced. Other notices are told as often as a rule says. */
const LEAK_REPEAT_MS = 4 * 3_600_000;

/** How often an open notice is told; 0 = once. */
export function repeatMsOf(kind: AlertKind, { enabled, repeatMs }: Effective<AlertKind>): number {
  if (!enabled) return 0;
  return repeatMs ?? (kind === 'key_leaked' ? LEAK_REPEAT_MS : 0);
}

export interface RepeatContext {
  facts: KeyFacts;
  effective: Effective<AlertKind>;
  silencedUntilMs: number | undefined;
  nowMs: number;
  recordedAt: string;
  /** What the notice said: a message is made from it. */
  evidence: AlertEvidence;
}

/** The row that tells a notice again; undefined while it is not due. What a silence kept back is told when it is due after it. */
export function noticeRepeat(
  { alertKey, alertId, kind, scope, keyId, state, rowAtMs }: KnownAlert,
  { facts, effective, silencedUntilMs, nowMs, recordedAt, evidence }: RepeatContext,
): AlertEvent | undefined {
  const repeatMs = repeatMsOf(kind, effective);
  const lastMs = state.lastNotifiedAtMs ?? state.openedAtMs ?? nowMs;
  if (repeatMs === 0 || nowMs - lastMs < repeatMs || !isOpen(state.phase) || state.acknowledged) return undefined;
  if (silencedUntilMs !== undefined && silencedUntilMs > nowMs) return undefined;
  if (!state.announced && isQuiet(state, state.severity, nowMs, effective.quietMs ?? 0)) return undefined;
  const notify: NotifyReason = state.announced ? 'repeated' : 'opened';
  const announced = state.announced ? {} : { announcedAtMs: nowMs, announcedSeverity: state.severity };
  return {
    event_id: eventIdOf(alertKey, lastMs, 'told again'),
    alert_key: alertKey,
    alert_id: alertId,
    at: new Date(Math.max(nowMs, rowAtMs + 1)).toISOString(),
    recorded_at: recordedAt,
    kind,
    scope,
    key_id: keyId,
    organization_id: facts.organization_id,
    environment: facts.environment,
    rule_id: effective.ruleId,
    phase: 'firing',
    severity: state.severity,
    transition: '',
    notify,
    withheld: '',
    actor: '',
    evidence,
    // The time of the state stays that of the event: whether its reason is gone is measured from there.
    state: { ...state, ...announced, announced: true, lastNotifiedAtMs: nowMs },
  };
}
