import type { AlertEvent, AlertKind } from '../alert.ts';
import { quietUntil } from './channel-clock.ts';
import type { Routing } from './channel-routing.ts';

/** How a delivery stands once its event was routed. */
export type Standing =
  | { status: 'waiting' }
  | { status: 'held'; untilMs: number; reason: string }
  | { status: 'digest'; reason: string }
  | { status: 'dropped'; reason: string };

/** Why a delivery was dropped that budgets had counted. */
export const PASSED = 'over before it was sent';

/** What became of the opening of an alert in a channel: `digest` when it went there. */
export type HeardOpening = 'told' | 'digest' | 'no';

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

/** Whether an event counts against the budgets. Ends of alerts do not: they go to those who heard of the opening. */
export function isBudgeted({ kind, notify, evidence }: Pick<AlertEvent, 'kind' | 'notify' | 'evidence'>): boolean {
  if (notify === 'resolved' || !BUDGETED.has(kind)) return false;
  return kind !== 'near_limit' || (evidence.limit?.stepPercent ?? 0) < 100;
}

/** Why an event is not told in this channel, before budgets are asked; undefined when it is. */
export function reasonToDrop(
  event: Pick<AlertEvent, 'notify' | 'state'>,
  facts: { silenced: boolean; opening: HeardOpening },
): string | undefined {
  if (facts.silenced) return 'silenced';
  if (event.notify === 'repeated' && event.state.acknowledged) return 'acknowledged';
  if (event.notify === 'resolved' && facts.opening === 'no') return 'its opening was not told here';
  return undefined;
}

/** Where an event that is told goes: at once, after the quiet hours, or into the digest. */
export function standingOf(
  event: Pick<AlertEvent, 'notify' | 'severity' | 'kind'>,
  routing: Routing,
  facts: { opening: HeardOpening; overBudget: string | undefined; nowMs: number },
): Standing {
  if (facts.overBudget !== undefined) return { status: 'digest', reason: facts.overBudget };
  if (event.notify === 'resolved' && facts.opening === 'digest') {
    return { status: 'digest', reason: 'its opening is in the digest' };
  }
  if (event.severity === 'critical' || PASSES_QUIET.has(event.kind)) return { status: 'waiting' };
  const untilMs = quietUntil(facts.nowMs, routing);
  return untilMs === undefined ? { status: 'waiting' } : { status: 'held', untilMs, reason: 'quiet hours' };
}

/** Told also in quiet hours, whatever severity they come with. */
const PASSES_QUIET: ReadonlySet<AlertKind> = new Set(['key_leaked']);
