/** What becomes of an alert when something happened to a key: pure. */
import type { KeyEvent, KeyEventType } from '../../keys/events.ts';
import { type AlertEvent, type AlertKind, alertIdOf, alertKeyOf, eventIdOf } from '../alert.ts';
import type { KnownAlert } from '../evaluation/event-store.ts';
import type { KeyFacts } from '../evaluation/key-facts.ts';
import type { Effective } from '../rules/rule.ts';
import {
  type AlertState,
  initialState,
  isLouder,
  isOpen,
  isQuiet,
  type NotifyReason,
  type Severity,
  type WithheldBecause,
} from '../state.ts';

/** Kinds whose alerts come from key events. An acknowledgement ends them: they are notices, not conditions. */
export const KEY_EVENT_KINDS: readonly AlertKind[] = [
  'key_expiring',
  'key_expired',
  'key_deactivated',
  'key_unused',
  'rotation_due',
  'key_leaked',
];

/** Scope of the warning that a policy will deactivate a key. */
export const WARNING_SCOPE = 'warning';

interface Mapping {
  kind: AlertKind;
  scope: string;
}

const MAPPING: Partial<Record<KeyEventType, Mapping>> = {
  'key.expiring': { kind: 'key_expiring', scope: '' },
  'key.expired': { kind: 'key_expired', scope: '' },
  'key.deactivated': { kind: 'key_deactivated', scope: '' },
  'key.policy_warning': { kind: 'key_deactivated', scope: WARNING_SCOPE },
  'key.unused': { kind: 'key_unused', scope: '' },
  'key.rotation_due': { kind: 'rotation_due', scope: '' },
  'key.leaked': { kind: 'key_leaked', scope: '' },
};

/** Types of key events that become alerts. */
export const ALERTING_EVENTS = Object.keys(MAPPING) as KeyEventType[];

export const mappingOf = (event: Pick<KeyEvent, 'type'>): Mapping | undefined => MAPPING[event.type];

/** How urgent it is: the last day and everything that stops requests is critical. */
export function keyEventSeverity({ type, data }: Pick<KeyEvent, 'type' | 'data'>): Severity {
  if (type === 'key.leaked') return 'critical';
  if (type === 'key.expiring') {
    const days = Number(data.reminder_days);
    return days <= 1 ? 'critical' : days <= 7 ? 'warning' : 'info';
  }
  if (type === 'key.rotation_due') return 'info';
  if (type === 'key.unused' || type === 'key.policy_warning') return Number(data.days_left) <= 1 ? 'warning' : 'info';
  return type === 'key.expired' ? 'critical' : 'warning';
}

export interface KeyAlertContext {
  facts: KeyFacts;
  effective: Effective<AlertKind>;
  silencedUntilMs: number | undefined;
  recordedAt: string;
}

/** Row of a key event; undefined when its kind makes no alert or a rule switches it off. */
export function keyAlertEvent(
  known: KnownAlert | undefined,
  event: KeyEvent,
  { facts, effective, silencedUntilMs, recordedAt }: KeyAlertContext,
): AlertEvent | undefined {
  const mapping = mappingOf(event);
  if (!mapping || !effective.enabled) return undefined;
  const atMs = Date.parse(event.at);
  const severity = effective.severity ?? keyEventSeverity(event);
  const alertKey = alertKeyOf(mapping.kind, event.key_id, mapping.scope);
  const before = known && isOpen(known.state.phase) && known.state.acknowledged === null ? known.state : undefined;
  const reason = reasonFor(before, severity);
  const silenced = silencedUntilMs !== undefined && silencedUntilMs > atMs;
  const quiet = !before?.announced && known && isQuiet(known.state, severity, atMs, effective.quietMs ?? 0);
  const withheld: WithheldBecause | '' = silenced ? 'silenced' : quiet ? 'quiet' : '';
  const state = nextState(known?.state, before, { severity, atMs, told: withheld === '' });
  return {
    event_id: eventIdOf(alertKey, atMs, event.id),
    alert_key: alertKey,
    alert_id: alertIdOf(alertKey, state.openedAtMs!),
    at: event.at,
    recorded_at: recordedAt,
    kind: mapping.kind,
    scope: mapping.scope,
    key_id: event.key_id,
    organization_id: event.organization_id || facts.organization_id,
    environment: facts.environment,
    rule_id: effective.ruleId,
    phase: 'firing',
    severity,
    transition: before ? (reason === 'severity_raised' ? 'severity_raised' : '') : 'opened',
    notify: withheld === '' ? reason : '',
    withheld,
    actor: '',
    evidence: { summary: summaryOf(event), key: { ...event.data, event_id: event.id, event_type: event.type } },
    state: { ...state, silencedUntilMs: silencedUntilMs ?? null },
  };
}

