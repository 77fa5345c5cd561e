import type { AlertEvent, AlertKind } from '../alert.ts';
import { isEnd } from '../channels/message/topic.ts';
import { quietUntil } from './channel-clock.ts';
import type { RoutedChannel, Routing } from './channel-routing.ts';

/** How a delivery stands once its event was routed. */
export type Standing =
  | { status: 'waiting' }
  | { status: 'held'; untilMs: number; reason: string }
  | { status: 'digest'; reason: string }
  | { status: 'dropped'; reason: string };

export const PASSED = 'over before it was sent';
/** Why an end, or an acknowledgement, is not told. */
export const UNTOLD = 'its opening was not told here';
/** Why what quiet hours held is not told when they end. */
export const OVERTAKEN = 'a later message told it';
export const SILENCED_MEANWHILE = 'silenced before quiet hours ended';
export const ACKNOWLEDGED_MEANWHILE = 'acknowledged before quiet hours ended';
/** Why a mail is not sent. */
export const NOBODY_TO_WRITE_TO = 'nobody is left to write to';
/** Why deliveries were dropped after budgets had counted them. */
export const DROPPED_LATE: readonly string[] = [
  PASSED,
  OVERTAKEN,
  SILENCED_MEANWHILE,
  ACKNOWLEDGED_MEANWHILE,
  NOBODY_TO_WRITE_TO,
];

type Step = Pick<AlertEvent, 'kind' | 'notify' | 'phase' | 'transition'>;

/** What became of the opening of an alert in a channel: `held` while quiet hours keep it, `digest` when it went there. */
export type HeardOpening = 'told' | 'held' | 'digest' | 'no';

/** That somebody has seen an alert which goes on: PagerDuty stops escalating its incident then. */
export const isAcknowledgement = (event: Pick<AlertEvent, 'phase' | 'transition'>): boolean =>
  event.transition === 'acknowledged' && !isEnd(event);

/** What is told only where the opening was. */
export const followsOpening = (event: Pick<AlertEvent, 'phase' | 'transition'>): boolean =>
  isEnd(event) || isAcknowledgement(event);

/**
 * Why the people of a channel are told of an event: `resolved` for every end. What is the first that they hear of an alert is its
 * opening to them, even where it grew worse or is repeated: nothing was told before that it could be compared with.
 */
export function reasonIn(event: Step, opening: HeardOpening): AlertEvent['notify'] {
  if (isEnd(event)) return 'resolved';
  const isMore = event.notify === 'severity_raised' || event.notify === 'repeated';
  return isMore && opening !== 'told' ? 'opened' : event.notify;
}

/** What people may hear too much of. The others are rare, or must be heard. */
const BUDGETED: ReadonlySet<AlertKind> = new Set([
  'error_rate',
  'traffic_anomaly',
  'latency',
  'new_country',
  'country_mix',
  'near_limit',
  'key_unused',
  'rotation_due',
]);

/**
 * Whether an event counts against the budgets of a channel. What follows an opening does not: it goes to those who heard of that.
 * Nor does what is critical, and nothing at PagerDuty: it takes no digest, so what is over a budget would be lost there.
 */
export function isBudgeted(
  event: Step & Pick<AlertEvent, 'severity' | 'evidence'>,
  { type }: Pick<RoutedChannel, 'type'>,
): boolean {
  if (type === 'pagerduty' || event.severity === 'critical') return false;
  if (followsOpening(event) || !BUDGETED.has(event.kind)) return false;
  return event.kind !== 'near_limit' || (event.evidence.limit?.stepPercent ?? 0) < 100;
}

/**
 * Why an event is not told in this channel, before budgets are asked; undefined when it is. A silence keeps news back, not the end
 * of what was told: an incident that was opened must be closed, and people must not take for open what is over.
 */
export function reasonToDrop(
  event: Step & Pick<AlertEvent, 'state'>,
  facts: { silenced: boolean; opening: HeardOpening },
): string | undefined {
  if (isAcknowledgement(event)) return facts.opening === 'told' ? undefined : UNTOLD;
  if (isEnd(event)) return facts.opening === 'no' ? UNTOLD : undefined;
  if (facts.silenced) return 'silenced';
  return event.notify === 'repeated' && event.state.acknowledged ? 'acknowledged' : undefined;
}

/** Where an event that is told goes: at once, after the quiet hours, or into the digest. */
export function standingOf(
  event: Step & Pick<AlertEvent, 'severity'>,
  routing: Routing,
  facts: { opening: HeardOpening; overBudget: string | undefined; nowMs: number },
): Standing {
  if (facts.overBudget !== undefined) return { status: 'digest', reason: facts.overBudget };
  if (isEnd(event) && facts.opening === 'digest') {
    return { status: 'digest', reason: 'its opening is in the digest' };
  }
  if (event.severity === 'critical' || PASSES_QUIET.has(event.kind) || isAcknowledgement(event))
    return { status: 'waiting' };
  const untilMs = quietUntil(facts.nowMs, routing);
  return untilMs === undefined ? { status: 'waiting' } : { status: 'held', untilMs, reason: 'quiet hours' };
}

/** Told also in quiet hours, whatever severity they come with. */
const PASSES_QUIET: ReadonlySet<AlertKind> = new Set(['key_leaked']);
