/** What becomes of the alert about one limit of a key: pure, from the counts of the window and what was told before. */
import {
  type AlertEvent,
  type AlertEvidence,
  type AlertTransition,
  alertIdOf,
  alertKeyOf,
  eventIdOf,
} from '../alert.ts';
import { judgeNearLimit, type LimitMemory, type LimitUse, type LimitVerdict } from '../detectors/near-limit.ts';
import { isOpen, type KnownAlert } from '../evaluation/event-store.ts';
import type { KeyFacts } from '../evaluation/key-facts.ts';
import { clockText, countText } from '../evaluation/wording.ts';
import type { Effective } from '../rules/rule.ts';
import { type AlertState, advance, initialState, type NotifyReason, type Severity } from '../state.ts';

/** The state of such an alert also remembers which steps were told. */
interface LimitState extends AlertState {
  limit?: LimitMemory;
}

/** A minute's limit can be met every minute; people hear of it once an hour unless it gets worse. */
const SHORT_QUIET_MS = 3_600_000;

export const isShort = (period: LimitUse['period']): boolean => period === 'minute' || period === 'burst';

/** 80 % is for information, 90 % a warning, the limit itself critical. */
export function stepSeverity(stepPercent: number): Severity {
  if (stepPercent >= 100) return 'critical';
  return stepPercent >= 90 ? 'warning' : 'info';
}

/** An alert whose window is over stays open for so long: one that ends before its message left would not be told at all. */
const TOLD_WITHIN_MS = 60_000;

/**
 * The row of this look at a limit; undefined when nothing new is to be noted.
 * @param context.isLate the window is over and was counted late: it may open or raise an alert, but says nothing of the present
 */
export function limitEvent(
  known: KnownAlert | undefined,
  use: LimitUse,
  facts: KeyFacts,
  effective: Effective<'near_limit'>,
  context: { recordedAt: string; silencedUntilMs: number | undefined; isLate: boolean },
): AlertEvent | undefined {
  const previous: LimitState = known?.state ?? initialState();
  const wanted = effective.enabled && effective.settings.periods.includes(use.period) && facts.isActive;
  const verdict = judgeNearLimit(previous.limit, use, effective.settings.steps_percent);
  const reached = Math.max(0, ...effective.settings.steps_percent.filter((step) => verdict.usedPercent >= step));
  if (context.isLate && verdict.stepPercent === undefined) return undefined;
  const level = wanted && reached > 0 ? 'breach' : wanted && isFresh(previous, use) ? 'hold' : 'clear';
  const severity = effective.severity ?? stepSeverity(reached);
  const step = advance(
    previous,
    { atMs: use.nowMs, level, severity, ...(context.silencedUntilMs && { silencedUntilMs: context.silencedUntilMs }) },
    {
      breaches: 1,
      ofLast: 1,
      clears: 1,
      quietMs: effective.quietMs ?? (isShort(use.period) ? SHORT_QUIET_MS : 0),
      repeatMs: effective.repeatMs ?? 0,
    },
  );
  const higher =
    level === 'breach' && verdict.stepPercent !== undefined && previous.limit?.windowStartMs === use.windowStartMs;
  const reason: NotifyReason | undefined =
    step.reason ??
    (higher && step.withheld === undefined && step.next.announced && !context.silencedUntilMs
      ? 'severity_raised'
      : undefined);
  const transition = transitionOf(previous, step.next, reason);
  const news = level === 'breach' && verdict.stepPercent !== undefined;
  if (step.next === previous || (transition === '' && !reason && !news)) return undefined;
  const alertKey = alertKeyOf('near_limit', facts.key_id, use.period);
  // What was told last stays known when its window has passed: windows after it may still be counted late.
  const passed = reached === 0 && previous.limit !== undefined && previous.limit.windowStartMs < use.windowStartMs;
  const state: LimitState = { ...step.next, limit: passed ? previous.limit! : verdict.next };
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
    evidence: evidenceOf(use, verdict, reached),
    state,
  };
}

/** Whether the alert was opened just now, about a window before this one. */
const isFresh = ({ openedAtMs, limit }: LimitState, use: LimitUse): boolean =>
  limit !== undefined &&
  openedAtMs !== null &&
  limit.windowStartMs < use.windowStartMs &&
  use.nowMs - openedAtMs < TOLD_WITHIN_MS;

function transitionOf(previous: AlertState, next: AlertState, reason: NotifyReason | undefined): AlertTransition | '' {
  if (!isOpen(previous.phase) && isOpen(next.phase)) return 'opened';
  if (isOpen(previous.phase) && !isOpen(next.phase)) return 'resolved';
  return reason === 'severity_raised' || next.severity !== previous.severity ? 'severity_raised' : '';
}

const PERIODS: Record<LimitUse['period'], string> = {
  burst: 'limit per second (burst)',
  minute: 'limit per minute',
  day: 'daily limit',
  month: 'monthly limit',
};

function evidenceOf(use: LimitUse, verdict: LimitVerdict, stepPercent: number): AlertEvidence {
  const { period, used, limit, nowMs, windowEndMs } = use;
  const percent = Math.floor(verdict.usedPercent);
  const name = PERIODS[period];
  const forecast =
    verdict.fullAtMs === undefined
      ? ''
      : ` At this pace it reaches the limit at about ${clockText(verdict.fullAtMs, nowMs)}.`;
  const until =
    windowEndMs < nowMs - TOLD_WITHIN_MS
      ? ` That was from ${clockText(use.windowStartMs, nowMs)}; the requests were counted late.`
      : isShort(period)
        ? ''
        : ` The count starts anew at ${clockText(windowEndMs, nowMs)}.`;
  const summary =
    stepPercent === 0
      ? `Below its ${name} again: ${countText(used)} of ${countText(limit)} requests.`
      : `${percent} % of its ${name} is used: ${countText(used)} of ${countText(limit)} requests.${forecast}${until}`;
  return {
    summary,
    value: verdict.usedPercent,
    expected: 100,
    unit: 'percent',
    limit: {
      period,
      used,
      limit,
      stepPercent,
      ...(verdict.fullAtMs !== undefined && { fullAt: new Date(verdict.fullAtMs).toISOString() }),
    },
  };
}
