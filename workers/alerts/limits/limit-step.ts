/** What becomes of the alert about one limit of a key: pure, from the counts of the window and what was told before. */
import { type AlertEvent, type AlertTransition, alertIdOf, alertKeyOf, eventIdOf } from '../alert.ts';
import { judgeNearLimit, type LimitMemory, type LimitUse, type LimitVerdict } from '../detectors/near-limit.ts';
import type { EndReason } from '../end-reason.ts';
import type { KnownAlert } from '../evaluation/event-store.ts';
import type { KeyFacts } from '../evaluation/key-facts.ts';
import type { Effective } from '../rules/rule.ts';
import {
  type AlertState,
  advance,
  initialState,
  isOpen,
  type Level,
  type NotifyReason,
  type Severity,
  type StatePolicy,
} from '../state.ts';
import { isShort, limitEvidence, TOLD_WITHIN_MS } from './limit-evidence.ts';

/** The state of such an alert also remembers which steps were told. */
interface LimitState extends AlertState {
  limit?: LimitMemory;
}

/** A minute's limit can be met every minute; people hear of it once an hour unless it gets worse. */
const SHORT_QUIET_MS = 3_600_000;

/** 80 % is for information, 90 % a warning, the limit itself critical. */
export function stepSeverity(stepPercent: number): Severity {
  if (stepPercent >= 100) return 'critical';
  return stepPercent >= 90 ? 'warning' : 'info';
}

interface LookContext {
  recordedAt: string;
  silencedUntilMs: number | undefined;
  /** The window is over and was counted late: it may open or raise an alert, but says nothing of the present. */
  isLate: boolean;
}

/** The row of this look at a limit; undefined when nothing new is to be noted. */
export function limitEvent(
  known: KnownAlert | undefined,
  use: LimitUse,
  facts: KeyFacts,
  effective: Effective<'near_limit'>,
  context: LookContext,
): AlertEvent | undefined {
  // A row is a turn here, windows without one are not counted: a limit that is met every day would pass for flapping.
  const previous: LimitState = { ...(known?.state ?? initialState()), turns: [], flapping: false };
  const verdict = judgeNearLimit(previous.limit, use, effective.settings.steps_percent);
  if (context.isLate && verdict.stepPercent === undefined) return undefined;
  const reached = Math.max(0, ...effective.settings.steps_percent.filter((step) => verdict.usedPercent >= step));
  const wanted = effective.enabled && effective.settings.periods.includes(use.period) && facts.isActive;
  const level = wanted ? levelOf(previous, use, reached, context) : 'clear';
  const severity = effective.severity ?? stepSeverity(reached);
  const silenced = context.silencedUntilMs !== undefined && { silencedUntilMs: context.silencedUntilMs };
  const step = advance(previous, { atMs: use.nowMs, level, severity, ...silenced }, policyOf(effective, use.period));
  const news = level === 'breach' && verdict.stepPercent !== undefined;
  const higher = news && previous.limit?.windowStartMs === use.windowStartMs && step.next.announced;
  const raised = higher && step.withheld === undefined && !silenced;
  const reason: NotifyReason | undefined = step.reason ?? (raised ? 'severity_raised' : undefined);
  const transition = transitionOf(previous, step.next, reason);
  if (step.next === previous || (transition === '' && !reason && !news)) return undefined;
  const alertKey = alertKeyOf('near_limit', facts.key_id, use.period);
  // A step that the state machine takes for more of the same is told like one that is louder.
  const heard = reason === 'severity_raised' && { acknowledged: null, lastNotifiedAtMs: use.nowMs };
  const state: LimitState = { ...step.next, ...heard, limit: memoryAfter(previous, use, level, verdict) };
  return {
    event_id: eventIdOf(alertKey, use.windowStartMs, `${transition} ${reached} of ${use.limit} at ${use.nowMs}`),
    alert_key: alertKey,
    alert_id: state.openedAtMs === null ? '' : alertIdOf(alertKey, state.openedAtMs),
    at: new Date(use.nowMs).toISOString(),
    recorded_at: context.recordedAt,
    kind: 'near_limit',
    scope: use.period,
    key_id: facts.key_id,
    organization_id: facts.organization_id,
    environment: facts.environment,
    rule_id: effective.ruleId,
    phase: state.phase,
    severity: state.severity,
    transition,
    notify: reason ?? '',
    withheld: step.withheld ?? '',
    actor: '',
    evidence: limitEvidence(
      use,
      verdict,
      level === 'breach' ? reached : endReasonOf(previous, use, verdict, facts, effective),
    ),
    state,
  };
}

/** What was told last stays known when its window has passed: windows after it may still be counted late. */
const memoryAfter = (previous: LimitState, use: LimitUse, level: Level, verdict: LimitVerdict): LimitMemory =>
  level !== 'breach' && isOlder(previous, use) ? previous.limit! : verdict.next;

/** Without a rule a step is told once: what is used up stays so until the window ends, and says nothing new by then. */
const policyOf = ({ quietMs, repeatMs }: Effective<'near_limit'>, period: LimitUse['period']): StatePolicy => ({
  breaches: 1,
  ofLast: 1,
  clears: 1,
  quietMs: quietMs ?? (isShort(period) ? SHORT_QUIET_MS : 0),
  repeatMs: repeatMs ?? 0,
});

function levelOf(previous: LimitState, use: LimitUse, reached: number, { isLate }: LookContext): Level {
  if (isOlder(previous, use) && isOpen(previous.phase)) {
    // The day or month that was told of is over: its alert ends, and the next look tells of the new one.
    if (reached > 0 && (isLate || isShort(use.period))) return 'breach';
    return use.nowMs - previous.openedAtMs! < TOLD_WITHIN_MS ? 'hold' : 'clear';
  }
  return reached > 0 ? 'breach' : 'clear';
}

/** Below its steps again within the same day or month, or in another minute, it has recovered; unless the steps went up and its use did not go down. */
function endReasonOf(
  previous: LimitState,
  use: LimitUse,
  { usedPercent }: LimitVerdict,
  facts: KeyFacts,
  { enabled, settings }: Effective<'near_limit'>,
): EndReason {
  if (!facts.isActive) return 'inactive';
  if (!enabled || !settings.periods.includes(use.period)) return 'rule_off';
  if (use.limit <= 0) return 'no_limit';
  if (isOlder(previous, use) && !isShort(use.period)) return 'window_over';
  const told = previous.limit?.highestStepPercent ?? 0;
  return told > 0 && usedPercent >= told ? 'rule_off' : 'recovered';
}

const isOlder = ({ limit }: LimitState, use: LimitUse): boolean =>
  limit !== undefined && limit.windowStartMs < use.windowStartMs;

function transitionOf(previous: AlertState, next: AlertState, reason: NotifyReason | undefined): AlertTransition | '' {
  if (!isOpen(previous.phase) && isOpen(next.phase)) return 'opened';
  if (isOpen(previous.phase) && !isOpen(next.phase)) return 'resolved';
  return reason === 'severity_raised' || next.severity !== previous.severity ? 'severity_raised' : '';
}
