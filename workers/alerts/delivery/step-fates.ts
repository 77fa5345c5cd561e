/** Whether the steps of an alert are still to be told in a channel, and in which order: pure. */
import type { Delivery } from './deliveries.ts';
import { ACKNOWLEDGED_MEANWHILE, OVERTAKEN, PASSED, SILENCED_MEANWHILE, UNTOLD } from './standing.ts';

/** A step of an alert as it stands in one channel. `notify` is `resolved` for its end, whatever people are told. */
export type Step = Pick<
  Delivery,
  'delivery_id' | 'alert_id' | 'notify' | 'status' | 'reason' | 'message_id' | 'event_at' | 'next_attempt_at'
>;

export type Fate =
  | { fate: 'tell' }
  /** An end, or an acknowledgement, follows its opening: until that has arrived or was given up it is kept back. */
  | { fate: 'later'; untilMs: number }
  /** `pairedWith`: message in which the opening of an untold end was dropped. */
  | { fate: 'drop'; reason: string; pairedWith?: string };

export const isEndStep = ({ notify }: Pick<Step, 'notify'>): boolean => notify === 'resolved';
/** What people or incidents hear first of: openings, raises, repeats. */
export const isNewsStep = ({ notify }: Pick<Step, 'notify'>): boolean => notify !== 'resolved' && notify !== '';
const isUnderWay = ({ status }: Step): boolean => status === 'waiting' || status === 'retrying';

/**
 * What becomes of steps that were in no message yet. News of an alert that has ended is not told (Alertmanager's rule), and an end
 * only when something of the alert was. What was tried once may have arrived: it is tried on, and the end waits for it.
 * @param fresh steps that nothing was sent of
 * @param others all other steps of the same alerts in the same channel
 */
export function fatesOf(fresh: readonly Step[], others: readonly Step[]): Map<string, Fate> {
  const ended = new Set([...fresh, ...others].filter(isEndStep).map((step) => step.alert_id));
  return new Map(
    fresh.map((step): [string, Fate] => {
      if (!isEndStep(step) && ended.has(step.alert_id)) return [step.delivery_id, { fate: 'drop', reason: PASSED }];
      return [step.delivery_id, isNewsStep(step) ? { fate: 'tell' } : fateOfFollowing(step, fresh, others)];
    }),
  );
}

function fateOfFollowing(following: Step, fresh: readonly Step[], others: readonly Step[]): Fate {
  const isNews = (step: Step) => step.alert_id === following.alert_id && isNewsStep(step);
  const news = others.filter(isNews);
  const underWay = news.filter(isUnderWay);
  if (underWay.length > 0) {
    const dueMs = underWay.map(({ next_attempt_at: next }) => (next === null ? 0 : Date.parse(next)));
    return { fate: 'later', untilMs: Math.max(...dueMs) };
  }
  const isLeaving = !isEndStep(following) && fresh.some(isNews);
  if (isLeaving || news.some(({ status }) => status === 'sent')) return { fate: 'tell' };
  const passed = news.find(({ status, reason }) => status === 'dropped' && reason === PASSED);
  if (passed) return { fate: 'drop', reason: PASSED, pairedWith: passed.message_id };
  const isPassing = fresh.some(isNews) || news.some(({ status }) => status === 'held');
  return { fate: 'drop', reason: isPassing ? PASSED : UNTOLD };
}

/** Why a step that quiet hours held is not told after all, or that it is. */
export function fateOfHeld(
  step: Step,
  others: readonly Step[],
  now: { silenced: boolean; acknowledged: boolean },
): Fate {
  const fate = fatesOf([step], others).get(step.delivery_id)!;
  // An end is decided on when it leaves, with what was released beside it.
  if (isEndStep(step)) return { fate: 'tell' };
  if (fate.fate === 'drop') return fate;
  const overtaken = others.some(
    (other) =>
      other.alert_id === step.alert_id &&
      other.status === 'sent' &&
      Date.parse(other.event_at) > Date.parse(step.event_at),
  );
  if (overtaken) return { fate: 'drop', reason: OVERTAKEN };
  if (now.silenced) return { fate: 'drop', reason: SILENCED_MEANWHILE };
  return now.acknowledged ? { fate: 'drop', reason: ACKNOWLEDGED_MEANWHILE } : fate;
}