function reasonFor(before: AlertState | undefined, severity: Severity): NotifyReason {
  if (!before) return 'opened';
  return isLouder(severity, before.severity) ? 'severity_raised' : 'repeated';
}

/** @param last what was known of the alert, of an earlier opening too: what was told of it is remembered */
function nextState(
  last: AlertState | undefined,
  before: AlertState | undefined,
  { severity, atMs, told }: { severity: Severity; atMs: number; told: boolean },
): AlertState {
  const { announcedAtMs, announcedSeverity } = last ?? initialState();
  const base: AlertState = {
    ...(before ?? { ...initialState(), openedAtMs: atMs, announcedAtMs, announcedSeverity }),
    phase: 'firing',
    severity,
    lastAtMs: atMs,
  };
  if (!told) return base;
  return { ...base, announced: true, announcedAtMs: atMs, announcedSeverity: severity, lastNotifiedAtMs: atMs };
}

/** Row that ends an alert because what it spoke of is over. */
export function keyAlertEnd(
  known: KnownAlert,
  facts: KeyFacts,
  atMs: number,
  recordedAt: string,
  summary: string,
): AlertEvent {
  const { state, alertKey } = known;
  return {
    event_id: eventIdOf(alertKey, state.openedAtMs ?? atMs, 'ended'),
    alert_key: alertKey,
    alert_id: known.alertId,
    at: new Date(atMs).toISOString(),
    recorded_at: recordedAt,
    kind: known.kind,
    scope: known.scope,
    key_id: known.keyId,
    organization_id: facts.organization_id,
    environment: facts.environment,
    rule_id: '',
    phase: 'resolved',
    severity: state.severity,
    transition: 'resolved',
    notify: state.announced ? 'resolved' : '',
    withheld: '',
    actor: '',
    evidence: { summary },
    state: { ...state, phase: 'resolved', lastAtMs: atMs, resolvedAtMs: atMs, announced: false },
  };
}

const day = (value: unknown): string =>
  typeof value === 'string' ? `${value.slice(0, 10)} ${value.slice(11, 16)} UTC` : '';

function summaryOf({ type, data }: KeyEvent): string {
  const days = Number(data.reminder_days);
  switch (type) {
    case 'key.expiring':
      return `The key expires ${days === 0 ? 'today' : days === 1 ? 'within a day' : `in ${days} days`}, at ${day(data.expires_at)}.`;
    case 'key.expired':
      return `The key has expired${data.expires_at ? ` at ${day(data.expires_at)}` : ''}; its requests are refused.`;
    case 'key.deactivated':
      return 'The key was deactivated; its requests are refused.';
    case 'key.policy_warning':
      return `A policy will deactivate the key at ${day(data.acts_at)} unless something changes.`;
    case 'key.unused':
      return `The key is not used any more; a policy will deactivate it at ${day(data.acts_at)}.`;
    case 'key.rotation_due':
      return `The secret of the key is in use since ${day(data.secret_since)} and is due for rotation.`;
    default:
      return 'The secret of the key was found in public; replace it now.';
  }
}
