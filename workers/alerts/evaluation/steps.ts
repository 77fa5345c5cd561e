/** From a measurement and the state an alert was in to its next row: pure, so that a repeat makes the same row. */
import {
  type AlertEvent,
  type AlertEvidence,
  type AlertKind,
  type AlertTransition,
  alertIdOf,
  alertKeyOf,
  eventIdOf,
} from '../alert.ts';
import { type EndReason, endReasonInWords } from '../end-reason.ts';
import type { Effective } from '../rules/rule.ts';
import { policyOf } from '../rules/rule.ts';
import {
  type AlertState,
  advance,
  initialState,
  isLouder,
  isOpen,
  type Level,
  type Measurement,
  type Severity,
  type Step,
} from '../state.ts';
import type { KnownAlert } from './event-store.ts';
import type { KeyFacts } from './key-facts.ts';

/** What a detector found of one alert in one window. */
export interface Judged {
  kind: AlertKind;
  /** What of the key; '' = the key as such. */
  scope: string;
  keyId: string;
  level: Level;
  severity: Severity;
  /** Since when holds what it tells of, where that is not the window of its evidence. */
  sinceMs?: number;
  /** By its rule it is not looked for: a clear level is no recovery. */
  isUnwanted?: boolean;
  /** Made only for rows that are written. */
  describe: () => AlertEvidence;
}

/** What goes with every judged alert of one window. */
export interface WindowContext {
  atMs: number;
  /** Length of one judged window: windows without a row in between were uneventful. */
  windowMs: number;
  recordedAt: string;
  /** Earlier windows follow: nothing is said of this one that a later one may take back. */
  late: boolean;
}

export interface Circumstances {
  facts: KeyFacts;
  effective: Effective<AlertKind>;
  silencedUntilMs: number | undefined;
  inhibitedBy: string | undefined;
}

/** Rows of an open alert are at most this far apart, so that its state is found by looking back a few days. */
const HEARTBEAT_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;

/** The row of this step; undefined when nothing worth a row happened. */
export function eventOfStep(
  known: KnownAlert | undefined,
  judged: Judged,
  context: WindowContext,
  circumstances: Circumstances,
): AlertEvent | undefined {
  const { facts, effective } = circumstances;
  const previous = passOver(known?.state ?? initialState(), context);
  const severity = effective.severity ?? judged.severity;
  const gone = judged.level === 'no_data' && isUnheard(known, context);
  // A rule that is off lets what it opened end.
  const level: Level = gone || !effective.enabled ? 'clear' : judged.level;
  const measured = measurementOf({ atMs: context.atMs, level, severity }, circumstances);
  const paced = policyOf(effective, severity);
  // Nothing since the row of the day before, which began to end it: this is the end.
  const policy = gone && previous.phase === 'recovering' ? { ...paced, clears: 1 } : paced;
  const step = context.late ? advanceLate(previous, measured, policy) : advance(previous, measured, policy);
  if (!isWorthARow(known, previous, step, context.atMs)) return undefined;
  const alertKey = alertKeyOf(judged.kind, judged.keyId, judged.scope);
  const { next, reason = '', withheld = '' } = step;
  const transition = transitionOf(previous, next);
  const described = judged.describe();
  const evidence =
    transition === 'resolved' ? withReason(described, endReasonOf(judged, circumstances, gone)) : described;
  return {
    event_id: eventIdOf(alertKey, context.atMs, 'judged'),
    alert_key: alertKey,
    alert_id: next.openedAtMs === null || next.phase === 'pending' ? '' : alertIdOf(alertKey, next.openedAtMs),
    at: new Date(context.atMs).toISOString(),
    recorded_at: context.recordedAt,
    kind: judged.kind,
    scope: judged.scope,
    key_id: judged.keyId,
    organization_id: facts.organization_id,
    environment: facts.environment,
    rule_id: effective.ruleId,
    phase: next.phase,
    severity: next.severity,
    transition,
    notify: reason,
    withheld,
    actor: '',
    evidence,
    state: transition === 'opened' ? { ...next, sinceMs: sinceOf(judged, evidence, context) } : next,
  };
}

const measurementOf = (measured: Measurement, { silencedUntilMs, inhibitedBy }: Circumstances): Measurement => ({
  ...measured,
  ...(silencedUntilMs !== undefined && { silencedUntilMs }),
  ...(inhibitedBy !== undefined && { inhibitedBy }),
});

function endReasonOf({ isUnwanted }: Judged, { facts, effective }: Circumstances, gone: boolean): EndReason {
  if (!facts.isActive) return 'inactive';
  if (!effective.enabled || isUnwanted) return 'rule_off';
  return gone ? 'unheard' : 'recovered';
}

/** What was measured speaks of a recovery: an end that is none says its reason instead. */
function withReason(evidence: AlertEvidence, ended: EndReason): AlertEvidence {
  const words = endReasonInWords(ended);
  return { ...evidence, ...(words !== undefined && { summary: `The alert is over: ${words}.` }), ended };
}

/** An opening is told at the end of its window, and began with it. */
const sinceOf = ({ sinceMs }: Judged, { windowMinutes }: AlertEvidence, { atMs, windowMs }: WindowContext): number =>
  sinceMs ?? atMs - (windowMinutes === undefined ? windowMs : windowMinutes * MINUTE_MS);

/**
 * An alert of which nothing was known for a day ends: a key that stopped cannot prove that it is well again. Rows of an alert that
 * lasts are a day apart, so one row after a day begins the end, and the next one a day later is the end unless something was known
 * in between, which writes a row.
 */
const isUnheard = (known: KnownAlert | undefined, { atMs }: WindowContext): boolean =>
  known !== undefined && atMs - known.rowAtMs >= HEARTBEAT_MS;

/** Windows since the last row were uneventful: they turned nothing and breached nothing. */
function passOver(state: AlertState, { atMs, windowMs }: WindowContext): AlertState {
  const windows = Math.round((atMs - state.lastAtMs) / windowMs) - 1;
  if (state.turns.length === 0 || windows <= 0) return state;
  const quiet = Array.from({ length: Math.min(windows, state.turns.length) }, () => false);
  return { ...state, turns: [...state.turns, ...quiet].slice(-state.turns.length) };
}

/**
 * Judges a window that is not the newest, after an interruption: recoveries of what people know of are told, everything else
 * waits for the newest window, which says it once if it still holds.
 */
function advanceLate(previous: AlertState, measured: Measurement, policy: Parameters<typeof advance>[2]): Step {
  const step = advance(previous, measured, policy);
  if (step.reason === undefined || step.reason === 'resolved') return step;
  return advance(previous, { ...measured, silencedUntilMs: measured.atMs + 1 }, policy);
}

function isWorthARow(
  known: KnownAlert | undefined,
  previous: AlertState,
  { next, reason, withheld }: Step,
  atMs: number,
): boolean {
  if (next === previous) return false;
  if (reason !== undefined || transitionOf(previous, next) !== '') return true;
  if (next.phase !== previous.phase || next.clears !== previous.clears || next.severity !== previous.severity)
    return true;
  if (withheld !== undefined && withheld !== known?.withheld) return true;
  return isOpen(next.phase) && known !== undefined && atMs - known.rowAtMs >= HEARTBEAT_MS;
}

function transitionOf(previous: AlertState, next: AlertState): AlertTransition | '' {
  const [was, is] = [isOpen(previous.phase), isOpen(next.phase)];
  if (!was && is) return 'opened';
  if (was && !is) return 'resolved';
  if (was && is && isLouder(next.severity, previous.severity)) return 'severity_raised';
  return next.phase === 'recovering' && previous.phase !== 'recovering' ? 'recovering' : '';
}
